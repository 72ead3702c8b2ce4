#include "node/host_log.h"

#include <gtest/gtest.h>

#include "net/identity.h"
#include "tests/sim/random.h"

namespace kms::node {
namespace {

net::PeerId peer(std::uint64_t seed) {
  sim::Random entropy(seed);
  return net::Identity::generate(entropy).peer_id();
}

std::vector<LogLine> lines(const net::HostEvent& event) {
  return log_lines(event, [](const net::PeerId& id) { return id == peer(1) ? Standing::member : Standing::stranger; });
}

net::ConnectionClosed closed(std::optional<net::PeerId> who, net::CloseReason reason, net::Direction direction) {
  return {7, direction, std::move(who), net::Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, 1}, 4001), {reason, "why"}};
}

TEST(HostLog, TellsWhoCameAndWhoWasLost) {
  const auto came = lines(net::PeerConnected{peer(1), net::PeerClass::committee});
  ASSERT_EQ(came.size(), 1u);
  EXPECT_EQ(came[0].text, "p2p: connected to member " + peer(1).text());
  EXPECT_EQ(came[0].about, "");
  EXPECT_NE(lines(net::PeerConnected{peer(2), net::PeerClass::light})[0].text.find("light client"), std::string::npos);
  const auto lost = lines(net::PeerDisconnected{peer(1), {net::CloseReason::unresponsive, "no pong"}});
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].level, LogLevel::info);
  EXPECT_NE(lost[0].text.find("unresponsive: no pong"), std::string::npos);
}

// Strangers have many names: their lines share one key a reason, whoever it is.
TEST(HostLog, LimitsWhatStrangersCauseByItsKind) {
  const auto refused = lines(closed(std::nullopt, net::CloseReason::over_limit, net::Direction::inbound));
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_EQ(refused[0].level, LogLevel::info);
  EXPECT_EQ(refused[0].about, "p2p: closed a connection (over_limit)");
  EXPECT_EQ(refused[1].level, LogLevel::debug);
  const auto again = lines(closed(peer(2), net::CloseReason::over_limit, net::Direction::inbound));
  EXPECT_EQ(again[0].about, refused[0].about);
}

TEST(HostLog, LimitsTheComingAndGoingOfStrangersAndNotThatOfMembers) {
  const auto came = [](std::uint64_t who) { return lines(net::PeerConnected{peer(who), net::PeerClass::light}).at(0); };
  const auto went = [](std::uint64_t who, net::CloseReason reason) {
    return lines(net::PeerDisconnected{peer(who), {reason, "why"}}).at(0);
  };
  EXPECT_FALSE(came(2).about.empty());
  EXPECT_EQ(came(2).about, came(3).about);
  EXPECT_NE(came(2).text, came(3).text);
  EXPECT_FALSE(went(2, net::CloseReason::remote_closed).about.empty());
  EXPECT_EQ(went(2, net::CloseReason::remote_closed).about, went(3, net::CloseReason::remote_closed).about);
  EXPECT_NE(went(2, net::CloseReason::remote_closed).about, went(2, net::CloseReason::protocol_violation).about);
  EXPECT_EQ(went(1, net::CloseReason::remote_closed).about, "");
}

TEST(HostLog, LeavesNormalEndsAndThoseOfMembersToTheDebugLog) {
  for (const auto& event : {closed(peer(2), net::CloseReason::remote_closed, net::Direction::inbound),
                            closed(peer(2), net::CloseReason::requested, net::Direction::inbound),
                            closed(peer(1), net::CloseReason::muxer_failed, net::Direction::inbound),
                            closed(peer(2), net::CloseReason::dial_failed, net::Direction::outbound)}) {
    const auto said = lines(event);
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].level, LogLevel::debug);
  }
}

TEST(HostLog, TellsOfGossipThatWasRefusedButNotOfCopies) {
  const auto refused = [](net::Refusal reason) {
    return lines(net::PubsubEvent{net::MessageRefused{peer(1), reason, "/t", "detail"}});
  };
  EXPECT_EQ(refused(net::Refusal::duplicate).size(), 0u);
  ASSERT_EQ(refused(net::Refusal::not_allowed).size(), 1u);
  EXPECT_EQ(refused(net::Refusal::not_allowed)[0].level, LogLevel::debug);
  const auto gray = lines(net::PubsubEvent{net::PeerGraylisted{peer(1), -100.4}});
  ASSERT_EQ(gray.size(), 1u);
  EXPECT_NE(gray[0].text.find("score -100"), std::string::npos);
  EXPECT_FALSE(gray[0].about.empty());
  EXPECT_TRUE(lines(net::PubsubEvent{net::PeerGrafted{peer(1), "/t"}}).empty());
}

}  // namespace
}  // namespace kms::node
