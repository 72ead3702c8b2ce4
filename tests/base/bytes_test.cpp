#include "base/bytes.h"

#include <gtest/gtest.h>

namespace kms {
namespace {

TEST(Hex, ParsesAnyCaseWithOrWithoutPrefix) {
  Bytes expected{0x0a, 0xff};
  EXPECT_EQ(*parse_hex("0aff"), expected);
  EXPECT_EQ(*parse_hex("0x0AfF"), expected);
  EXPECT_EQ(to_0x(expected), "0x0aff");
}

TEST(Hex, NamesWhatIsWrong) {
  EXPECT_EQ(parse_hex("abc").error().message, "odd number of hex digits: 3");
  EXPECT_EQ(parse_hex("00zz").error().message, "not a hex digit near position 2");
  EXPECT_FALSE(parse_hex_array<32>("0x00"));
}

TEST(Hex, RefusesASecondPrefix) {
  EXPECT_FALSE(parse_hex("0x0x01"));
  EXPECT_FALSE(parse_hex_exactly("0x0x01", 2));
  EXPECT_FALSE(parse_hex_array<2>("0x0x01"));
}

}  // namespace
}  // namespace kms
