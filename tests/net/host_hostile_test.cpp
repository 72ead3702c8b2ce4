// What strangers can do to a host: it stays bounded, says why it closed, and serves the others.
#include "tests/net/attacker.h"

namespace kms::net {
namespace {

CloseReason last_reason(const HostNode& node) {
  const auto closed = node.pick<ConnectionClosed>();
  return closed.empty() ? CloseReason::requested : closed.back().cause.reason;
}

TEST(HostileHost, ClosesAConnectionThatTalksGarbage) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    HostWorld world;
    auto& alice = world.add("alice");
    const auto raw = world.connect_raw(alice);
    Bytes garbage(1 + seed * 100);
    sim::Random random(seed);
    random.fill(garbage);
    garbage[0] |= 0x20;  // a length that is soon complete
    world.write_raw(raw, garbage);
    world.run(11s);
    EXPECT_TRUE(raw.end->is_closed) << seed;
    EXPECT_EQ(alice.host.connection_count(), 0u);
    const CloseReason reason = last_reason(alice);
    EXPECT_TRUE(reason == CloseReason::security_failed || reason == CloseReason::upgrade_timeout) << name_of(reason);
  }
}

TEST(HostileHost, ClosesAHalfOpenConnectionAfterTheUpgradeTimeout) {
  HostWorld world;
  auto& alice = world.add("alice");
  const auto raw = world.connect_raw(alice);
  world.run(9s);
  EXPECT_FALSE(raw.end->is_closed);
  world.run(2s);
  EXPECT_TRUE(raw.end->is_closed);
  EXPECT_EQ(last_reason(alice), CloseReason::upgrade_timeout);
}

TEST(HostileHost, DripsOfBytesDoNotStretchTheUpgrade) {
  HostWorld world;
  auto& alice = world.add("alice");
  const auto raw = world.connect_raw(alice);
  Bytes hello;
  append_multistream_token(hello, kMultistreamHeader);
  append_multistream_token(hello, kNoiseProtocol);
  append(hello, Bytes(64, 0x00));
  for (std::size_t i = 0; i < 30 && !raw.end->is_closed; ++i) {
    world.write_raw(raw, ByteView(hello).subspan(i, 1));
    world.run(400ms);
  }
  EXPECT_TRUE(raw.end->is_closed);
  EXPECT_EQ(last_reason(alice), CloseReason::upgrade_timeout);
}

TEST(HostileHost, ReportsAPeerThatLeavesDuringTheUpgrade) {
  HostWorld world;
  auto& alice = world.add("alice");
  const auto raw = world.connect_raw(alice);
  world.close_raw(raw);
  world.run(100ms);
  EXPECT_EQ(last_reason(alice), CloseReason::remote_closed);
}

TEST(HostileHost, AnswersOtherSecurityProtocolsWithNa) {
  HostWorld world;
  auto& alice = world.add("alice");
  const auto raw = world.connect_raw(alice);
  Bytes hello;
  append_multistream_token(hello, kMultistreamHeader);
  append_multistream_token(hello, "/tls/1.0.0");
  world.write_raw(raw, hello);
  world.run(100ms);
  Bytes wanted;
  append_multistream_token(wanted, kMultistreamHeader);
  append_multistream_token(wanted, "na");
  EXPECT_EQ(raw.end->received, wanted);
}

TEST(HostileHost, LimitsUpgradesInFlightPerAddressAndInAll) {
  HostWorld world;
  HostOptions options = HostWorld::open_options();
  options.gate.upgrades_per_ip_max = 3;
  options.gate.upgrades_max = 5;
  options.gate.upgrades_reserved = 0;
  auto& alice = world.add("alice", options);
  std::vector<HostWorld::Raw> raws;
  for (int i = 0; i < 4; ++i) raws.push_back(world.connect_raw(alice, 1));
  EXPECT_FALSE(raws[2].end->is_closed);
  EXPECT_TRUE(raws[3].end->is_closed);
  EXPECT_EQ(last_reason(alice), CloseReason::over_limit);
  for (std::uint8_t i = 2; i < 5; ++i) raws.push_back(world.connect_raw(alice, i));
  EXPECT_FALSE(raws[5].end->is_closed);
  EXPECT_TRUE(raws[6].end->is_closed);
  world.run(11s);  // their time is up: places are free again
  EXPECT_FALSE(world.connect_raw(alice, 1).end->is_closed);
}

// By the address they are listed or found with, and by the one they came from last.
TEST(HostileHost, StrangersInTheMiddleOfTheirUpgradesLeavePlacesForMembers) {
  HostWorld world;
  HostOptions options = HostWorld::open_options();
  options.unlisted = PeerClass::light;
  options.gate.upgrades_max = 6;
  options.gate.upgrades_reserved = 2;
  auto& alice = world.add("alice", options);
  auto& bob = world.add("bob");
  auto& carol = world.add("carol");
  auto& light = world.add("light");
  alice.host.set_peer_classes({{bob.id(), PeerClass::committee}, {carol.id(), PeerClass::committee}}, world.now);
  carol.ip = 40;
  world.connect(carol, alice);  // from an address that nobody told alice
  world.run(1s);
  ASSERT_TRUE(alice.host.is_connected(carol.id()));
  carol.host.close_all({CloseReason::requested, "test"}, world.now);
  world.run(100ms);
  alice.host.set_found_addresses(light.id(), {light.address()}, world.now);
  const auto fill = [&](std::uint8_t first) {
    for (std::uint8_t i = 0; i < 6; ++i) world.connect_raw(alice, static_cast<std::uint8_t>(first + i));
    world.run(20ms);
  };
  bob.is_up = false;  // it dials, nobody reaches it
  alice.host.set_found_addresses(bob.id(), {bob.address()}, world.now);
  fill(10);
  world.connect(light, alice);
  world.connect(bob, alice);
  world.connect(carol, alice);
  world.run(1s);
  EXPECT_TRUE(alice.host.is_connected(bob.id()));
  EXPECT_TRUE(alice.host.is_connected(carol.id()));
  bool is_light_refused = false;
  for (const auto& closed : light.pick<ConnectionClosed>()) {
    is_light_refused = is_light_refused || closed.direction == Direction::outbound;
  }
  EXPECT_TRUE(is_light_refused) << "to be found somewhere makes nobody a member";
}

TEST(HostileHost, AChangedByteAnywhereClosesTheConnectionWithAReason) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    HostWorld world(seed);
    world.piece_max = 500;
    auto& alice = world.add("alice");
    auto& bob = world.add("bob");
    ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
    sim::Random random(seed);
    std::size_t left = random.below(3000);
    bool done = false;
    world.tampers = [&](Bytes& bytes) {
      if (!done && left < bytes.size()) {
        bytes[left] ^= static_cast<std::uint8_t>(1 + random.below(255));
        done = true;
      }
      left -= std::min(left, bytes.size());
    };
    world.connect(alice, bob);
    for (int i = 0; i < 20; ++i) {
      if (alice.host.is_connected(bob.id())) (void)alice.host.publish("t", Bytes(200), world.now);
      world.run(600ms);
    }
    ASSERT_TRUE(done);
    ASSERT_FALSE(alice.pick<ConnectionClosed>().empty()) << seed;
    ASSERT_FALSE(bob.pick<ConnectionClosed>().empty()) << seed;
    EXPECT_EQ(alice.host.connection_count() + bob.host.connection_count(), 0u);
  }
}

TEST(HostileHost, AStrangersGarbageDoesNotDisturbAPeer) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
  world.connect(alice, bob);
  for (std::uint8_t i = 1; i < 20; ++i) world.write_raw(world.connect_raw(alice, i), Bytes(70'000, i));
  world.run(1s);
  ASSERT_TRUE(alice.host.publish("t", to_bytes(as_bytes("still here")), world.now).has_value());
  world.run(1s);
  EXPECT_EQ(bob.payloads(), std::vector<std::string>{"still here"});
}

// Once the link is over there is nobody to ask: no further identify, no further probe.
// P6 counts strangers by address: a second connection from elsewhere must not hide where the first one leaves.
TEST(HostileHost, AStrangerCountsAtTheAddressOfTheConnectionItKept) {
  HostWorld world;
  HostOptions options = HostWorld::open_options();
  options.unlisted = PeerClass::light;
  auto& alice = world.add("alice", options);
  const auto at = [](std::uint8_t ip) { return Multiaddr::of_tcp(ByteArray<4>{203, 0, 113, ip}, 50000); };
  std::deque<Attacker> crowd;
  for (int i = 0; i < 8; ++i) crowd.emplace_back(world, alice, "crowd " + std::to_string(i), at(2));
  Attacker first(world, alice, "mover", at(1));
  Attacker second(world, alice, "mover", at(2));
  EXPECT_EQ(alice.host.router().score(first.id()), 0);
  EXPECT_EQ(alice.host.router().score(crowd[0].id()), 0);
  first.leave();
  ASSERT_TRUE(alice.host.is_connected(second.id()));
  EXPECT_LT(alice.host.router().score(second.id()), 0) << "the ninth of its address";
  EXPECT_LT(alice.host.router().score(crowd[0].id()), 0);
}

TEST(HostileHost, TriesNothingAgainOnALinkThatEnded) {
  HostWorld world;
  auto& alice = world.add("alice");
  Attacker silent(world, alice);  // never answers identify
  world.run(1s);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(alice.host.ping(silent.id(), world.now));
  alice.host.disconnect(silent.id(), {CloseReason::requested, "test"}, world.now);
  world.run(1s);
  EXPECT_EQ(alice.pick<PeerDisconnected>().size(), 1u);
  EXPECT_EQ(alice.pick<PeerIdentifyFailed>().size(), 0u);
  EXPECT_EQ(alice.pick<PingFailed>().size(), 3u);
  EXPECT_EQ(alice.host.connection_count(), 0u);
}

}  // namespace
}  // namespace kms::net
