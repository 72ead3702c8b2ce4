// AES-256-GCM with 12-byte nonces; the 16-byte tag stands behind the ciphertext. A nonce is used once per key.
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

inline constexpr std::size_t kAeadTagBytes = 16;
inline constexpr std::size_t kAeadNonceBytes = 12;

Bytes aead_seal(ByteView key32, ByteView nonce12, ByteView aad, ByteView plaintext);
// A wrong key, nonce, aad, tag or ciphertext is one and the same error; nothing of the plaintext leaves then.
Result<SecretBytes> aead_open(ByteView key32, ByteView nonce12, ByteView aad, ByteView sealed);

}  // namespace kms::crypto
