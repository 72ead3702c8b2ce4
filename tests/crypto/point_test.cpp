#include "crypto/point.h"

#include <gtest/gtest.h>

#include "crypto/context.h"
#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::SeededEntropy;

const Point& g() {
  return Point::generator();
}

// scalar * G by doubling and adding: nothing in common with the library's multiplications but its addition.
Element by_doubling(const Scalar& scalar, const Element& base) {
  Element out;
  for (std::uint8_t byte : scalar.bytes()) {
    for (int bit = 7; bit >= 0; --bit) {
      out = out + out;
      if ((byte >> bit) & 1) out = out + base;
    }
  }
  return out;
}

TEST(Point, RefusesEverythingButCompressedPointsOfTheCurve) {
  std::string x = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
  std::string y = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
  EXPECT_TRUE(Point::parse(test::hex("02" + x)));
  EXPECT_TRUE(Point::parse(test::hex("03" + x)));
  EXPECT_FALSE(Point::parse(test::hex("04" + x + y))) << "uncompressed";
  EXPECT_FALSE(Point::parse(test::hex("06" + x + y))) << "hybrid";
  EXPECT_FALSE(Point::parse(test::hex("05" + x))) << "SEC1's compact form";
  EXPECT_FALSE(Point::parse(test::hex("00" + x)));
  EXPECT_FALSE(Point::parse(ByteArray<33>{})) << "infinity in our encoding";
  EXPECT_FALSE(Point::parse(ByteArray<1>{})) << "infinity in SEC1";
  EXPECT_FALSE(Point::parse({}));
  EXPECT_FALSE(Point::parse(test::hex("02" + x.substr(2)))) << "too short";
  EXPECT_FALSE(Point::parse(test::hex("020000000000000000000000000000000000000000000000000000000000000005")))
      << "5^3 + 7 is no square";
  EXPECT_FALSE(Point::parse(test::hex("02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30")))
      << "x = p + 1, which stands for x = 1 on the curve";
}

TEST(Point, ReadsBothFormsOfSec1AndNoHybrid) {
  std::string xy =
      "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
      "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
  EXPECT_EQ(Point::parse_sec1(test::hex("04" + xy)).value(), g());
  EXPECT_EQ(Point::parse_sec1(g().bytes()).value(), g());
  EXPECT_EQ(to_hex(g().uncompressed()), "04" + xy);
  EXPECT_FALSE(Point::parse_sec1(test::hex("06" + xy)));
  EXPECT_FALSE(Point::parse_sec1(test::hex("07" + xy)));
  std::string off_curve = xy;
  off_curve.back() = '9';
  EXPECT_FALSE(Point::parse_sec1(test::hex("04" + off_curve)));
  EXPECT_FALSE(Point::parse_sec1({}));
}

TEST(Element, ReadsInfinityAsZeros) {
  EXPECT_TRUE(Element::parse(ByteArray<33>{}).value().is_infinity());
  EXPECT_EQ(Element::parse(g().bytes()).value(), Element(g()));
  EXPECT_FALSE(Element::parse(ByteArray<32>{}));
  EXPECT_EQ(Element().bytes(), ByteArray<33>{});
}

TEST(Element, AddsInfinityAndOppositesAsValues) {
  Element p = g();
  EXPECT_EQ(p + Element(), p);
  EXPECT_EQ(Element() + p, p);
  EXPECT_TRUE((p + -p).is_infinity());
  EXPECT_TRUE((-Element()).is_infinity());
  EXPECT_TRUE(sum({}).is_infinity());
  EXPECT_TRUE(sum({p, Element(), -p}).is_infinity());
  EXPECT_EQ(sum({p, -p, p, Element(), p}), p + p);
}

TEST(Multiply, AgreesWithDoublingAndAdding) {
  SeededEntropy entropy(2);
  auto scalars = test::edge_scalars();
  for (int i = 0; i < 5; ++i) scalars.push_back(entropy.scalar());
  for (const Point& base : {g(), Point::second_generator(), multiply_generator(entropy.scalar()).point()}) {
    for (const Scalar& scalar : scalars) {
      Element expected = by_doubling(scalar, base);
      EXPECT_EQ(multiply(scalar, base), expected);
      EXPECT_EQ(multiply(test::secret(scalar), base), expected);
      if (base == g()) {
        EXPECT_EQ(multiply_generator(scalar), expected);
        EXPECT_EQ(multiply_generator(test::secret(scalar)), expected);
      }
      if (scalar.is_zero()) continue;
      EXPECT_EQ(multiply_secretly(test::secret(scalar), base).expose(), expected.bytes());
      EXPECT_EQ(ecdh_x(test::secret(scalar), base).expose(), expected.point().x());
    }
  }
  EXPECT_TRUE(multiply(Scalar(3), Element()).is_infinity());
}

TEST(MultiplyAdd, AgreesWithTheTwoProductsInEveryDegenerateCase) {
  SeededEntropy entropy(3);
  auto scalars = test::edge_scalars();
  for (int i = 0; i < 4; ++i) scalars.push_back(entropy.scalar());
  Scalar log = entropy.scalar();
  for (const Scalar& base_log : {log, -log, Scalar(1), -Scalar(1), Scalar(2)}) {
    Point base = multiply_generator(base_log).point();
    for (const Scalar& u : scalars) {
      for (const Scalar& v : scalars) {
        EXPECT_EQ(multiply_add(u, v, base), multiply_generator(u) + multiply(v, base));
      }
      EXPECT_TRUE(multiply_add(-(u * base_log), u, base).is_infinity());
    }
  }
}

TEST(MultiplyAdd, TakesAPointWhoseCoordinateIsAboveTheOrder) {
  // The smallest x >= q on the curve: r = x - q then, which the recovery id must say.
  Bytes encoded = test::hex("02fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  Result<Point> base = Point::parse(encoded);
  while (!base) {
    ++encoded[32];
    base = Point::parse(encoded);
  }
  for (const Point& each : {*base, -*base}) {
    EXPECT_EQ(multiply_add(Scalar(5), Scalar(9), each), multiply_generator(Scalar(5)) + multiply(Scalar(9), each));
  }
}

TEST(Context, CountsTheSameOnceRandomised) {
  Element before = multiply_generator(test::secret(Scalar(12345)));
  SeededEntropy entropy(4);
  randomize_context(entropy);
  EXPECT_EQ(multiply_generator(test::secret(Scalar(12345))), before);
}

// The point is in the last 65 bytes of the SPKI of a named curve.
TEST(Ecdh, AgreesWithWycheproof) {
  auto text = test::read_shared("vectors/wycheproof_ecdh_secp256k1.json");
  if (!text) GTEST_SKIP() << "set KMS_SHARED to the folder with vectors/wycheproof_ecdh_secp256k1.json";
  Bytes prefix = test::hex("3056301006072a8648ce3d020106052b8104000a034200");
  int agreed = 0;
  int refused = 0;
  boost::json::value vectors = boost::json::parse(*text);
  for (const auto& group : vectors.at("testGroups").as_array()) {
    for (const auto& each : group.at("tests").as_array()) {
      Bytes spki = test::hex(test::text_of(each, "public"));
      if (spki.size() != 88 || !equal(ByteView(spki).first(23), prefix)) continue;
      auto public_key = Point::parse_sec1(ByteView(spki).subspan(23));
      std::string result = test::text_of(each, "result");
      if (result == "acceptable") continue;
      if (result == "invalid") {
        EXPECT_FALSE(public_key) << each;
        ++refused;
        continue;
      }
      Bytes key = test::hex(test::text_of(each, "private"));
      Bytes padded(32 + key.size());
      std::copy(key.begin(), key.end(), padded.begin() + 32);
      auto scalar = SecretScalar::parse(ByteView(padded).last(32));
      ASSERT_TRUE(public_key && scalar) << each;
      EXPECT_EQ(to_hex(ecdh_x(*scalar, *public_key).expose()), test::text_of(each, "shared"));
      ++agreed;
    }
  }
  EXPECT_GT(agreed, 400);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace kms::crypto
