#include "crypto/hkdf.h"

#include "crypto/sha256.h"
#include "vector_file.h"

namespace kms::crypto {
namespace {
using test::hex;

std::string derive(std::string_view ikm, std::string_view salt, std::string_view info, std::size_t size) {
  return to_hex(hkdf_sha256(hex(ikm), hex(salt), hex(info), size).expose());
}

Bytes counting(std::uint8_t first, std::uint8_t last) {
  Bytes out;
  for (int i = first; i <= last; ++i) out.push_back(static_cast<std::uint8_t>(i));
  return out;
}

TEST(Hkdf, MatchesRfc5869Case1) {
  EXPECT_EQ(
      derive("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 42),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, MatchesRfc5869Case2WithASaltLongerThanOneBlock) {
  EXPECT_EQ(to_hex(hkdf_sha256(counting(0x00, 0x4f), counting(0x60, 0xaf), counting(0xb0, 0xff), 82).expose()),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c"
            "2f09b83"
            "67793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

TEST(Hkdf, MatchesRfc5869Case3WithoutSaltAndContext) {
  EXPECT_EQ(derive("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "", 42),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, AnEmptySaltIs32ZeroBytes) {
  const Bytes ikm(22, 7);
  EXPECT_TRUE(equal(hkdf_sha256(ikm, {}, {}, 32).expose(), hkdf_sha256(ikm, Bytes(32), {}, 32).expose()));
}

TEST(Hmac, MatchesRfc4231WithShortAndOverlongKeys) {
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")}).expose()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      to_hex(
          hmac_sha256(Bytes(131, 0xaa), {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")}).expose()),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Sha256, IsThatOfTheConcatenationAndForgetsTheOneBefore) {
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(to_hex(sha256_of({as_bytes("abc")})), abc);
  EXPECT_EQ(to_hex(sha256_of({as_bytes("a"), {}, as_bytes("bc")})), abc);
  EXPECT_EQ(to_hex(sha256_of({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace kms::crypto
