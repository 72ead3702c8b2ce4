// Nodes that know one address of one member each, on the in-memory network, and what liars can do to them.
#include "net/discovery.h"

#include "tests/net/fixtures.h"
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

const std::vector<std::string> kNames{"m1", "m2", "m3", "m4", "m5", "m6", "m7"};

// Members with a Discovery each.
struct Finders : testing::Test {
  static HostOptions closed_options() {
    HostOptions options;
    options.router.topics.allows_all = true;
    return options;
  }
  std::set<PeerId> everybody() const {
    std::set<PeerId> out;
    for (const auto& name : names) out.insert(identity_named(name).peer_id());
    return out;
  }
  HostNode& add_host(const std::string& name) {
    HostNode& node = world.add(name, closed_options());
    std::map<PeerId, PeerClass> classes;
    for (const auto& peer : everybody()) classes.emplace(peer, PeerClass::committee);
    node.host.set_peer_classes(std::move(classes), world.now);
    nodes.push_back(&node);
    return node;
  }
  HostNode& add(const std::string& name, DiscoveryOptions options = {}) {
    HostNode& node = add_host(name);
    auto finder = std::make_unique<Discovery>(node.host, "test", options, node.random, world.now);
    finder->set_members(everybody(), world.now);
    node.sees = [this, &own = *finder](const HostEvent& event) { own.receive(event, world.now); };
    node.ticks = [this, &own = *finder] { own.tick(world.now); };
    node.wakes = [&own = *finder] { return own.wakes_at(); };
    finders[&node] = std::move(finder);
    return node;
  }
  void knows(HostNode& node, const HostNode& other) {
    ASSERT_TRUE(node.host.set_peers({other.address()}, world.now).has_value());
  }
  Discovery& finder(HostNode& node) { return *finders.at(&node); }
  std::size_t missing_in_all() {
    std::size_t out = 0;
    for (const auto& [node, own] : finders) out += own->missing();
    return out;
  }
  // Until nobody misses anybody.
  Duration time_to_meet(Duration most) {
    const Instant start = world.now.instant;
    while (missing_in_all() > 0 && world.now.instant - start < most) world.run(50ms);
    return world.now.instant - start;
  }
  Multiaddr at(std::uint8_t ip) const { return Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, ip}, 4001); }
  Bytes record_of(std::string_view name, std::uint64_t seq, std::uint8_t ip) const {
    return sign_peer_record(identity_named(name), seq, {at(ip)});
  }

  std::vector<std::string> names = kNames;
  HostWorld world;
  std::vector<HostNode*> nodes;
  std::map<HostNode*, std::unique_ptr<Discovery>> finders;
};

TEST_F(Finders, SevenNodesThatKnowOneAddressEachAllMeet) {
  for (const auto& name : kNames) add(name);
  for (std::size_t i = 1; i < nodes.size(); ++i) knows(*nodes[i], *nodes[0]);
  world.settle();
  EXPECT_LT(time_to_meet(30s), 5s);
  EXPECT_EQ(missing_in_all(), 0u);
}

TEST_F(Finders, ARingInWhichEverybodyKnowsOnlyTheNextOneCloses) {
  for (const auto& name : kNames) add(name);
  for (std::size_t i = 0; i < nodes.size(); ++i) knows(*nodes[i], *nodes[(i + 1) % nodes.size()]);
  world.settle();
  EXPECT_LT(time_to_meet(30s), 5s);
  for (auto* node : nodes) EXPECT_EQ(node->host.peers().size(), 6u);
}

TEST_F(Finders, ANodeWithOneLivingAddressFindsTheOthersLater) {
  for (const auto& name : kNames) add(name);
  for (std::size_t i = 1; i + 1 < nodes.size(); ++i) knows(*nodes[i], *nodes[0]);
  world.run(20s);
  EXPECT_EQ(finder(*nodes[6]).missing(), 6u);
  knows(*nodes[6], *nodes[3]);
  EXPECT_LT(time_to_meet(10s), 3s);
}

TEST_F(Finders, ANodeThatMovesIsFoundAtItsNewAddressByThoseItDoesNotDial) {
  for (const auto& name : kNames) add(name);
  for (std::size_t i = 1; i < nodes.size(); ++i) knows(*nodes[i], *nodes[0]);
  ASSERT_LT(time_to_meet(30s), 10s);
  HostNode& mover = *nodes[4];
  // It goes away, comes back elsewhere and knows only one address.
  finder(mover).set_members({}, world.now);
  ASSERT_TRUE(mover.host.set_peers({}, world.now).has_value());
  mover.is_up = false;
  world.unplug(mover);
  world.run(2min);
  EXPECT_EQ(finder(*nodes[0]).missing(), 1u);
  ASSERT_TRUE(mover.host.set_peers({nodes[2]->address()}, world.now).has_value());
  world.move(mover, 77);
  mover.is_up = true;
  std::size_t missing = 6;
  const Instant start = world.now.instant;
  while (missing > 0 && world.now.instant - start < 2min) {
    world.run(100ms);
    missing = 0;
    for (auto* node : nodes) missing += node == &mover ? 0 : finder(*node).missing();
  }
  // The one that it dialled makes it known.
  EXPECT_LT(world.now.instant - start, 5s);
  EXPECT_EQ(missing, 0u);
  EXPECT_EQ(finder(*nodes[6]).book().find(mover.id())->addresses, std::vector{at(77)});
}

TEST_F(Finders, APushedRecordChangesWhereAConnectedNodeIsDialledNext) {
  add("m1");
  add("m2");
  knows(*nodes[1], *nodes[0]);
  world.run(3s);
  ASSERT_TRUE(nodes[0]->host.is_connected(nodes[1]->id()));
  world.move(*nodes[1], 50);
  world.run(1s);
  EXPECT_EQ(finder(*nodes[0]).book().find(nodes[1]->id())->addresses, std::vector{at(50)});
  // Cut by us, so that both ends know at once; the other one is told not to dial.
  ASSERT_TRUE(nodes[1]->host.set_peers({}, world.now).has_value());
  finder(*nodes[1]).set_members({}, world.now);
  nodes[0]->host.disconnect(nodes[1]->id(), {CloseReason::requested, "test"}, world.now);
  world.run(3s);
  ASSERT_TRUE(nodes[0]->host.is_connected(nodes[1]->id()));
  EXPECT_EQ(nodes[0]->host.peers()[0].direction, Direction::outbound);
}

TEST_F(Finders, AClockThatWasAheadIsOutrun) {
  add("m1");
  add("m2");
  add("m3");
  const std::uint64_t ahead = nodes[1]->host.record_seq() + 1'000'000'000'000'000;
  for (auto* node : {nodes[0], nodes[2]})
    finder(*node).restore(record_of("m2", ahead, 99), Duration::zero(), world.now);
  knows(*nodes[1], *nodes[0]);
  knows(*nodes[2], *nodes[0]);
  world.run(5s);
  EXPECT_GT(nodes[1]->host.record_seq(), ahead);
  EXPECT_EQ(finder(*nodes[2]).book().find(nodes[1]->id())->addresses,
            std::vector{nodes[1]->address().without_peer_id()});
}

TEST_F(Finders, KeepWhatAnEarlierRunKnew) {
  add("m1");
  add("m2");
  finder(*nodes[0]).restore(record_of("m2", 5, nodes[1]->ip), 1h, world.now);
  world.run(2s);
  EXPECT_TRUE(nodes[0]->host.is_connected(nodes[1]->id()));
  EXPECT_TRUE(finder(*nodes[0]).take_changes().contains(nodes[1]->id()));
}

TEST_F(Finders, ForgetAMemberThatLeft) {
  add("m1");
  add("m2");
  knows(*nodes[1], *nodes[0]);
  world.run(2s);
  ASSERT_NE(finder(*nodes[0]).book().find(nodes[1]->id()), nullptr);
  finder(*nodes[0]).set_members({}, world.now);
  EXPECT_EQ(finder(*nodes[0]).book().find(nodes[1]->id()), nullptr);
  EXPECT_EQ(finder(*nodes[0]).missing(), 0u);
}

TEST_F(Finders, AnswerLightClientsAndDoNotAskThem) {
  add("m1");
  add("m2");
  knows(*nodes[1], *nodes[0]);
  names.push_back("visitor");
  HostNode& light = add("visitor");  // believes itself to be a member
  knows(light, *nodes[0]);
  world.run(10s);
  EXPECT_EQ(nodes[0]->host.class_of(light.id()), PeerClass::light);
  EXPECT_TRUE(light.host.is_connected(nodes[1]->id()));
  EXPECT_GT(finder(*nodes[0]).counters().served, 0u);
  EXPECT_EQ(finder(light).counters().served, 0u);
  EXPECT_EQ(finder(*nodes[0]).book().find(light.id()), nullptr);
}

// A member that speaks the protocol by hand.
struct Liars : Finders {
  Liars() {
    add("m1");
    liar = &add_host("m2");
    Service service;
    service.protocol = peers_protocol("test");
    liar->host.add_service(service, world.now);
    liar->sees = [this](const HostEvent& event) {
      const auto* bytes = std::get_if<ServiceBytes>(&event);
      if (bytes == nullptr) return;
      ++requests;
      if (!answer) return;
      liar->host.service_send(bytes->stream, *answer, world.now);
      liar->host.service_finish(bytes->stream, world.now);
    };
    knows(*liar, *nodes[0]);
  }
  void answers(std::vector<PeersReply::Record> records) {
    answer = LengthFrame::encode(PeersReply{std::move(records)}.encode());
  }
  const DiscoveryCounters& counters() { return finder(*nodes[0]).counters(); }
  const PeerBook& book() { return finder(*nodes[0]).book(); }

  HostNode* liar = nullptr;
  std::optional<Bytes> answer;
  int requests = 0;
};

TEST_F(Liars, CannotPlaceOthersAndAreNotAskedAgainForAWhile) {
  // The record of m3 under the liar's signature.
  PeerRecord lie{identity_named("m3").peer_id(), 7, {at(66)}};
  answers({{seal_envelope(identity_named("m2"), kPeerRecordDomain, kPeerRecordPayloadType, encode_peer_record(lie))}});
  world.run(1min);
  EXPECT_EQ(book().find(identity_named("m3").peer_id()), nullptr);
  EXPECT_EQ(counters().liars, 1u);
  EXPECT_EQ(counters().forged, 1u);
  EXPECT_EQ(requests, 1);
  ASSERT_EQ(finder(*nodes[0]).take_notes().size(), 1u);
  world.run(12min);
  EXPECT_GT(requests, 1);
}

TEST_F(Liars, WhoGiveAnotherMembersAddressCostItNothingButARefusedDial) {
  HostNode& victim = add("m3");
  liar->host.set_listen_addresses({victim.address()}, world.now);
  finder(*nodes[0]).restore(record_of("m4", 9, victim.ip), Duration::zero(), world.now);  // so does m4
  answers({});
  world.run(1min);
  EXPECT_FALSE(nodes[0]->host.is_connected(identity_named("m4").peer_id()));
  EXPECT_EQ(nodes[0]->host.peers().size(), 1u);
  // The victim itself is still found where it is.
  finder(*nodes[0]).restore(record_of("m3", 9, victim.ip), Duration::zero(), world.now);
  world.run(2s);
  EXPECT_TRUE(nodes[0]->host.is_connected(victim.id()));
}

TEST_F(Liars, CannotGoBackToAnOldRecord) {
  finder(*nodes[0]).restore(record_of("m3", 10, 33), Duration::zero(), world.now);
  answers({{record_of("m3", 9, 66)}, {record_of("m3", 10, 67)}});
  world.run(5s);
  EXPECT_EQ(book().find(identity_named("m3").peer_id())->addresses, std::vector{at(33)});
  EXPECT_EQ(counters().liars, 0u);  // it may not have known
  EXPECT_GT(counters().stale, 1u);
}

TEST_F(Liars, CannotBringInStrangersOrWhatWasNotAsked) {
  answers({{record_of("stranger", 9, 66)}});
  world.run(5s);
  EXPECT_EQ(counters().unwanted, 1u);
  EXPECT_EQ(counters().liars, 1u);
  EXPECT_EQ(book().entries().size(), 1u);
  EXPECT_EQ(requests, 1);
}

TEST_F(Liars, CannotSendMoreThanAReplyHolds) {
  answer = Bytes{0x81, 0x80, 0x20};  // 512 KiB and one byte
  world.run(5s);
  EXPECT_EQ(counters().liars, 1u);
  answer = LengthFrame::encode(Bytes(1000, 0xff));
  world.run(15min);
  EXPECT_GT(counters().liars, 1u);
  const auto before = counters().liars;
  std::vector<PeersReply::Record> many(257, PeersReply::Record{record_of("m3", 9, 33)});
  answers(std::move(many));
  world.run(15min);
  EXPECT_GT(counters().liars, before);
  EXPECT_EQ(book().find(identity_named("m3").peer_id()), nullptr);
}

TEST_F(Liars, WhoSayNothingOnlyCostTime) {
  HostNode& honest = add("m3");
  finder(honest).restore(record_of("m4", 9, 44), Duration::zero(), world.now);
  knows(honest, *nodes[0]);
  world.run(1min);
  EXPECT_NE(book().find(identity_named("m4").peer_id()), nullptr);
  EXPECT_GT(counters().unanswered, 1u);
  EXPECT_EQ(counters().liars, 0u);
  EXPECT_GT(requests, 1);
}

TEST_F(Liars, WhoFloodWithTheirOwnRecordAreHeldToAFew) {
  answers({});
  world.run(3s);
  const auto before = counters().learned;
  for (std::uint8_t i = 0; i < 200; ++i) {
    liar->host.set_listen_addresses({at(i)}, world.now);
    world.run(100ms);
  }
  EXPECT_LE(counters().learned - before, 4u + 2u);
  EXPECT_GT(counters().too_often, 10u);
  EXPECT_EQ(book().entries().size(), 1u);
}

TEST_F(Liars, WhoFloodWithRequestsAreReset) {
  answers({});
  world.run(3s);
  PeersRequest request;
  request.held.push_back({identity_named("m3").peer_id(), 0});
  for (int i = 0; i < 60; ++i) {
    const auto stream = liar->host.open_service(nodes[0]->id(), peers_protocol("test"), world.now);
    ASSERT_TRUE(stream.has_value());
    liar->host.service_send(*stream, LengthFrame::encode(request.encode()), world.now);
    liar->host.service_finish(*stream, world.now);
    world.run(20ms);
  }
  EXPECT_LE(counters().served, 8u + 2u);
  EXPECT_GE(counters().served_refused, 45u);
}

TEST_F(Liars, WhoSendAMalformedRequestAreReset) {
  answers({});
  world.run(3s);
  for (const auto& request : {Bytes{0xff, 0xff, 0x7f}, LengthFrame::encode(Bytes(3, 0xff))}) {
    const auto stream = liar->host.open_service(nodes[0]->id(), peers_protocol("test"), world.now);
    liar->host.service_send(*stream, request, world.now);
    world.run(100ms);
  }
  EXPECT_EQ(counters().served_refused, 2u);
  EXPECT_EQ(counters().served, 0u);
}

TEST_F(Liars, OfferRecordsByPeerExchangeOnlyWhileTheyAreTrusted) {
  answers({});
  world.run(1s);
  const PeerId m3 = identity_named("m3").peer_id();
  Discovery& own = finder(*nodes[0]);
  own.offered(identity_named("stranger").peer_id(), m3, record_of("m3", 9, 66), world.now);
  EXPECT_EQ(book().find(m3), nullptr);
  EXPECT_EQ(counters().offers_ignored, 1u);
  const PubsubEvent offers{PeersOffered{liar->id(), "t", {{m3, record_of("m3", 9, 33)}}}};
  EXPECT_TRUE(own.receive(offers, world.now));
  EXPECT_EQ(book().find(m3)->seq, 9u);
  EXPECT_FALSE(own.receive(PubsubEvent{PeerGrafted{liar->id(), "t"}}, world.now));
  own.offered(liar->id(), m3, record_of("m4", 9, 33), world.now);  // named as another one
  EXPECT_EQ(counters().liars, 1u);
  own.offered(liar->id(), m3, record_of("m3", 10, 33), world.now);
  EXPECT_EQ(book().find(m3)->seq, 9u);
  EXPECT_EQ(counters().offers_ignored, 2u);
}

}  // namespace
}  // namespace kms::net
