#include "crypto/polynomial.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::SeededEntropy;

SecretPolynomial random_polynomial(std::size_t t, Entropy& entropy) {
  std::vector<SecretScalar> coefficients;
  for (std::size_t k = 0; k < t; ++k) coefficients.push_back(SecretScalar::random(entropy));
  return SecretPolynomial(std::move(coefficients));
}

std::vector<Element> elements_of(const std::vector<Point>& points) {
  return {points.begin(), points.end()};
}

// By the textbook, one inversion each.
Scalar lambda(const std::vector<Position>& positions, std::size_t i, Position at) {
  Scalar out(1);
  for (std::size_t j = 0; j < positions.size(); ++j) {
    if (j == i) continue;
    out = out * (Scalar(at) - Scalar(positions[j])) * (Scalar(positions[i]) - Scalar(positions[j])).inverse();
  }
  return out;
}

std::vector<Position> up_to(Position last) {
  std::vector<Position> out(last);
  std::iota(out.begin(), out.end(), Position{1});
  return out;
}

TEST(Lagrange, AgreesWithTheTextbook) {
  std::vector<Position> extremes = {1, 2, 65534, 65535};
  for (const auto& positions : {std::vector<Position>{1, 2, 3}, std::vector<Position>{2, 5, 9, 64}, up_to(65),
                                std::vector<Position>{64, 3, 17}, std::vector<Position>{7}, extremes}) {
    for (Position at : std::vector<Position>{0, 4, 66, 3, 128, 65535}) {
      auto coefficients = lagrange_coefficients(positions, at);
      ASSERT_EQ(coefficients.size(), positions.size());
      Scalar total;
      for (std::size_t i = 0; i < positions.size(); ++i) {
        EXPECT_EQ(coefficients[i], lambda(positions, i, at));
        total = total + coefficients[i];
      }
      EXPECT_EQ(total, Scalar(1)) << "they interpolate the constant 1";
    }
  }
}

TEST(Lagrange, KnowsTheSmallSetByHeart) {
  auto at_zero = lagrange_coefficients({1, 2, 3});
  EXPECT_EQ(at_zero, (std::vector<Scalar>{Scalar(3), -Scalar(3), Scalar(1)}));
}

TEST(LagrangeCache, GivesTheSameAndForgetsTheLeastRecentlyUsed) {
  LagrangeCache cache(2);
  std::vector<Position> a = {1, 2}, b = {1, 3}, c = {2, 3};
  EXPECT_EQ(cache.at_zero(a), lagrange_coefficients(a));
  const auto* first = &cache.at_zero(a);
  EXPECT_EQ(cache.at_zero(b), lagrange_coefficients(b));
  EXPECT_EQ(&cache.at_zero(a), first);
  EXPECT_EQ(cache.at_zero(c), lagrange_coefficients(c));
  EXPECT_EQ(&cache.at_zero(a), first) << "b was the oldest";
}

TEST(SecretPolynomial, IsGivenBackByAnyOfItsShares) {
  SeededEntropy entropy(5);
  for (Position n = 1; n <= 7; ++n) {
    for (std::size_t t = 1; t <= n; ++t) {
      auto polynomial = random_polynomial(t, entropy);
      auto commitments = elements_of(polynomial.commit(Point::generator()));
      std::vector<Element> table;
      for (Position i : up_to(n)) table.push_back(multiply_generator(polynomial.evaluate(i)));
      for (Position i : up_to(n)) EXPECT_EQ(evaluate_commitments(commitments, i), table[i - 1U]);
      std::vector<bool> chosen(n);
      std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(t), true);
      do {
        std::vector<Position> positions;
        std::vector<SecretScalar> shares;
        std::vector<Element> public_shares;
        for (Position i : up_to(n)) {
          if (!chosen[i - 1U]) continue;
          positions.push_back(i);
          shares.push_back(polynomial.evaluate(i));
          public_shares.push_back(table[i - 1U]);
        }
        EXPECT_EQ(interpolate(positions, shares).publish(), polynomial.coefficient(0).publish());
        EXPECT_EQ(interpolate(positions, shares, n).publish(), polynomial.evaluate(n).publish());
        EXPECT_EQ(interpolate(positions, public_shares), commitments[0]);
        EXPECT_EQ(interpolate(positions, public_shares, n), table[n - 1U]);
      } while (std::prev_permutation(chosen.begin(), chosen.end()));
    }
  }
}

TEST(SecretPolynomial, IsNotGivenBackByOneShareTooFew) {
  SeededEntropy entropy(6);
  auto polynomial = random_polynomial(3, entropy);
  std::vector<SecretScalar> shares;
  shares.push_back(polynomial.evaluate(1));
  shares.push_back(polynomial.evaluate(2));
  EXPECT_NE(interpolate({1, 2}, shares).publish(), polynomial.coefficient(0).publish());
}

TEST(SecretPolynomial, CommitsOverTheSecondGenerator) {
  SeededEntropy entropy(7);
  auto polynomial = random_polynomial(4, entropy);
  const Point& h = Point::second_generator();
  auto commitments = elements_of(polynomial.commit(h));
  for (Position i : {Position{1}, Position{2}, Position{100}}) {
    EXPECT_EQ(evaluate_commitments(commitments, i), multiply(polynomial.evaluate(i).publish(), h));
  }
}

TEST(EvaluateCommitments, PassesThroughInfinity) {
  Element g = Point::generator();
  // 5 - 2x + x^2: at 2 the first step of Horner gives (2 - 2) G, at 1 the last one 4 G.
  std::vector<Element> commitments = {multiply_generator(Scalar(5)), multiply_generator(-Scalar(2)), g};
  EXPECT_EQ(evaluate_commitments(commitments, 2), multiply_generator(Scalar(5)));
  EXPECT_EQ(evaluate_commitments(commitments, 1), multiply_generator(Scalar(4)));
  EXPECT_EQ(evaluate_commitments(commitments, 7), multiply_generator(Scalar(40)));
  // -3 + x has its root at 3; infinity as a coefficient is zero.
  EXPECT_TRUE(evaluate_commitments({multiply_generator(-Scalar(3)), g}, 3).is_infinity());
  EXPECT_EQ(evaluate_commitments({g, Element(), g, Element()}, 3), multiply_generator(Scalar(10)));
  EXPECT_TRUE(evaluate_commitments({}, 3).is_infinity());
}

TEST(Interpolate, TakesInfinityAsAnEntry) {
  // f(x) = x - 2 has the share zero at 2.
  std::vector<Element> table = {-Element(Point::generator()), Element(), Point::generator()};
  EXPECT_EQ(interpolate({1, 2}, {table[0], table[1]}), multiply_generator(-Scalar(2)));
  EXPECT_EQ(interpolate({2, 3}, {table[1], table[2]}), multiply_generator(-Scalar(2)));
  EXPECT_TRUE(interpolate({1, 3}, {table[0], table[2]}, 2).is_infinity());
  std::vector<SecretScalar> shares;
  shares.push_back(test::secret(-Scalar(1)));
  shares.emplace_back();
  EXPECT_EQ(interpolate({1, 2}, shares).publish(), -Scalar(2));
}

}  // namespace
}  // namespace kms::crypto
