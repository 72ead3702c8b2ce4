#include "net/dial_book.h"

#include <gtest/gtest.h>

#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

struct Book : testing::Test {
  Multiaddr address(std::string_view name, int port = 1) {
    return Multiaddr::parse_text("/ip4/192.0.2.1/tcp/" + std::to_string(port))->with_peer_id(peer(name));
  }
  PeerId peer(std::string_view name) { return identity_named(name).peer_id(); }
  // The time until the next attempt falls due.
  Duration wait() { return *book.wakes_at() - now.instant; }
  std::vector<DialBook::Attempt> due_after(Duration time) {
    now.instant += time;
    return book.take_due(now);
  }

  SeededEntropy entropy{1};
  Now now{Instant(Duration(1h)), 0};
  DialBook book{identity_named("self").peer_id(), {}, entropy};
};

TEST_F(Book, BacksOffExponentiallyWithJitterUpToAMinute) {
  ASSERT_TRUE(book.set_peers({address("alice")}, now).has_value());
  ASSERT_EQ(due_after(1s).size(), 1u);
  std::int64_t expected_ms = 100;
  for (int failure = 0; failure < 14; ++failure) {
    book.failed(peer("alice"), now);
    const auto wait_ms = wait() / 1ms;
    EXPECT_GE(wait_ms, expected_ms * 3 / 4);
    EXPECT_LE(wait_ms, expected_ms * 5 / 4);
    EXPECT_TRUE(due_after(Duration(wait_ms * 1000 - 1000)).empty());
    ASSERT_EQ(due_after(2ms).size(), 1u);
    expected_ms = std::min<std::int64_t>(expected_ms * 2, 60'000);
  }
  EXPECT_EQ(expected_ms, 60'000);
}

TEST_F(Book, AStableConnectionWipesTheFailuresOffAndAFlappingOneDoesNot) {
  ASSERT_TRUE(book.set_peers({address("alice")}, now).has_value());
  due_after(1s);
  for (int i = 0; i < 6; ++i) {
    book.failed(peer("alice"), now);
    due_after(1h);
  }
  book.connected(peer("alice"), now);
  now.instant += 1s;
  book.disconnected(peer("alice"), now);
  EXPECT_GT(wait(), Duration(4s));
  due_after(1h);
  book.connected(peer("alice"), now);
  now.instant += 5500ms;  // what it takes at least to find a silent member dead
  book.disconnected(peer("alice"), now);
  EXPECT_LT(wait(), Duration(130ms));
}

TEST_F(Book, TriesTheAddressesOfAPeerInTurn) {
  ASSERT_TRUE(book.set_peers({address("alice", 1), address("alice", 2)}, now).has_value());
  EXPECT_EQ(due_after(1s).at(0).address, address("alice", 1));
  book.failed(peer("alice"), now);
  EXPECT_EQ(due_after(1s).at(0).address, address("alice", 2));
  book.failed(peer("alice"), now);
  EXPECT_EQ(due_after(1s).at(0).address, address("alice", 1));
}

TEST_F(Book, DialsNobodyTwiceAtOnceNorConnectedPeersNorOurselves) {
  ASSERT_TRUE(book.set_peers({address("alice"), address("self")}, now).has_value());
  EXPECT_EQ(book.size(), 1u);
  EXPECT_EQ(due_after(1s).size(), 1u);
  EXPECT_TRUE(due_after(1h).empty());
  book.connected(peer("alice"), now);
  EXPECT_TRUE(due_after(1h).empty());
  EXPECT_FALSE(book.wakes_at().has_value());
}

TEST_F(Book, BoundsTheDialsInFlight) {
  std::vector<Multiaddr> many;
  for (int i = 0; i < 40; ++i) many.push_back(address("peer" + std::to_string(i)));
  ASSERT_TRUE(book.set_peers(many, now).has_value());
  const auto first = due_after(1s);
  EXPECT_EQ(first.size(), 16u);
  EXPECT_FALSE(book.wakes_at().has_value());
  book.failed(first[0].peer, now);
  EXPECT_EQ(due_after(Duration(0)).size(), 1u);
}

// 40 members behind a firewall, each dial of which takes its whole time, must not keep us from one that lives.
TEST_F(Book, ThoseWhoWaitLongestAreDialledFirst) {
  std::vector<Multiaddr> many;
  for (int i = 0; i < 48; ++i) many.push_back(address("peer" + std::to_string(i)));
  ASSERT_TRUE(book.set_peers(many, now).has_value());
  std::set<PeerId> dialled;
  for (int turn = 0; turn < 3; ++turn) {
    const auto due = due_after(10s);
    for (const auto& attempt : due) dialled.insert(attempt.peer);
    for (const auto& attempt : due) book.failed(attempt.peer, now);
  }
  EXPECT_EQ(dialled.size(), 48u);
}

TEST_F(Book, StartingOverForgetsFailuresAndTriesEverybodySoon) {
  ASSERT_TRUE(book.set_peers({address("alice"), address("bob")}, now).has_value());
  for (int i = 0; i < 8; ++i) {
    due_after(1h);
    book.failed(peer("alice"), now);
  }
  book.connected(peer("bob"), now);
  EXPECT_GT(wait(), Duration(9s));
  book.start_over(now);
  EXPECT_LT(wait(), Duration(130ms));
  EXPECT_EQ(due_after(1s).size(), 1u);
  book.failed(peer("alice"), now);
  EXPECT_LT(wait(), Duration(130ms));
}

TEST_F(Book, OneOfTwoPeersThatListEachOtherWaitsALittle) {
  DialBook other(peer("alice"), {}, entropy);
  const PeerId self = identity_named("self").peer_id();
  ASSERT_TRUE(book.set_peers({address("alice")}, now).has_value());
  ASSERT_TRUE(other.set_peers({address("self")}, now).has_value());
  DialBook& smaller = self < peer("alice") ? book : other;
  DialBook& larger = self < peer("alice") ? other : book;
  EXPECT_EQ(*smaller.wakes_at(), now.instant);
  EXPECT_GE(*larger.wakes_at() - now.instant, Duration(150ms));
}

TEST_F(Book, RefusesAddressesThatItCannotDial) {
  EXPECT_FALSE(book.set_peers({address("alice").without_peer_id()}, now).has_value());
  const auto udp = Multiaddr::parse_text("/ip4/192.0.2.1/udp/1")->with_peer_id(peer("alice"));
  EXPECT_FALSE(book.set_peers({udp}, now).has_value());
  std::vector<Multiaddr> nine;
  for (int port = 1; port <= 9; ++port) nine.push_back(address("alice", port));
  EXPECT_FALSE(book.set_peers(nine, now).has_value());
}

TEST_F(Book, ANewListKeepsStateAndForgetsWhoLeft) {
  ASSERT_TRUE(book.set_peers({address("alice"), address("bob")}, now).has_value());
  EXPECT_EQ(due_after(1s).size(), 2u);
  ASSERT_TRUE(book.set_peers({address("bob"), address("carol")}, now).has_value());
  const auto due = due_after(1s);
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].peer, peer("carol"));
  book.failed(peer("alice"), now);  // late, and no longer known
  EXPECT_FALSE(book.contains(peer("alice")));
}

}  // namespace
}  // namespace kms::net
