#include "crypto/keccak.h"

#include <gtest/gtest.h>

namespace kms::crypto {
namespace {

std::string keccak_of_a(std::size_t count) {
  return to_hex(keccak256(Bytes(count, 'a')));
}

TEST(Keccak, GivesThePublishedDigests) {
  EXPECT_EQ(to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(as_bytes("abc"))), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  EXPECT_EQ(to_hex(keccak256(as_bytes("KmsPublicKeyUpdated(bytes)"))),
            "9739e13c0243f49303c302aa4bad4c4c80a0a3dc7cca586cea03c3936d518fb4");
}

TEST(Keccak, PadsRightAroundTheEndOfABlock) {
  EXPECT_EQ(keccak_of_a(135), "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446");
  EXPECT_EQ(keccak_of_a(136), "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e");
  EXPECT_EQ(keccak_of_a(137), "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39");
  EXPECT_EQ(keccak_of_a(272), "cf7fcd4f705ee749930d19ca84561a9bf62516bd90a471545fa2f49fdc7e63c8");
}

TEST(Address, ReadsBothCasesWithAndWithoutPrefix) {
  auto lower = Address::parse("0xd986f153ddfc363beecd4049bd58bb3d6ebe4f5a");
  auto mixed = Address::parse("D986f153DDFC363BeeCd4049bD58Bb3d6EBE4F5A");
  ASSERT_TRUE(lower && mixed);
  EXPECT_EQ(*lower, *mixed);
  EXPECT_EQ(lower->hex(), "0xd986f153ddfc363beecd4049bd58bb3d6ebe4f5a");
}

TEST(Address, RefusesOtherLengthsAndCharacters) {
  EXPECT_FALSE(Address::parse("0xd986f153ddfc363beecd4049bd58bb3d6ebe4f"));
  EXPECT_FALSE(Address::parse("0xd986f153ddfc363beecd4049bd58bb3d6ebe4f5a00"));
  EXPECT_FALSE(Address::parse("0xg986f153ddfc363beecd4049bd58bb3d6ebe4f5a"));
  EXPECT_FALSE(Address::parse(""));
}

}  // namespace
}  // namespace kms::crypto
