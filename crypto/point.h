// Points of secp256k1. Point is never the identity, so that whatever was parsed can be used; Element also has
// infinity, where the protocol asks for it as a value (sums, tables, Horner).
#pragma once

#include <optional>
#include <vector>

#include "crypto/scalar.h"

namespace kms::crypto {

class Point {
 public:
  // 33 bytes, prefix 02 or 03, on the curve; everything else (uncompressed, hybrid, infinity) is an error.
  static Result<Point> parse(ByteView bytes33);
  // 33 compressed or 65 uncompressed bytes, for values that contracts and other systems hold.
  static Result<Point> parse_sec1(ByteView bytes);
  static const Point& generator();         // G
  static const Point& second_generator();  // H: BIP-341 NUMS point with even y

  ByteArray<33> bytes() const;
  ByteArray<65> uncompressed() const;  // 04 || x || y
  Hash32 x() const;
  bool operator==(const Point& other) const;
  Point operator-() const;

  // libsecp256k1's own form (secp256k1_pubkey), for code in crypto/ only.
  const ByteArray<64>& raw() const { return raw_; }
  static Point from_raw(const ByteArray<64>& raw);

 private:
  Point() = default;
  ByteArray<64> raw_{};
};

// A Point or infinity.
class Element {
 public:
  Element() = default;  // infinity
  Element(const Point& point) : point_(point) {}
  // 33 zero bytes are infinity, else as Point::parse.
  static Result<Element> parse(ByteView bytes33);
  ByteArray<33> bytes() const;
  bool is_infinity() const { return !point_.has_value(); }
  const Point& point() const { return *point_; }  // not infinity
  Element operator+(const Element& other) const;
  Element operator-() const;
  bool operator==(const Element&) const = default;

 private:
  std::optional<Point> point_;
};

// One inversion for all; infinities and a + (-a) are values. Not empty is not required: nothing sums to infinity.
Element sum(const std::vector<Element>& elements);

// Public scalars: variable time.
Element multiply(const Scalar& scalar, const Element& element);
Element multiply_generator(const Scalar& scalar);  // scalar * G
// scalar * G + other * X in one step (PROTOCOL.md 5.9 (4) names the trick); public inputs only.
Element multiply_add(const Scalar& g_factor, const Scalar& x_factor, const Point& x);

// Secret scalars: constant time (secp256k1_ecdh, secp256k1_ec_pubkey_create). The product is public from here on. Zero
// gives infinity.
Element multiply(const SecretScalar& scalar, const Point& point);
Element multiply_generator(const SecretScalar& scalar);
// The product itself is a secret (s*K, pads, ECDH): 33 compressed bytes, wiped when done. The scalar is not zero.
Secret<33> multiply_secretly(const SecretScalar& scalar, const Point& point);
// The same as x || y.
Secret<64> multiply_to_coordinates(const SecretScalar& scalar, const Point& point);
// x coordinate only.
Secret<32> ecdh_x(const SecretScalar& scalar, const Point& point);

}  // namespace kms::crypto
