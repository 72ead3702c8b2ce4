// Scalars modulo the order of secp256k1. The type picks the algorithm: Scalar is public and may be variable time,
// SecretScalar is constant time. There is no conversion from secret to public.
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

// A public scalar in [0, q). Variable time.
class Scalar {
 public:
  Scalar() = default;  // zero
  explicit Scalar(std::uint64_t value);
  // Big-endian; an error if >= q.
  static Result<Scalar> parse(ByteView bytes32);
  // int(hash) mod q; zero is possible and is the caller's case (PROTOCOL.md 3, H2S).
  static Scalar reduce(const Hash32& hash);

  const Hash32& bytes() const { return bytes_; }  // big-endian
  bool is_zero() const;
  Scalar operator+(const Scalar& other) const;
  Scalar operator-(const Scalar& other) const;
  Scalar operator*(const Scalar& other) const;
  Scalar operator-() const;
  // The inverse modulo q; the scalar is not zero.
  Scalar inverse() const;
  bool operator==(const Scalar&) const = default;

 private:
  friend class SecretScalar;
  Hash32 bytes_{};
};

// A secret scalar in [0, q). Constant time in its value, zero included; `is_zero` and the multiplications of points
// show whether it is zero.
class SecretScalar {
 public:
  SecretScalar() = default;  // zero
  static Result<SecretScalar> parse(ByteView bytes32);
  // Takes the hash's bytes over and reduces them; wipes `hash`.
  static SecretScalar reduce(Hash32&& hash);
  // Uniform and not zero.
  static SecretScalar random(Entropy& entropy);
  SecretScalar(SecretScalar&&) noexcept = default;
  SecretScalar& operator=(SecretScalar&&) noexcept = default;

  bool is_zero() const;
  SecretScalar clone() const;
  SecretScalar operator+(const SecretScalar& other) const;
  SecretScalar operator+(const Scalar& other) const;
  SecretScalar operator-(const SecretScalar& other) const;
  SecretScalar operator*(const SecretScalar& other) const;
  SecretScalar operator*(const Scalar& other) const;
  SecretScalar operator-() const;
  // Publishes the value: only for what the protocol sends in the clear (Schnorr responses, padded shares).
  Scalar publish() const;
  const Hash32& expose() const { return bytes_.expose(); }

 private:
  Secret<32> bytes_;
};

}  // namespace kms::crypto
