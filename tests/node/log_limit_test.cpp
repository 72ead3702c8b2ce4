#include "node/log_limit.h"

#include <gtest/gtest.h>

namespace kms::node {
namespace {

Instant at(Duration since) {
  return Instant{} + since;
}

TEST(LogLimit, TellsTheFirstAtOnceAndCountsTheOthers) {
  LogLimit limit;
  EXPECT_EQ(limit.pass("3 bad", "bad 0", at(0s)), "bad 0");
  for (int i = 1; i <= 5000; ++i) EXPECT_EQ(limit.pass("3 bad", "bad", at(1s)), std::nullopt);
  EXPECT_EQ(limit.pass("3 bad", "bad again", at(10s)), "bad again (and 5000 more since the last such line)");
  EXPECT_EQ(limit.pass("3 bad", "bad", at(11s)), std::nullopt);
  EXPECT_EQ(limit.pass("3 bad", "last", at(30s)), "last (and 1 more since the last such line)");
}

TEST(LogLimit, OnePeerOrKindDoesNotSilenceAnother) {
  LogLimit limit;
  EXPECT_TRUE(limit.pass("3 bad", "a", at(0s)));
  EXPECT_TRUE(limit.pass("4 bad", "b", at(0s)));
  EXPECT_TRUE(limit.pass("3 worse", "c", at(0s)));
}

TEST(LogLimit, IsBoundedAndGetsRoomBackInTime) {
  LogLimit limit;
  std::size_t told = 0;
  for (std::size_t i = 0; i < 3 * LogLimit::kKeysMax; ++i) told += limit.pass(std::to_string(i), "x", at(0s)) ? 1 : 0;
  EXPECT_LE(told, LogLimit::kKeysMax + 1);
  EXPECT_TRUE(limit.pass("a new one", "x", at(11s)));
  EXPECT_FALSE(limit.pass("a new one", "x", at(12s)));
  EXPECT_TRUE(limit.pass("another new one", "x", at(12s)));
  for (std::size_t i = 0; i < 2 * LogLimit::kKeysMax; ++i) limit.pass("y" + std::to_string(i), "x", at(20s));
  for (std::size_t i = 0; i < 2 * LogLimit::kKeysMax; ++i) limit.pass("y" + std::to_string(i), "x", at(21s));
  EXPECT_TRUE(limit.pass("much later", "x", at(200s)));
  EXPECT_TRUE(limit.pass("much later, too", "x", at(200s)));
}

TEST(LogLimit, CutsLongTexts) {
  LogLimit limit;
  EXPECT_EQ(limit.pass("a", std::string(10'000, 'x'), at(0s))->size(), LogLimit::kTextBytesMax);
}

}  // namespace
}  // namespace kms::node
