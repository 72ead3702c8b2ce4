// The bodies of form A's messages: one encoding each.
#include "node/delegation/messages.h"

#include <gtest/gtest.h>

namespace kms::delegation {
namespace {

Need need() {
  Need out;
  out.rh[0] = 1;
  out.round = 1;
  out.good = {1, 4};
  out.bad = {2, 128};
  out.want = 2;
  return out;
}

TEST(DelegationMessages, ReadsWhatItWrote) {
  auto read = Need::parse(need().body());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->body(), need().body());
  EXPECT_EQ(read->bad, need().bad);
  Refusal refusal{Hash32{9}, 3, RefusalCode::busy};
  EXPECT_EQ(Refusal::parse(refusal.body()).value().body(), refusal.body());
  refusal.code = RefusalCode::clock;
  EXPECT_EQ(Refusal::parse(refusal.body()).value().code, RefusalCode::clock);
  refusal.code = static_cast<RefusalCode>(12);
  EXPECT_FALSE(Refusal::parse(refusal.body()));
}

TEST(DelegationMessages, RefusesALongerFormOfANumber) {
  Bytes body = need().body();
  ASSERT_EQ(body.back(), 2);  // `want`
  body.back() = 0x82;
  body.push_back(0x00);
  EXPECT_FALSE(Need::parse(body));
}

}  // namespace
}  // namespace kms::delegation
