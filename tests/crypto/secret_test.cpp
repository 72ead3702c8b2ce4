#include "crypto/secret.h"

#include <gtest/gtest.h>

#include "crypto/point.h"

namespace kms::crypto {
namespace {

TEST(WipeAtExit, LeavesNothingOfAValueOrOfAListBehind) {
  ByteArray<64> value{};
  value.fill(7);
  std::vector<Element> points(3, Point::generator());
  {
    const WipeAtExit one(value);
    const WipeAtExit all(points);
    EXPECT_EQ(value[63], 7);
    EXPECT_EQ(points[2], Element(Point::generator()));
  }
  EXPECT_EQ(value, (ByteArray<64>{}));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(points.data());
  EXPECT_TRUE(std::all_of(bytes, bytes + 3 * sizeof(Element), [](std::uint8_t byte) { return byte == 0; }));
}

}  // namespace
}  // namespace kms::crypto
