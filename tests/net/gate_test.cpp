#include "net/gate.h"

#include <gtest/gtest.h>

namespace kms::net {
namespace {

std::string key(const std::string& text) {
  return gate_key_of(*Multiaddr::parse_text(text));
}
const std::string kAddress = key("/ip4/192.0.2.1/tcp/1");

TEST(Gate, CountsAnIpv6AddressByItsNetworkAndAMappedOneAsIpv4) {
  EXPECT_EQ(key("/ip6/2001:db8:1:2::1/tcp/1"), key("/ip6/2001:db8:1:2:ffff::9/tcp/2"));
  EXPECT_NE(key("/ip6/2001:db8:1:2::1/tcp/1"), key("/ip6/2001:db8:1:3::1/tcp/1"));
  EXPECT_EQ(key("/ip6/::ffff:192.0.2.1/tcp/1"), kAddress);
}

TEST(Gate, RefusesABurstBeyondTheRateAndRefillsWithTime) {
  Gate gate({.accepts_per_second = 5, .accepts_burst = 3});
  Instant now{Duration(1h)};
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(gate.admit(kAddress, Caller::stranger, now).has_value());
    gate.finished(kAddress, Caller::stranger);
  }
  EXPECT_FALSE(gate.admit(kAddress, Caller::stranger, now).has_value());
  EXPECT_TRUE(gate.admit(key("/ip4/192.0.2.2/tcp/1"), Caller::stranger, now).has_value());
  now += 199ms;
  EXPECT_FALSE(gate.admit(kAddress, Caller::stranger, now).has_value());
  now += 1ms;
  EXPECT_TRUE(gate.admit(kAddress, Caller::stranger, now).has_value());
  now += 1h;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(gate.admit(kAddress, Caller::stranger, now).has_value());
  EXPECT_FALSE(gate.admit(kAddress, Caller::stranger, now).has_value());
}

TEST(Gate, ExemptsLoopbackFromTheLimitsOfOneAddressUnlessToldOtherwise) {
  for (const char* text : {"/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"}) {
    Gate open({.upgrades_max = 10, .upgrades_reserved = 0, .upgrades_per_ip_max = 1});
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(open.admit(key(text), Caller::stranger, Instant{}).has_value());
    EXPECT_FALSE(open.admit(key(text), Caller::stranger, Instant{}).has_value());  // the limit of all holds
    Gate same({.upgrades_per_ip_max = 1, .loopback = LoopbackLimit::same});
    EXPECT_TRUE(same.admit(key(text), Caller::stranger, Instant{}).has_value());
    EXPECT_FALSE(same.admit(key(text), Caller::stranger, Instant{}).has_value());
  }
}

TEST(Gate, RemembersABoundedNumberOfAddressesAndForgetsIdleOnes) {
  Gate gate({.upgrades_max = 100, .accepts_per_second = 1, .accepts_burst = 2, .addresses_max = 4});
  Instant now{Duration(1h)};
  const auto numbered = [](int i) { return key("/ip4/192.0.2." + std::to_string(i) + "/tcp/1"); };
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(gate.admit(numbered(i), Caller::stranger, now).has_value());
  EXPECT_FALSE(gate.admit(numbered(4), Caller::stranger, now).has_value());
  gate.finished(numbered(0), Caller::stranger);
  now += 10s;
  EXPECT_TRUE(gate.admit(numbered(4), Caller::stranger, now).has_value());
  EXPECT_EQ(gate.remembered(), 4u);
}

TEST(Gate, KeepsPlacesForAddressesOfMembers) {
  Gate gate({.upgrades_max = 6, .upgrades_reserved = 2, .addresses_max = 4});
  Instant now{Duration(1h)};
  const auto numbered = [](int i) { return key("/ip4/192.0.2." + std::to_string(i) + "/tcp/1"); };
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(gate.admit(numbered(i), Caller::stranger, now).has_value());
  const auto refused = gate.admit(numbered(4), Caller::stranger, now);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("strangers"), std::string::npos);
  EXPECT_TRUE(gate.admit(numbered(5), Caller::member, now).has_value()) << "beyond the addresses remembered, too";
  EXPECT_TRUE(gate.admit(numbered(5), Caller::member, now).has_value());
  EXPECT_FALSE(gate.admit(numbered(5), Caller::member, now).has_value()) << "six in all";
  gate.finished(numbered(5), Caller::member);
  EXPECT_FALSE(gate.admit(numbered(6), Caller::stranger, now).has_value()) << "a member's place stays one";
  gate.finished(numbered(0), Caller::stranger);
  EXPECT_TRUE(gate.admit(numbered(3), Caller::stranger, now).has_value());
}

}  // namespace
}  // namespace kms::net
