// A product of a secret scalar and a point that nobody may see: only a sum with another one leaves (PROTOCOL.md 5.4).
#pragma once

#include "crypto/point.h"

namespace kms::crypto {

class SecretPoint {
 public:
  // scalar * point, constant time; the scalar is not zero.
  static SecretPoint product(const SecretScalar& scalar, const Point& point);
  static SecretPoint copy_of(const Point& point);

  SecretPoint operator-() const;
  // The sum, public from here on. Constant time, but for what has probability 2^-256 (equal or opposite terms).
  Element publish_sum(const SecretPoint& other) const;
  // x coordinate of the sum; an error for infinity. As constant in time as `publish_sum`.
  Result<Secret<32>> x_of_sum(const SecretPoint& other) const;

 private:
  SecretPoint() = default;
  Secret<64> raw_;  // secp256k1_pubkey
};

}  // namespace kms::crypto
