#include "crypto/polynomial.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/limbs.h"

namespace kms::crypto {
namespace {

// A product of differences of positions: their signs counted, their sizes gathered four to a limb.
class DifferenceProduct {
 public:
  void multiply_by(std::int64_t difference) {
    if (difference < 0) is_negative_ = !is_negative_;
    auto size = static_cast<std::uint64_t>(difference < 0 ? -difference : difference);
    if (pending_ >= (std::uint64_t{1} << 48)) flush();
    pending_ *= size;
  }

  Limbs value() {
    flush();
    return is_negative_ ? negate_mod_q(product_) : product_;
  }

 private:
  void flush() {
    product_ = multiply_mod_q(product_, pending_);
    pending_ = 1;
  }

  Limbs product_{1};
  std::uint64_t pending_ = 1;
  bool is_negative_ = false;
};

// Replaces every number, none of which is zero, by its inverse, with one inversion and three products for each.
void invert_all(std::vector<Limbs>& numbers) {
  std::vector<Limbs> before(numbers.size());
  Limbs product{1};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    before[i] = product;
    product = multiply_mod_q(product, numbers[i]);
  }
  Limbs rest = invert_mod_q(product);
  for (std::size_t i = numbers.size(); i-- > 0;) {
    Limbs inverse = multiply_mod_q(rest, before[i]);
    rest = multiply_mod_q(rest, numbers[i]);
    numbers[i] = inverse;
  }
}

Scalar scalar_of(const Limbs& limbs) {
  return Scalar::reduce(bytes_of(limbs));
}

// One where `at` is a position of the set, as L_i(x_j) = [i = j].
std::vector<Scalar> unit_coefficients(const std::vector<Position>& positions, Position at) {
  std::vector<Scalar> out;
  out.reserve(positions.size());
  for (Position position : positions) out.emplace_back(position == at ? 1U : 0U);
  return out;
}

}  // namespace

SecretPolynomial::SecretPolynomial(std::vector<SecretScalar> coefficients) : coefficients_(std::move(coefficients)) {
  KMS_ASSERT(!coefficients_.empty());
}

SecretScalar SecretPolynomial::evaluate(Position x) const {
  Scalar point(x);
  SecretScalar out = coefficients_.back().clone();
  for (std::size_t k = coefficients_.size() - 1; k-- > 0;) out = out * point + coefficients_[k];
  return out;
}

std::vector<Point> SecretPolynomial::commit(const Point& base) const {
  std::vector<Point> out;
  out.reserve(coefficients_.size());
  for (const auto& coefficient : coefficients_) {
    Element commitment = multiply(coefficient, base);
    KMS_ASSERT(!commitment.is_infinity());
    out.push_back(commitment.point());
  }
  return out;
}

Element evaluate_commitments(const std::vector<Element>& commitments, Position x) {
  if (x == 1) return sum(commitments);
  Scalar point(x);
  Element out;
  for (auto commitment = commitments.rbegin(); commitment != commitments.rend(); ++commitment) {
    out = multiply(point, out) + *commitment;
  }
  return out;
}

// lambda_i(at) = prod over j != i of (at - x_j) / (x_i - x_j)
//              = [prod over all j of (at - x_j)] / [(at - x_i) * prod over j != i of (x_i - x_j)].
std::vector<Scalar> lagrange_coefficients(const std::vector<Position>& positions, Position at) {
  KMS_ASSERT(!positions.empty());
  if (std::find(positions.begin(), positions.end(), at) != positions.end()) return unit_coefficients(positions, at);
  DifferenceProduct all;
  std::vector<Limbs> denominators;
  denominators.reserve(positions.size());
  for (Position i : positions) {
    all.multiply_by(at - i);
    DifferenceProduct product;
    product.multiply_by(at - i);
    for (Position j : positions) {
      if (i != j) product.multiply_by(i - j);
    }
    denominators.push_back(product.value());
  }
  invert_all(denominators);
  Limbs numerator = all.value();
  std::vector<Scalar> out;
  out.reserve(positions.size());
  for (const Limbs& inverse : denominators) out.push_back(scalar_of(multiply_mod_q(numerator, inverse)));
  return out;
}

const std::vector<Scalar>& LagrangeCache::at_zero(const std::vector<Position>& positions) {
  auto found = entries_.find(positions);
  if (found == entries_.end()) {
    if (entries_.size() >= sets_max_) {
      entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.last_use < b.second.last_use;
      }));
    }
    found = entries_.emplace(positions, Entry{lagrange_coefficients(positions), 0}).first;
  }
  found->second.last_use = ++uses_;
  return found->second.coefficients;
}

Element interpolate(const std::vector<Position>& positions, const std::vector<Element>& elements, Position at) {
  KMS_ASSERT(positions.size() == elements.size());
  return combine(lagrange_coefficients(positions, at), elements);
}

SecretScalar interpolate(const std::vector<Position>& positions, const std::vector<SecretScalar>& shares, Position at) {
  KMS_ASSERT(positions.size() == shares.size());
  auto coefficients = lagrange_coefficients(positions, at);
  SecretScalar out;
  for (std::size_t i = 0; i < shares.size(); ++i) out = out + shares[i] * coefficients[i];
  return out;
}

Element combine(const std::vector<Scalar>& coefficients, const std::vector<Element>& elements) {
  KMS_ASSERT(coefficients.size() == elements.size());
  std::vector<Element> terms(elements.size());
  const WipeAtExit wiped(terms);
  for (std::size_t i = 0; i < elements.size(); ++i) terms[i] = multiply(coefficients[i], elements[i]);
  return sum(terms);
}

}  // namespace kms::crypto
