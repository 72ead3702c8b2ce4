// Two or more hosts over fragmenting, delaying pipes: what the host promises its node.
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

TEST(Host, ConnectsIdentifiesAndPings) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  world.connect(alice, bob);
  world.run(200ms);
  ASSERT_EQ(alice.pick<ConnectionOpened>().size(), 1u);
  EXPECT_EQ(alice.pick<ConnectionOpened>()[0].peer, bob.id());
  EXPECT_EQ(alice.pick<ConnectionOpened>()[0].early_muxer, EarlyMuxer::offered);
  ASSERT_EQ(bob.pick<PeerIdentified>().size(), 1u);
  const auto known = alice.pick<PeerIdentified>().at(0);
  EXPECT_EQ(known.identify.agent_version, "kms/0.1.0");
  ASSERT_TRUE(known.record.has_value());
  EXPECT_EQ(known.record->addresses, std::vector<Multiaddr>{bob.address().without_peer_id()});
  EXPECT_EQ(known.identify.observed_address->text(), "/ip4/10.0.0.1/tcp/50000");
  ASSERT_TRUE(alice.host.ping(bob.id(), world.now));
  world.run(100ms);
  ASSERT_EQ(alice.pick<PingAnswered>().size(), 1u);
  EXPECT_GE(alice.pick<PingAnswered>()[0].round_trip, 2 * world.delay);
  EXPECT_TRUE(alice.host.peers().at(0).has_pubsub);
  EXPECT_TRUE(bob.host.peers().at(0).has_pubsub);
  EXPECT_TRUE(alice.close_reasons().empty());
}

TEST(Host, WorksWhenEveryByteArrivesAlone) {
  HostWorld world;
  world.piece_max = 3;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
  world.connect(alice, bob);
  world.run(500ms);
  ASSERT_TRUE(alice.host.publish("t", to_bytes(as_bytes("hello")), world.now).has_value());
  world.run(500ms);
  EXPECT_EQ(bob.payloads(), std::vector<std::string>{"hello"});
}

TEST(Host, NegotiatesTheMuxerWhenOneEndOffersNoneInNoise) {
  for (const bool dialer_withholds : {true, false}) {
    HostWorld world;
    world.piece_max = 7;
    auto withholding = HostWorld::open_options();
    withholding.early_muxer = EarlyMuxer::withheld;
    auto& alice = world.add("alice", dialer_withholds ? withholding : HostWorld::open_options());
    auto& bob = world.add("bob", dialer_withholds ? HostWorld::open_options() : withholding);
    world.connect(alice, bob);
    world.run(300ms);
    ASSERT_EQ(alice.pick<ConnectionOpened>().size(), 1u);
    EXPECT_EQ(alice.pick<ConnectionOpened>()[0].early_muxer, EarlyMuxer::withheld);
    EXPECT_EQ(alice.pick<PeerIdentified>().size(), 1u);
    EXPECT_EQ(bob.pick<PeerIdentified>().size(), 1u);
  }
}

TEST(Host, CarriesMessagesOfUpToAMegabyteBothWays) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  for (auto* node : {&alice, &bob}) ASSERT_TRUE(node->host.subscribe("t", world.now).has_value());
  world.connect(alice, bob);
  world.run(300ms);
  const Bytes large(1'000'000, 0x5a);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(alice.host.publish("t", large, world.now).has_value());
    ASSERT_TRUE(bob.host.publish("t", large, world.now).has_value());
    world.run(200ms);
  }
  EXPECT_EQ(alice.payloads().size(), 4u);
  EXPECT_EQ(bob.payloads(), std::vector<std::string>(4, std::string(1'000'000, '\x5a')));
}

TEST(Host, ConnectsToItsPeerListWithinASecondOfTheirStart) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  bob.is_up = false;
  ASSERT_TRUE(alice.host.set_peers({bob.address()}, world.now).has_value());
  world.run(300ms);
  EXPECT_GE(alice.close_reasons().size(), 2u);  // tried, and tried again soon
  EXPECT_EQ(alice.close_reasons()[0], CloseReason::dial_failed);
  bob.is_up = true;
  world.run(1s);
  EXPECT_TRUE(alice.host.is_connected(bob.id()));
}

TEST(Host, RedialsAPeerThatWentAway) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  ASSERT_TRUE(alice.host.set_peers({bob.address()}, world.now).has_value());
  world.run(1s);
  bob.host.disconnect(alice.id(), {CloseReason::requested, "test"}, world.now);
  world.run(20ms);
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  ASSERT_EQ(alice.pick<PeerDisconnected>().size(), 1u);
  EXPECT_EQ(alice.pick<PeerDisconnected>()[0].cause.reason, CloseReason::remote_closed);
  world.run(1s);
  EXPECT_TRUE(alice.host.is_connected(bob.id()));
}

TEST(Host, KeepsOneOfTwoConnectionsAfterASimultaneousDialAndLosesNoMessage) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  for (auto* node : {&alice, &bob}) ASSERT_TRUE(node->host.subscribe("t", world.now).has_value());
  ASSERT_TRUE(alice.host.dial(bob.address(), world.now).has_value());
  ASSERT_TRUE(bob.host.dial(alice.address(), world.now).has_value());
  world.run(100ms);
  EXPECT_EQ(alice.host.peers().at(0).connections, 2u);
  EXPECT_EQ(alice.pick<PeerConnected>().size(), 1u);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(alice.host.publish("t", to_bytes(as_bytes(std::to_string(i))), world.now).has_value());
    ASSERT_TRUE(bob.host.publish("t", to_bytes(as_bytes(std::to_string(i))), world.now).has_value());
    world.run(100ms);
  }
  EXPECT_EQ(alice.host.peers().at(0).connections, 1u);
  EXPECT_EQ(bob.host.peers().at(0).connections, 1u);
  EXPECT_EQ(alice.payloads().size(), 100u);
  EXPECT_EQ(bob.payloads().size(), 100u);
  const bool alice_is_smaller = alice.id() < bob.id();
  EXPECT_EQ(alice.host.peers().at(0).direction, alice_is_smaller ? Direction::outbound : Direction::inbound);
  EXPECT_TRUE(alice.pick<PeerDisconnected>().empty());
}

TEST(Host, MovesItsPubsubStreamToTheConnectionThatBothEndsPrefer) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  for (auto* node : {&alice, &bob}) ASSERT_TRUE(node->host.subscribe("t", world.now).has_value());
  auto& smaller = alice.id() < bob.id() ? alice : bob;
  auto& larger = alice.id() < bob.id() ? bob : alice;
  world.connect(larger, smaller);
  world.run(500ms);
  ASSERT_TRUE(smaller.host.peers().at(0).has_pubsub);  // on the connection that is to go
  world.connect(smaller, larger);
  for (int i = 0; i < 120; ++i) {
    ASSERT_TRUE(alice.host.publish("t", Bytes(20'000, static_cast<std::uint8_t>(i)), world.now).has_value());
    ASSERT_TRUE(bob.host.publish("t", Bytes(20'000, static_cast<std::uint8_t>(i)), world.now).has_value());
    world.run(100ms);
  }
  EXPECT_EQ(smaller.host.peers().at(0).connections, 1u);
  EXPECT_EQ(smaller.host.peers().at(0).direction, Direction::outbound);
  EXPECT_EQ(smaller.close_reasons().size(), 1u);
  EXPECT_EQ(alice.payloads().size(), 120u);
  EXPECT_EQ(bob.payloads().size(), 120u);
}

TEST(Host, RefusesAThirdConnectionToOnePeer) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  for (int i = 0; i < 3; ++i) {
    world.connect(alice, bob);
    world.run(100ms);
  }
  EXPECT_EQ(bob.host.peers().at(0).connections, 2u);
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::over_limit});
}

TEST(Host, StaysBoundedWhenAPeerDoesNotRead) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
  world.connect(alice, bob);
  world.run(300ms);
  bob.reads = false;
  std::size_t queued_max = 0;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(alice.host.publish("t", Bytes(500'000), world.now).has_value());
    world.run(10ms);
    queued_max = std::max(queued_max, alice.host.queued_bytes(bob.id()));
  }
  EXPECT_GT(queued_max, 500'000u);
  EXPECT_LT(queued_max, 2'000'000u);  // one RPC and what the muxer queues
  EXPECT_LE(world.undelivered_max, alice.host.peers().size() * (262144 + 65536 + 1024));
  EXPECT_GT(alice.host.router().counters().dropped_messages, 100u);
  world.run(40s);
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  const auto reasons = alice.close_reasons();
  ASSERT_EQ(reasons.size(), 1u);
  // Whoever notices first: who does not read hears nothing and takes the link for dead.
  EXPECT_TRUE(reasons[0] == CloseReason::transport_failed || reasons[0] == CloseReason::unresponsive ||
              reasons[0] == CloseReason::remote_closed)
      << name_of(reasons[0]);
}

TEST(Host, NoticesAPeerThatVanishedSilently) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  world.connect(alice, bob);
  world.run(300ms);
  world.unplug(bob);
  world.run(6s);  // both are of the committee
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::unresponsive});
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  EXPECT_FALSE(bob.host.is_connected(alice.id()));
}

TEST(Host, DialFailsWhenAnotherPeerAnswers) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  auto& carol = world.add("carol");
  ASSERT_TRUE(alice.host.dial(bob.address().with_peer_id(carol.id()), world.now).has_value());
  world.run(1s);
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::security_failed});
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  EXPECT_TRUE(bob.pick<PeerConnected>().empty());
}

TEST(Host, DialsNobodyWithoutAPeerId) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  EXPECT_FALSE(alice.host.dial(bob.address().without_peer_id(), world.now).has_value());
  EXPECT_FALSE(alice.host.set_peers({bob.address().without_peer_id()}, world.now).has_value());
  EXPECT_FALSE(alice.host.dial(alice.address(), world.now).has_value());
}

TEST(Host, TurnsDeniedPeersAwayAfterNoiseAndWhenTheirClassChanges) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  bob.host.set_peer_classes({{alice.id(), PeerClass::denied}}, world.now);
  world.connect(alice, bob);
  world.run(300ms);
  EXPECT_EQ(bob.close_reasons(), std::vector<CloseReason>{CloseReason::denied});
  EXPECT_TRUE(bob.pick<PeerConnected>().empty());
  bob.host.set_peer_classes({{alice.id(), PeerClass::registered}}, world.now);
  world.connect(alice, bob);
  world.run(300ms);
  ASSERT_EQ(bob.pick<PeerConnected>().size(), 1u);
  EXPECT_EQ(bob.pick<PeerConnected>()[0].peer_class, PeerClass::registered);
  bob.host.set_peer_classes({{alice.id(), PeerClass::denied}}, world.now);
  world.run(300ms);
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  EXPECT_EQ(bob.close_reasons().back(), CloseReason::denied);
}

TEST(Host, KeepsPlacesForMembersWhenLightClientsFillTheRest) {
  HostWorld world;
  HostOptions options = HostWorld::open_options();
  options.unlisted = PeerClass::light;
  options.connections_max = 3;
  options.connections_reserved = 1;
  auto& node = world.add("node", options);
  std::vector<HostNode*> light;
  for (const char* name : {"l1", "l2", "l3"}) light.push_back(&world.add(name));
  auto& member = world.add("member");
  node.host.set_peer_classes({{member.id(), PeerClass::committee}}, world.now);
  for (auto* client : light) world.connect(*client, node);
  world.run(300ms);
  EXPECT_EQ(node.host.peers().size(), 2u);
  EXPECT_EQ(node.close_reasons(), std::vector<CloseReason>{CloseReason::over_limit});
  world.connect(member, node);
  world.run(300ms);
  EXPECT_TRUE(node.host.is_connected(member.id()));
}

TEST(Host, PushesAChangedProtocolListAndNewAddresses) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  world.connect(alice, bob);
  world.run(300ms);
  Service service;
  service.protocol = "/kms/test/objects/1";
  bob.host.add_service(service, world.now);
  bob.host.set_listen_addresses({*Multiaddr::parse_text("/ip4/10.0.0.77/tcp/1")}, world.now);
  world.run(300ms);
  const auto last = alice.pick<PeerIdentified>().back();
  const auto& protocols = *last.identify.protocols;
  EXPECT_NE(std::find(protocols.begin(), protocols.end(), "/kms/test/objects/1"), protocols.end());
  EXPECT_EQ(last.record->addresses.at(0).text(), "/ip4/10.0.0.77/tcp/1");
}

TEST(Host, GivesUpAConnectionAttemptThatNobodyAnswers) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  world.delay = 1h;
  world.connect(alice, bob);
  world.run(11s);
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::dial_failed});
  EXPECT_EQ(alice.host.connection_count(), 0u);
}

TEST(Host, ClosesEverythingWithAGoAway) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  world.connect(alice, bob);
  world.run(300ms);
  alice.host.close_all({CloseReason::requested, "the node stops"}, world.now);
  world.run(100ms);
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::requested});
  ASSERT_EQ(bob.pick<ConnectionClosed>().size(), 1u);
  EXPECT_NE(bob.pick<ConnectionClosed>()[0].cause.text.find("GOAWAY"), std::string::npos);
}

// Set back behind the start of its last run, a clock would make messages that others take for old ones.
TEST(Host, CountsItsMessagesOnFromAnEarlierRunWhoseClockWasAhead) {
  HostWorld world;
  auto& alice = world.add("alice");
  auto& bob = world.add("bob");
  ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
  world.connect(alice, bob);
  world.run(500ms);
  const auto seqno_of_next = [&] {
    EXPECT_TRUE(alice.host.publish("t", Bytes(10), world.now).has_value());
    world.run(200ms);
    return seqno_of(*bob.pick<PubsubDelivery>().back().message).value();
  };
  const auto an_hour_ahead = static_cast<std::uint64_t>(world.now.unix_ms + 3'600'000) * 1'000'000;
  EXPECT_LT(seqno_of_next(), an_hour_ahead);
  alice.host.outrun_record(an_hour_ahead, world.now);
  const auto ahead = seqno_of_next();
  EXPECT_GT(ahead, an_hour_ahead);
  EXPECT_EQ(seqno_of_next(), ahead + 1);
}

}  // namespace
}  // namespace kms::net
