#include "crypto/scalar.h"

#include <memory>

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::SeededEntropy;

constexpr std::string_view kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

// OpenSSL's bignums as the second opinion.
class Bignums {
 public:
  Bignums() { set(order_, test::hex(kOrder)); }
  Bignums(const Bignums&) = delete;
  Bignums& operator=(const Bignums&) = delete;
  ~Bignums() {
    for (BIGNUM* number : {order_, a_, b_, out_}) BN_free(number);
    BN_CTX_free(scratch_);
  }
  template <class Operation>
  Hash32 apply(Operation operation, const Scalar& a, const Scalar& b) {
    set(a_, a.bytes());
    set(b_, b.bytes());
    EXPECT_EQ(operation(out_, a_, b_, order_, scratch_), 1);
    Hash32 bytes;
    EXPECT_EQ(BN_bn2binpad(out_, bytes.data(), 32), 32);
    return bytes;
  }

 private:
  static void set(BIGNUM* number, ByteView bytes) { BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number); }
  BIGNUM* order_ = BN_new();
  BIGNUM* a_ = BN_new();
  BIGNUM* b_ = BN_new();
  BIGNUM* out_ = BN_new();
  BN_CTX* scratch_ = BN_CTX_new();
};

std::vector<Scalar> samples() {
  auto out = test::edge_scalars();
  SeededEntropy entropy(1);
  for (int i = 0; i < 40; ++i) out.push_back(entropy.scalar());
  return out;
}

TEST(Scalar, AgreesWithBignumsInEveryOperation) {
  Bignums bignums;
  for (const Scalar& a : samples()) {
    for (const Scalar& b : samples()) {
      EXPECT_EQ((a + b).bytes(), bignums.apply(BN_mod_add, a, b));
      EXPECT_EQ((a - b).bytes(), bignums.apply(BN_mod_sub, a, b));
      EXPECT_EQ((a * b).bytes(), bignums.apply(BN_mod_mul, a, b));
    }
    EXPECT_EQ((-a).bytes(), bignums.apply(BN_mod_sub, Scalar(), a));
    if (!a.is_zero()) {
      EXPECT_EQ(a * a.inverse(), Scalar(1));
    }
  }
}

TEST(SecretScalar, AgreesWithThePublicArithmeticZeroIncluded) {
  for (const Scalar& a : samples()) {
    SecretScalar secret_a = test::secret(a);
    EXPECT_EQ(secret_a.is_zero(), a.is_zero());
    EXPECT_EQ((-secret_a).publish(), -a);
    EXPECT_EQ(secret_a.clone().publish(), a);
    for (const Scalar& b : samples()) {
      SecretScalar secret_b = test::secret(b);
      EXPECT_EQ((secret_a + secret_b).publish(), a + b);
      EXPECT_EQ((secret_a + b).publish(), a + b);
      EXPECT_EQ((secret_a - secret_b).publish(), a - b);
      EXPECT_EQ((secret_a * secret_b).publish(), a * b);
      EXPECT_EQ((secret_a * b).publish(), a * b);
    }
  }
}

TEST(Scalar, RefusesTheOrderAndAbove) {
  std::string largest(kOrder);
  largest.back() = '0';
  for (std::string_view text :
       {std::string_view(kOrder), std::string_view("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364142"),
        std::string_view("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")}) {
    EXPECT_FALSE(Scalar::parse(test::hex(text)));
    EXPECT_FALSE(SecretScalar::parse(test::hex(text)));
  }
  EXPECT_EQ(Scalar::parse(test::hex(largest)).value(), -Scalar(1));
  EXPECT_TRUE(SecretScalar::parse(test::hex(largest)));
  EXPECT_TRUE(Scalar::parse(Hash32{}).value().is_zero());
}

TEST(Scalar, RefusesOtherLengths) {
  for (std::size_t size : {0U, 31U, 33U}) {
    EXPECT_FALSE(Scalar::parse(Bytes(size)));
    EXPECT_FALSE(SecretScalar::parse(Bytes(size)));
  }
}

TEST(Scalar, ReducesHashesOnBothSidesOfTheOrder) {
  Hash32 order = to_array<32>(test::hex(kOrder));
  EXPECT_TRUE(Scalar::reduce(order).is_zero());
  Hash32 above = order;
  ++above[31];
  EXPECT_EQ(Scalar::reduce(above), Scalar(1));
  Hash32 all;
  all.fill(0xff);
  EXPECT_EQ(to_hex(Scalar::reduce(all).bytes()), "000000000000000000000000000000014551231950b75fc4402da1732fc9bebe");
  Hash32 spent = all;
  EXPECT_EQ(SecretScalar::reduce(std::move(spent)).publish(), Scalar::reduce(all));
  EXPECT_EQ(spent, Hash32{});
}

TEST(SecretScalar, DrawsAgainWhenADrawIsZeroOrTooLarge) {
  class Steps final : public Entropy {
   public:
    void fill(MutableByteView out) override {
      std::fill(out.begin(), out.end(), draws_ == 0 ? std::uint8_t{0xff} : std::uint8_t{0});
      if (draws_ == 2) out.back() = 7;
      ++draws_;
    }
    int draws_ = 0;
  } steps;
  EXPECT_EQ(SecretScalar::random(steps).publish(), Scalar(7));
  EXPECT_EQ(steps.draws_, 3);
}

TEST(SecretScalar, IsWipedWhenMovedFrom) {
  SecretScalar a = test::secret(Scalar(5));
  SecretScalar b = std::move(a);
  EXPECT_EQ(a.expose(), Hash32{});
  EXPECT_EQ(b.publish(), Scalar(5));
}

TEST(Secret, ComparesEqualBytesOfEqualLengthOnly) {
  EXPECT_TRUE(equal_constant_time(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_FALSE(equal_constant_time(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(equal_constant_time(Bytes{1, 2}, Bytes{1}));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

TEST(Secret, IsWipedWhenMovedFromAndWhenAssigned) {
  Secret<4> a(ByteArray<4>{1, 2, 3, 4});
  Secret<4> b(std::move(a));
  EXPECT_EQ(a.expose(), (ByteArray<4>{}));
  a = std::move(b);
  EXPECT_EQ(b.expose(), (ByteArray<4>{}));
  EXPECT_EQ(a.expose(), (ByteArray<4>{1, 2, 3, 4}));
  SecretBytes c(Bytes{1, 2});
  SecretBytes d(std::move(c));
  EXPECT_EQ(c.size(), 0U);
  c = std::move(d);
  EXPECT_EQ(d.size(), 0U);
  EXPECT_TRUE(equal(c.expose(), Bytes{1, 2}));
}

}  // namespace
}  // namespace kms::crypto
