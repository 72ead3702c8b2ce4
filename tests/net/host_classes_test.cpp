// What each class of peers may do, decided after Noise and again whenever the list changes; and the limits per class.
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

using Classes = std::map<PeerId, PeerClass>;

std::vector<Refusal> refusals_of(const HostNode& node) {
  std::vector<Refusal> out;
  for (const auto& event : node.pick<PubsubEvent>()) {
    if (const auto* refused = std::get_if<MessageRefused>(&event)) out.push_back(refused->reason);
  }
  return out;
}

// alice and bob are members, carol is a light client; "/c/" topics belong to the committee.
struct HostClasses : testing::Test {
  static HostOptions options() {
    HostOptions out = HostWorld::open_options();
    out.unlisted = PeerClass::light;
    out.topic_rules = {{"/c/private/", {PeerClass::committee}, {PeerClass::committee}},
                       {"/c/", {PeerClass::committee}, {PeerClass::committee, PeerClass::light}}};
    return out;
  }
  void SetUp() override {
    for (auto* node : {&alice, &bob, &carol}) classify(*node, members());
  }
  Classes members() const { return {{alice.id(), PeerClass::committee}, {bob.id(), PeerClass::committee}}; }
  void classify(HostNode& node, Classes classes) {
    node.host.set_peer_classes(std::move(classes), world.now);
    world.settle();
  }
  void subscribe(std::string_view topic) {
    for (auto* node : {&alice, &bob, &carol}) ASSERT_TRUE(node->host.subscribe(topic, world.now).has_value());
  }
  void publish(HostNode& node, std::string_view topic, std::string_view text) {
    ASSERT_TRUE(node.host.publish(topic, to_bytes(as_bytes(text)), world.now).has_value());
    world.run(1s);
  }
  bool follows(const HostNode& at, const HostNode& peer, std::string_view topic) const {
    const auto all = at.host.router().subscribers(topic);
    return std::find(all.begin(), all.end(), peer.id()) != all.end();
  }

  HostWorld world;
  HostNode& alice = world.add("alice", options());
  HostNode& bob = world.add("bob", options());
  HostNode& carol = world.add("carol", options());
};

TEST_F(HostClasses, ALightClientFollowsCommitteeTopicsAndIsRefusedWhenItWritesThere) {
  subscribe("/c/news");
  world.connect(alice, bob);
  world.connect(carol, alice);
  world.run(1s);
  publish(bob, "/c/news", "from a member");
  EXPECT_EQ(carol.payloads(), std::vector<std::string>{"from a member"});
  const auto checked = alice.host.router().counters().signatures_checked;
  publish(carol, "/c/news", "from a light client");
  EXPECT_EQ(alice.payloads(), std::vector<std::string>{"from a member"});
  EXPECT_EQ(bob.payloads().size(), 0u);
  EXPECT_EQ(refusals_of(alice), std::vector<Refusal>{Refusal::not_allowed});
  EXPECT_EQ(alice.host.router().counters().signatures_checked, checked) << "refused before its signature is checked";
  EXPECT_TRUE(alice.host.is_connected(carol.id()));
}

TEST_F(HostClasses, ALightClientMayWriteOnATopicWithoutARule) {
  subscribe("open");
  world.connect(carol, alice);
  world.run(1s);
  publish(carol, "open", "hello");
  EXPECT_EQ(alice.payloads(), std::vector<std::string>{"hello"});
}

TEST_F(HostClasses, AMemberDoesNotForwardWhatALightClientForgesThroughAnother) {
  subscribe("/c/news");
  world.connect(carol, alice);
  world.connect(alice, bob);
  world.run(1s);
  publish(carol, "/c/news", "spread this");
  EXPECT_TRUE(bob.payloads().empty());
  EXPECT_TRUE(refusals_of(bob).empty()) << "it did not even get there";
}

TEST_F(HostClasses, ATopicOfMembersHasNoOtherFollowers) {
  subscribe("/c/private/x");
  world.connect(alice, bob);
  world.connect(carol, alice);
  world.run(1s);
  EXPECT_TRUE(follows(alice, bob, "/c/private/x"));
  EXPECT_FALSE(follows(alice, carol, "/c/private/x"));
  publish(alice, "/c/private/x", "for members");
  EXPECT_EQ(bob.payloads().size(), 1u);
  EXPECT_TRUE(carol.payloads().empty());
}

TEST_F(HostClasses, WhoLosesItsClassLosesTopicsAndServiceStreamsAndKeepsItsConnection) {
  subscribe("/c/private/x");
  alice.host.add_service({.protocol = "/members/1", .allowed = {PeerClass::committee}}, world.now);
  bob.host.add_service({.protocol = "/members/1"}, world.now);
  world.connect(bob, alice);
  world.run(1s);
  const auto stream = bob.host.open_service(alice.id(), "/members/1", world.now);
  ASSERT_TRUE(stream.has_value());
  world.run(1s);
  ASSERT_EQ(alice.pick<ServiceOpened>().size(), 1u);
  ASSERT_TRUE(follows(alice, bob, "/c/private/x"));

  classify(alice, {{alice.id(), PeerClass::committee}});
  EXPECT_FALSE(follows(alice, bob, "/c/private/x"));
  ASSERT_EQ(alice.pick<ServiceGone>().size(), 1u);
  world.run(1s);
  ASSERT_EQ(bob.pick<ServiceGone>().size(), 1u);
  EXPECT_EQ(alice.host.peers().at(0).peer_class, PeerClass::light);
  publish(bob, "/c/private/x", "no longer");
  EXPECT_TRUE(alice.payloads().empty());
  ASSERT_TRUE(bob.host.open_service(alice.id(), "/members/1", world.now).has_value());
  world.run(1s);
  EXPECT_EQ(alice.pick<ServiceOpened>().size(), 1u) << "refused now";
  EXPECT_TRUE(alice.host.is_connected(bob.id()));

  classify(alice, members());
  publish(bob, "/c/private/x", "again");
  EXPECT_EQ(alice.payloads(), std::vector<std::string>{"again"});
}

TEST_F(HostClasses, WhoLosesItsClassMustFindAPlaceInTheOther) {
  HostOptions tight = options();
  tight.connections_max = 3;
  tight.connections_reserved = 2;
  auto& dave = world.add("dave", tight);
  classify(dave, members());
  for (auto* node : {&alice, &bob, &carol}) world.connect(*node, dave);
  world.run(1s);
  EXPECT_EQ(dave.host.peers().size(), 3u);
  classify(dave, {{alice.id(), PeerClass::committee}});
  world.run(1s);
  EXPECT_FALSE(dave.host.is_connected(bob.id())) << "carol has the one place of light clients";
  EXPECT_TRUE(dave.host.is_connected(carol.id()));
  EXPECT_EQ(dave.close_reasons(), std::vector<CloseReason>{CloseReason::over_limit});
}

TEST_F(HostClasses, AMemberTakesThePlaceOfALightClientAndNeverTheOtherWayRound) {
  HostOptions tight = options();
  tight.connections_max = 2;
  tight.connections_reserved = 0;
  auto& dave = world.add("dave", tight);
  auto& erin = world.add("erin", options());
  classify(dave, members());
  world.connect(carol, dave);
  world.connect(erin, dave);
  world.run(1s);
  ASSERT_EQ(dave.host.peers().size(), 2u);
  world.connect(alice, dave);
  world.run(1s);
  EXPECT_TRUE(dave.host.is_connected(alice.id()));
  EXPECT_TRUE(dave.host.is_connected(carol.id()));
  EXPECT_FALSE(dave.host.is_connected(erin.id())) << "the newest light client gives way";
  world.connect(bob, dave);
  world.run(1s);
  EXPECT_TRUE(dave.host.is_connected(bob.id()));
  world.connect(carol, dave);
  world.run(1s);
  EXPECT_FALSE(dave.host.is_connected(carol.id()));
  EXPECT_EQ(dave.host.peers().size(), 2u);
}

TEST_F(HostClasses, NobodyGivesWayToAThirdConnectionOfAMember) {
  HostOptions tight = options();
  tight.connections_max = 3;
  tight.connections_reserved = 0;
  auto& dave = world.add("dave", tight);
  classify(dave, members());
  world.connect(carol, dave);
  for (int i = 0; i < 3; ++i) {
    world.connect(alice, dave);
    world.run(100ms);
  }
  EXPECT_EQ(alice.close_reasons(), std::vector<CloseReason>{CloseReason::over_limit}) << "its third connection";
  EXPECT_TRUE(dave.host.is_connected(carol.id()));
  EXPECT_TRUE(carol.close_reasons().empty());
}

TEST_F(HostClasses, LightClientsOfOneAddressShareTheirPlacesAndMembersDoNot) {
  HostOptions tight = options();
  tight.light.per_address_max = 2;
  auto& dave = world.add("dave", tight);
  dave.ip = 200;
  Classes listed = members();
  for (const auto* name : {"l1", "l2", "l3"}) {
    auto& light = world.add(name, options());
    light.ip = 77;
    world.connect(light, dave);
  }
  for (const auto* name : {"m1", "m2", "m3"}) {
    auto& member = world.add(name, options());
    member.ip = 77;
    listed.emplace(member.id(), PeerClass::committee);
    classify(dave, listed);
    world.connect(member, dave);
  }
  world.run(1s);
  std::size_t light = 0, committee = 0;
  for (const auto& peer : dave.host.peers()) ++(peer.peer_class == PeerClass::light ? light : committee);
  EXPECT_EQ(light, 2u);
  EXPECT_EQ(committee, 3u);
  EXPECT_EQ(dave.close_reasons(), std::vector<CloseReason>{CloseReason::over_limit});
}

TEST_F(HostClasses, ALightClientHasFewerStreamsThanAMember) {
  HostOptions few = options();
  few.light.inbound_streams_per_second = 5;
  auto& dave = world.add("dave", few);
  classify(dave, members());
  dave.host.add_service({.protocol = "/any/1", .inbound_per_peer_max = 100}, world.now);
  for (auto* node : {&alice, &carol}) {
    node->host.add_service({.protocol = "/any/1"}, world.now);
    world.connect(*node, dave);
    world.run(2s);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(node->host.open_service(dave.id(), "/any/1", world.now).has_value());
    world.run(1s);
  }
  std::map<PeerId, std::size_t> opened;
  for (const auto& service : dave.pick<ServiceOpened>()) ++opened[service.peer];
  EXPECT_EQ(opened[alice.id()], 20u);
  EXPECT_EQ(opened[carol.id()], 5u);
}

TEST_F(HostClasses, APromotedPeerGetsTheLimitsOfItsNewClassOnTheConnectionItHas) {
  HostOptions few = options();
  few.light.inbound_streams_per_second = 5;
  auto& dave = world.add("dave", few);
  classify(dave, members());
  dave.host.add_service({.protocol = "/any/1", .inbound_per_peer_max = 100}, world.now);
  carol.host.add_service({.protocol = "/any/1"}, world.now);
  world.connect(carol, dave);
  const auto opened = [&] {
    world.run(2s);
    const std::size_t before = dave.pick<ServiceOpened>().size();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(carol.host.open_service(dave.id(), "/any/1", world.now).has_value());
    world.run(1s);
    return dave.pick<ServiceOpened>().size() - before;
  };
  EXPECT_EQ(opened(), 5u);
  Classes promoted = members();
  promoted[carol.id()] = PeerClass::committee;
  classify(dave, promoted);
  EXPECT_EQ(opened(), 20u);
  EXPECT_EQ(dave.pick<ConnectionClosed>().size(), 0u);
}

TEST_F(HostClasses, SilenceOfAMemberIsNoticedSoonerThanThatOfALightClient) {
  world.connect(alice, bob);
  world.connect(carol, alice);
  world.run(1s);
  world.unplug(bob);
  world.unplug(carol);
  world.run(6s);
  EXPECT_FALSE(alice.host.is_connected(bob.id()));
  EXPECT_TRUE(alice.host.is_connected(carol.id()));
  world.run(15s);
  EXPECT_FALSE(alice.host.is_connected(carol.id()));
  EXPECT_EQ(alice.close_reasons(), (std::vector<CloseReason>{CloseReason::unresponsive, CloseReason::unresponsive}));
}

TEST_F(HostClasses, AnIdleLinkCostsFewBytes) {
  world.connect(alice, bob);
  world.run(10s);
  const auto before = alice.host.peers().at(0).traffic;
  world.run(60s);
  const auto after = alice.host.peers().at(0).traffic;
  EXPECT_LT(after.bytes_in + after.bytes_out - before.bytes_in - before.bytes_out, 8'000u) << "a minute";
}

// Between Noise and the muxer a peer is no neighbour yet.
TEST_F(HostClasses, APeerDeniedAtAnyMomentOfItsUpgradeDoesNotGetIn) {
  int in = 0, out = 0;
  for (int ms = 0; ms <= 40; ++ms) {
    auto slow = options();
    slow.early_muxer = EarlyMuxer::withheld;
    auto& late = world.add("late-" + std::to_string(ms), slow);
    world.connect(alice, late);  // whoever dials knows the other first
    for (int i = 0; i < ms; ++i) world.run(1ms);
    ++(alice.host.is_connected(late.id()) ? in : out);
    auto denied = members();
    denied[late.id()] = PeerClass::denied;
    classify(alice, denied);
    world.run(1s);
    EXPECT_FALSE(alice.host.is_connected(late.id())) << "denied " << ms << " ms after the dial";
  }
  EXPECT_TRUE(in > 0 && out > 0) << in << " were in before, " << out << " were not";
}

}  // namespace
}  // namespace kms::net
