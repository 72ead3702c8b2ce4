// RSA-OAEP with SHA-256 and MGF1-SHA-256 to keys of 2048 to 4096 bits (ARCHITECTURE.md, "Keys").
#pragma once

#include <memory>

#include "crypto/secret.h"

namespace kms::crypto {

// A requester's RSA key: 2048..4096 bits, odd exponent from 65537 below 2^64, canonical SPKI DER (rsaEncryption with
// NULL parameters, minimal lengths and integers, nothing behind it). Immutable, copies share it; safe to use from
// several threads.
class RsaPublicKey {
 public:
  static Result<RsaPublicKey> parse_spki(ByteView der);

  std::size_t modulus_bytes() const;  // 256..512
  // plaintext up to modulus_bytes - 66; the 32-byte seed is drawn from `entropy`. The label may be empty.
  Result<Bytes> encrypt_oaep(ByteView plaintext, ByteView label, Entropy& entropy) const;

 private:
  struct Impl;
  explicit RsaPublicKey(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// The requester's side, for kmsctl, the SDK and tests.
class RsaPrivateKey {
 public:
  static RsaPrivateKey generate(std::size_t bits);
  static Result<RsaPrivateKey> parse_pkcs8(ByteView der);
  RsaPrivateKey(RsaPrivateKey&&) noexcept;
  RsaPrivateKey& operator=(RsaPrivateKey&&) noexcept;
  ~RsaPrivateKey();

  Bytes public_spki() const;
  SecretBytes pkcs8() const;
  // Every failure is the same error, whatever the cause.
  Result<SecretBytes> decrypt_oaep(ByteView ciphertext, ByteView label) const;

 private:
  struct Impl;
  explicit RsaPrivateKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kms::crypto
