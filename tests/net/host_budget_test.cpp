// Memory: a reader that does not read costs a bounded amount, stalls nobody, and when too much waits in all the links
// that matter least go first.
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

struct HostBudget : testing::Test {
  static HostOptions options() {
    HostOptions out = HostWorld::open_options();
    out.unlisted = PeerClass::light;
    return out;
  }
  HostNode& join(std::string_view name, PeerClass peer_class) {
    HostNode& node = world.add(name, options());
    classes[node.id()] = peer_class;
    alice.host.set_peer_classes(classes, world.now);
    EXPECT_TRUE(node.host.subscribe("t", world.now).has_value());
    world.connect(node, alice);
    world.run(1s);
    return node;
  }
  // A megabyte every 10 ms.
  void publish(int megabytes) {
    for (int i = 0; i < megabytes; ++i) {
      ASSERT_TRUE(alice.host.publish("t", Bytes(1'000'000), world.now).has_value());
      world.run(10ms);
      peak = std::max(peak, alice.host.queued_bytes());
    }
  }
  std::optional<CloseReason> closed_for(const HostNode& node) const {
    std::optional<CloseReason> out;
    for (const auto& closed : alice.pick<ConnectionClosed>()) {
      if (closed.peer == node.id()) out = closed.cause.reason;
    }
    return out;
  }

  HostWorld world;
  HostOptions budget = [] {
    HostOptions out = options();
    out.queued_bytes_max = std::size_t{12} << 20;
    return out;
  }();
  HostNode& alice = world.add("alice", budget);
  std::map<PeerId, PeerClass> classes;
  std::size_t peak = 0;
};

TEST_F(HostBudget, ASlowReaderNeitherGrowsMemoryNorStallsTheOthers) {
  auto& slow = join("slow", PeerClass::committee);
  auto& quick = join("quick", PeerClass::committee);
  slow.reads = false;
  publish(50);
  EXPECT_EQ(quick.payloads().size(), 50u);
  EXPECT_TRUE(alice.host.is_connected(slow.id()));
  // A queue of 8 MiB, one RPC in hand, what the muxer and the driver hold; twice is no more than once.
  EXPECT_LT(peak, std::size_t{10} << 20);
  EXPECT_GT(peak, std::size_t{8} << 20);
  publish(50);
  EXPECT_EQ(quick.payloads().size(), 100u);
  EXPECT_LT(peak, std::size_t{10} << 20);
}

TEST_F(HostBudget, WhenTooMuchWaitsLightClientsAreClosedFirstAndMembersStay) {
  auto& member = join("member", PeerClass::committee);
  auto& light_1 = join("light-1", PeerClass::light);
  auto& light_2 = join("light-2", PeerClass::light);
  auto& idle = join("idle", PeerClass::light);
  for (auto* node : {&member, &light_1, &light_2}) node->reads = false;
  publish(20);
  EXPECT_TRUE(alice.host.is_connected(member.id()));
  EXPECT_EQ(closed_for(light_1), CloseReason::over_budget);
  EXPECT_EQ(closed_for(light_2), CloseReason::over_budget);
  EXPECT_TRUE(alice.host.is_connected(idle.id())) << "nothing waits for it";
  EXPECT_EQ(idle.payloads().size(), 20u);
  EXPECT_LE(peak, budget.queued_bytes_max);
}

TEST_F(HostBudget, AmongMembersTheSlowestGoesFirst) {
  auto& member_1 = join("member-1", PeerClass::committee);
  auto& member_2 = join("member-2", PeerClass::committee);
  auto& quick = join("quick", PeerClass::committee);
  member_1.reads = false;
  publish(8);
  member_2.reads = false;
  publish(8);
  EXPECT_EQ(closed_for(member_1), CloseReason::over_budget);
  EXPECT_FALSE(closed_for(member_2).has_value());
  EXPECT_EQ(quick.payloads().size(), 16u);
}

TEST_F(HostBudget, WhatAServiceDoesNotConsumeCountsAndComesBackWhenItDoes) {
  const Service service{.protocol = "/take/1"};
  alice.host.add_service(service, world.now);
  auto& bob = join("bob", PeerClass::committee);
  bob.host.add_service(service, world.now);
  const auto stream = bob.host.open_service(alice.id(), "/take/1", world.now);
  world.run(1s);
  ASSERT_TRUE(bob.host.service_send(*stream, Bytes(1'000'000), world.now));
  world.run(2s);
  EXPECT_GE(alice.host.queued_bytes(), 262'000u);
  EXPECT_LT(alice.host.queued_bytes(), 300'000u) << "the window holds the sender back";
  for (int i = 0; i < 4; ++i) {
    const auto held = std::exchange(alice.events, {});
    for (const auto& event : held) {
      if (const auto* bytes = std::get_if<ServiceBytes>(&event)) {
        alice.host.service_consumed(bytes->stream, bytes->bytes.size(), world.now);
      }
    }
    world.run(1s);
  }
  for (const auto& bytes : alice.pick<ServiceBytes>()) {
    alice.host.service_consumed(bytes.stream, bytes.bytes.size(), world.now);
  }
  EXPECT_LT(alice.host.queued_bytes(), 1'000u);
}

TEST_F(HostBudget, AServiceIsRefusedMoreBytesThanASessionMayHold) {
  HostOptions small = options();
  small.session_bytes_max = 500'000;
  auto& dave = world.add("dave", small);
  const Service service{.protocol = "/give/1"};
  dave.host.add_service(service, world.now);
  alice.host.add_service(service, world.now);
  world.connect(dave, alice);
  world.run(1s);
  const auto first = dave.host.open_service(alice.id(), "/give/1", world.now);
  const auto second = dave.host.open_service(alice.id(), "/give/1", world.now);
  world.run(1s);
  alice.reads = false;
  EXPECT_TRUE(dave.host.service_send(*first, Bytes(400'000), world.now));
  EXPECT_FALSE(dave.host.service_send(*second, Bytes(200'000), world.now));
  alice.reads = true;
  world.run(1s);
  EXPECT_LT(dave.host.queued_bytes(), 200'000u) << "the window of one stream is what alice took";
  EXPECT_TRUE(dave.host.service_send(*second, Bytes(200'000), world.now));
}

}  // namespace
}  // namespace kms::net
