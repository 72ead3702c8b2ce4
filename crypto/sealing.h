// Sealing to disk: a key-encryption key from a passphrase (Argon2id, 64 MiB, t = 3, p = 1) or from 32 raw bytes, and
// boxes under it (AES-256-GCM, random nonce, caller's context as associated data).
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

struct PassphraseParameters {
  ByteArray<16> salt{};
  std::uint32_t memory_kib = 64 * 1024;
  std::uint32_t iterations = 3;
};

// 0.1 to 0.3 s and 64 MiB with the defaults; the memory is returned. Parameters from disk are bounded by the caller of
// `parse`: at most 1 GiB and 16 iterations.
Secret<32> derive_key(ByteView passphrase, const PassphraseParameters& parameters);

class SealingKey {
 public:
  explicit SealingKey(Secret<32> key) : key_(std::move(key)) {}
  static SealingKey random(Entropy& entropy) { return SealingKey(Secret<32>::random(entropy)); }
  // nonce 12 || ciphertext || tag 16.
  Bytes seal(ByteView plaintext, ByteView context, Entropy& entropy) const;
  // A wrong key and a damaged or moved box (other context) are the same error.
  Result<SecretBytes> open(ByteView sealed, ByteView context) const;
  const Secret<32>& expose() const { return key_; }  // to seal this key under another one

 private:
  Secret<32> key_;
};

// A self-describing file or record: "KMSSEAL1" || memory u32 || iterations u32 || salt 16 || box.
Bytes seal_with_passphrase(ByteView plaintext, ByteView passphrase, ByteView context, Entropy& entropy);
Result<SecretBytes> open_with_passphrase(ByteView sealed, ByteView passphrase, ByteView context);

}  // namespace kms::crypto
