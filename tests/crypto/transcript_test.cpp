#include "crypto/transcript.h"

#include <gtest/gtest.h>

namespace kms::crypto {
namespace {

TEST(Transcript, GivesTheAnchorsOfTheProtocolPage) {
  EXPECT_EQ(to_hex(Transcript("KMS1/test").hash()), "c08aff0e49221d4ca11a86255f5d61aebc6f37b2acdafc9f776441ab2b04a244");
  EXPECT_EQ(to_hex(Transcript("KMS1/test").text("").text("abc").hash()),
            "97c00150e5ac5b4e3f70e2cc5f27c090015c60b27054be8b257e5894909addb2");
  EXPECT_EQ(to_hex(Transcript("KMS1/test").text("a").text("bc").hash()),
            "70b4f007a3017cd3ec1dd0e850c97548ab73799decaf17f50fdc2c10620d54c4");
}

TEST(Transcript, WritesIntegersBigEndianWithFixedWidth) {
  Hash32 by_type = Transcript("t").u8(1).u16(2).u32(3).u64(4).count(5).hash();
  Hash32 by_bytes = Transcript("t")
                        .bytes(ByteArray<1>{1})
                        .bytes(ByteArray<2>{0, 2})
                        .bytes(ByteArray<4>{0, 0, 0, 3})
                        .bytes(ByteArray<8>{0, 0, 0, 0, 0, 0, 0, 4})
                        .bytes(ByteArray<4>{0, 0, 0, 5})
                        .hash();
  EXPECT_EQ(by_type, by_bytes);
}

TEST(Transcript, WritesInfinityAsZerosAndPointsCompressed) {
  EXPECT_EQ(Transcript("t").element(Element()).hash(), Transcript("t").bytes(ByteArray<33>{}).hash());
  const Point& g = Point::generator();
  EXPECT_EQ(Transcript("t").element(g).hash(), Transcript("t").bytes(g.bytes()).hash());
  EXPECT_EQ(Transcript("t").point(g).hash(), Transcript("t").bytes(g.bytes()).hash());
}

TEST(Transcript, GivesTheSameScalarPublicAndSecret) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(Transcript("t").u32(i).scalar_hash(), Transcript("t").u32(i).secret_scalar().publish());
    EXPECT_EQ(Transcript("t").u32(i).scalar_hash().bytes(), Transcript("t").u32(i).hash());
  }
}

TEST(Transcript, TheSecondGeneratorHashesTheFirst) {
  EXPECT_EQ(Point::second_generator().x(), sha256(Point::generator().uncompressed()));
  EXPECT_EQ(Point::second_generator().bytes()[0], 2);
}

}  // namespace
}  // namespace kms::crypto
