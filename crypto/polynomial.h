// Secret polynomials, their commitments and Lagrange interpolation (PROTOCOL.md 3, 4.2, 4.3).
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "crypto/point.h"

namespace kms::crypto {

// Position of a member in its committee's sorted list, 1..n: the evaluation point. Never supplied by a peer.
using Position = std::uint16_t;

class SecretPolynomial {
 public:
  explicit SecretPolynomial(std::vector<SecretScalar> coefficients);  // a_0 first; not empty
  std::size_t size() const { return coefficients_.size(); }           // threshold t = degree + 1
  const SecretScalar& coefficient(std::size_t k) const { return coefficients_[k]; }
  // Horner, constant time in the coefficients.
  SecretScalar evaluate(Position x) const;
  // a_k * base for every k; no coefficient is zero.
  std::vector<Point> commit(const Point& base) const;

 private:
  std::vector<SecretScalar> coefficients_;
};

// sum_k commitments[k] * x^k: Horner from the top with a small multiplier; infinity is a value on the way.
Element evaluate_commitments(const std::vector<Element>& commitments, Position x);

// lambda_i(at) over the set `positions` (distinct, at least one), in the order given. Public, variable time; one
// inversion for the whole set.
std::vector<Scalar> lagrange_coefficients(const std::vector<Position>& positions, Position at = 0);

// Remembers the coefficients at 0 of the last sets of responders; bounded, drops the least recently used.
class LagrangeCache {
 public:
  explicit LagrangeCache(std::size_t sets_max = 256) : sets_max_(sets_max) {}
  // `positions` strictly increasing.
  const std::vector<Scalar>& at_zero(const std::vector<Position>& positions);

 private:
  struct Entry {
    std::vector<Scalar> coefficients;
    std::uint64_t last_use = 0;
  };
  std::size_t sets_max_;
  std::uint64_t uses_ = 0;
  std::map<std::vector<Position>, Entry> entries_;
};

// sum coefficients[i] * elements[i], of equally many; with coefficients from the cache. The terms are wiped.
Element combine(const std::vector<Scalar>& coefficients, const std::vector<Element>& elements);

// sum lambda_i(at) * elements[i].
Element interpolate(const std::vector<Position>& positions, const std::vector<Element>& elements, Position at = 0);
SecretScalar interpolate(const std::vector<Position>& positions, const std::vector<SecretScalar>& shares,
                         Position at = 0);

}  // namespace kms::crypto
