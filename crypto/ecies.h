// ECIES as nox's clients use it: S = k * PK; key = HKDF-SHA256(x(S), no salt, "ECIES:AES_GCM:v1", 32); AES-256-GCM with
// a 12-byte nonce, tag appended. What is delegated is x(S), 32 bytes.
#pragma once

#include "crypto/point.h"

namespace kms::crypto {

struct EciesCiphertext {
  ByteArray<33> ephemeral{};  // K = kG, compressed
  ByteArray<12> nonce{};
  Bytes sealed;  // ciphertext || tag
};

EciesCiphertext ecies_encrypt(const Point& public_key, ByteView plaintext, Entropy& entropy);
// With x(s*K), however it was obtained.
Result<SecretBytes> ecies_decrypt(ByteView shared_x32, const EciesCiphertext& ciphertext);

}  // namespace kms::crypto
