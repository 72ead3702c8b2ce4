// The rules of the mesh (LIBP2P.md 8.3 to 8.6), one by one.
#include <set>

#include <gtest/gtest.h>

#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

TEST_F(MeshRules, TheHeartbeatFillsTheMeshAndSendsGrafts) {
  start(20);
  EXPECT_EQ(mesh_size(), 0u);
  run(200ms);
  EXPECT_EQ(mesh_size(), 8u);
  std::size_t grafts = 0;
  for (auto& peer : peers) {
    auto got = received_by(peer).grafts.size();
    EXPECT_EQ(got == 1, is_in_mesh(peer));
    grafts += got;
  }
  EXPECT_EQ(grafts, 8u);
}

TEST_F(MeshRules, JoiningGraftsAtOnceThoseWhoHeardTheFanoutFirst) {
  RouterOptions options = mesh_options();
  options.mesh.flood_publish_bytes = 0;
  start(12, options);
  node->absorb(node->router.unsubscribe("t", world.now));
  node->absorb(node->router.publish("t", {1}, world.now)->effects);
  std::set<PeerId> fanout;
  for (auto& peer : peers) {
    if (!received_by(peer).messages.empty()) fanout.insert(peer.id());
  }
  EXPECT_EQ(fanout.size(), 8u);
  node->absorb(*node->router.subscribe("t", world.now));
  auto mesh = node->router.grafted("t");
  EXPECT_EQ(std::set<PeerId>(mesh.begin(), mesh.end()), fanout);
}

TEST_F(MeshRules, TheFanoutIsForgottenAfterAMinuteAndRefilledBefore) {
  RouterOptions options = mesh_options();
  options.mesh.flood_publish_bytes = 0;
  options.mesh.target = 3;
  options.mesh.low = 2;
  options.mesh.score = 2;
  options.mesh.out = 1;
  start(12, options);
  node->absorb(node->router.unsubscribe("t", world.now));
  auto heard = [&] {
    std::set<PeerId> out;
    node->absorb(node->router.publish("t", {1}, world.now)->effects);
    for (auto& peer : peers) {
      if (!received_by(peer).messages.empty()) out.insert(peer.id());
    }
    return out;
  };
  auto first = heard();
  EXPECT_EQ(first.size(), 3u);
  run(50s);
  EXPECT_EQ(heard(), first);
  node->router.peer_removed(*first.begin(), world.now);
  run(1s);
  auto second = heard();
  EXPECT_EQ(second.size(), 3u);
  EXPECT_FALSE(second.contains(*first.begin()));
  std::set<std::set<PeerId>> sets;
  for (int i = 0; i < 8; ++i) {
    run(61s);
    sets.insert(heard());
  }
  EXPECT_GT(sets.size(), 1u) << "new ones are drawn";
}

TEST_F(MeshRules, LeavingPrunesWithTenSecondsAndRemembersThemItself) {
  start(3);
  run(200ms);
  for (auto& peer : peers) received_by(peer);
  node->absorb(node->router.unsubscribe("t", world.now));
  for (auto& peer : peers) {
    auto rpc = received_by(peer);
    ASSERT_EQ(rpc.prunes.size(), 1u);
    EXPECT_EQ(rpc.prunes[0].backoff_s, 10u);
  }
  node->absorb(*node->router.subscribe("t", world.now));
  EXPECT_EQ(mesh_size(), 0u) << "a subscription that ignores the backoff gets us punished";
  run(9s);
  EXPECT_EQ(mesh_size(), 0u);
  run(15s);
  EXPECT_EQ(mesh_size(), 3u);
}

TEST_F(MeshRules, AGraftIsAcceptedSilentlyAndAnUnknownTopicIgnored) {
  start(1);
  send_graft(peers[0]);
  send(peers[0], [](RpcWriter& writer) { writer.graft("unknown"); });
  EXPECT_TRUE(is_in_mesh(peers[0]));
  EXPECT_FALSE(node->router.next_frame(peers[0].id())) << "no answer";
  EXPECT_EQ(node->pick<PeerGrafted>().size(), 1u);
}

TEST_F(MeshRules, AFullMeshRefusesAllButConnectionsThatWeDialled) {
  start(14);
  for (std::size_t i = 0; i < 12; ++i) send_graft(peers[i]);
  send_graft(peers[12]);
  EXPECT_FALSE(is_in_mesh(peers[12]));
  ASSERT_EQ(received_by(peers[12]).prunes.size(), 1u);
  node->router.set_peer_origin(peers[13].id(), {true, ""});
  send_graft(peers[13]);
  EXPECT_TRUE(is_in_mesh(peers[13]));
}

TEST_F(MeshRules, AQuarterOfAMeshIsLightAtMost) {
  start(6, mesh_options(), PeerClass::light);
  for (auto& peer : peers) send_graft(peer);
  EXPECT_EQ(mesh_size(), 3u);
  run(200ms);
  EXPECT_EQ(mesh_size(), 3u);
  send_graft(add_peer(PeerClass::committee));
  EXPECT_EQ(mesh_size(), 4u);
}

TEST_F(MeshRules, ANegativeScoreIsRefusedAndPrunedWithoutPeerExchange) {
  start(3);
  for (auto& peer : peers) node->router.set_peer_record(peer.id(), Bytes(100));
  node->router.set_application_score(peers[0].id(), -1);
  send_graft(peers[0]);
  EXPECT_FALSE(is_in_mesh(peers[0]));
  EXPECT_TRUE(received_by(peers[0]).prunes.at(0).peers.empty());
  send_graft(peers[1]);
  node->router.set_application_score(peers[1].id(), -1);
  run(200ms);
  EXPECT_FALSE(is_in_mesh(peers[1]));
  EXPECT_TRUE(received_by(peers[1]).prunes.at(0).peers.empty());
  EXPECT_TRUE(is_in_mesh(peers[2]));
}

TEST_F(MeshRules, ADirectPeerIsInNoMeshButHearsAndIsHeard) {
  start(1);
  node->router.set_direct(peers[0].id());
  node->router.set_application_score(peers[0].id(), -10'000);
  run(1s);
  send_graft(peers[0]);
  EXPECT_FALSE(is_in_mesh(peers[0]));
  EXPECT_EQ(received_by(peers[0]).prunes.size(), 1u);
  RawPeer& other = add_peer();
  send_message(other, message_of(other, "to all"));
  answer_last();
  EXPECT_EQ(received_by(peers[0]).messages.size(), 1u);
  send_message(peers[0], message_of(peers[0], "from me"));
  EXPECT_EQ(node->delivered.size(), 2u);
}

TEST_F(MeshRules, APruneOffersRecordsOfGoodPeersThatAreNotLight) {
  start(16);
  RawPeer& light = add_peer(PeerClass::light);
  node->router.set_peer_record(light.id(), Bytes(50, 1));
  node->router.set_peer_record(peers[0].id(), Bytes(50, 2));
  node->router.set_peer_record(peers[1].id(), Bytes(50, 3));
  node->router.set_peer_record(peers[2].id(), Bytes(5000, 4));  // larger than readers take
  node->router.set_application_score(peers[1].id(), -1);
  for (std::size_t i = 3; i < 15; ++i) send_graft(peers[i]);
  send_graft(peers[15]);
  auto rpc = received_by(peers[15]);
  ASSERT_EQ(rpc.prunes.size(), 1u);
  ASSERT_EQ(rpc.prunes[0].peers.size(), 1u);
  EXPECT_TRUE(equal(rpc.prunes[0].peers[0].id, peers[0].id().bytes()));
  EXPECT_TRUE(equal(rpc.prunes[0].peers[0].signed_record, Bytes(50, 2)));
}

TEST_F(MeshRules, OffersAreSurfacedOnlyFromPeersThatTheApplicationVouchesFor) {
  start(1);
  RawPeer& member = add_peer(PeerClass::committee);
  RawPeer stranger("stranger");
  std::vector<ExchangePeer> offers{{to_bytes(stranger.id().bytes()), Bytes(30, 1)},
                                   {to_bytes(peers[0].id().bytes()), Bytes(30, 1)},  // connected
                                   {to_bytes(node->id().bytes()), Bytes(30, 1)},     // ourselves
                                   {Bytes(3, 9), Bytes(30, 1)},                      // no PeerId
                                   {to_bytes(RawPeer("x").id().bytes()), {}}};       // no record
  for (const auto* by : {&peers[0], &member}) {
    send(*by, [&](RpcWriter& writer) { writer.prune("t", 60, offers); });
  }
  auto offered = node->pick<PeersOffered>();
  ASSERT_EQ(offered.size(), 1u);
  EXPECT_EQ(offered[0].by, member.id());
  ASSERT_EQ(offered[0].offers.size(), 1u);
  EXPECT_EQ(offered[0].offers[0].peer, stranger.id());
}

TEST_F(MeshRules, APrunedPeerIsNotGraftedBeforeItsBackoffAndSomeSlack) {
  start(1);
  run(200ms);
  ASSERT_TRUE(is_in_mesh(peers[0]));
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", 20); });
  EXPECT_FALSE(is_in_mesh(peers[0]));
  run(21s);
  EXPECT_FALSE(is_in_mesh(peers[0])) << "two heartbeats of slack";
  run(12s);
  EXPECT_TRUE(is_in_mesh(peers[0])) << "swept every fifteen heartbeats";
}

TEST_F(MeshRules, AHugeBackoffIsAnHour) {
  start(1);
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", ~std::uint64_t{0}); });
  run(3599s);
  EXPECT_FALSE(is_in_mesh(peers[0]));
  run(20s);
  EXPECT_TRUE(is_in_mesh(peers[0]));
}

TEST_F(MeshRules, AMemberWithoutAStreamOfOursLeavesTheMesh) {
  start(1);
  run(200ms);
  node->router.outbound_closed(peers[0].id());
  run(4s);
  EXPECT_TRUE(is_in_mesh(peers[0]));
  node->absorb(node->router.outbound_opened(peers[0].id(), MeshsubVersion::v1_2, world.now));
  EXPECT_EQ(received_by(peers[0]).grafts.size(), 1u) << "the remote may have forgotten";
  node->router.outbound_closed(peers[0].id());
  run(7s);
  EXPECT_FALSE(is_in_mesh(peers[0]));
}

TEST_F(MeshRules, AcceptedMessagesGoAlongTheMeshOnly) {
  start(14);
  for (std::size_t i = 0; i < 6; ++i) send_graft(peers[i]);
  send_message(peers[0], message_of(peers[1], "hello"));
  answer_last();
  for (std::size_t i = 0; i < 14; ++i) EXPECT_EQ(received_by(peers[i]).messages.size(), i >= 2 && i < 6 ? 1u : 0u) << i;
}

TEST_F(MeshRules, OwnSmallMessagesGoToAllWithAScoreAndLargeOnesToTheMesh) {
  start(14);
  for (std::size_t i = 0; i < 6; ++i) send_graft(peers[i]);
  node->router.set_application_score(peers[13].id(), -201);
  auto heard = [&](std::size_t size) {
    node->absorb(node->router.publish("t", Bytes(size, 7), world.now)->effects);
    std::set<std::size_t> out;
    for (std::size_t i = 0; i < 14; ++i) {
      if (!received_by(peers[i]).messages.empty()) out.insert(i);
    }
    return out;
  };
  EXPECT_EQ(heard(100).size(), 13u);
  EXPECT_EQ(heard(20'000), (std::set<std::size_t>{0, 1, 2, 3, 4, 5}));
}

TEST_F(MeshRules, RecentMessagesAreAnnouncedOutsideTheMeshToPeersWithAScore) {
  start(40);
  for (std::size_t i = 0; i < 6; ++i) send_graft(peers[i]);
  send_message(peers[0], message_of(peers[0], "hello"));
  answer_last();
  node->router.set_application_score(peers[7].id(), -101);
  run(1500ms);
  std::size_t announced = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    bool is_told = !received_by(peers[i]).ihave.empty();
    EXPECT_FALSE(is_told && (i == 7 || is_in_mesh(peers[i]))) << i;
    announced += is_told ? 1 : 0;
  }
  EXPECT_GE(announced, 8u) << "a quarter of those outside";
  EXPECT_LT(announced, 32u);
}

TEST_F(MeshRules, IdontwantGoesToTheMeshAheadOfTheVerdict) {
  start(3);
  send_graft(peers[0]);
  send_graft(peers[1]);
  send_message(peers[0], message_of(peers[0], std::string(2000, 'x')));
  EXPECT_TRUE(received_by(peers[0]).idontwant.empty()) << "it is the sender";
  EXPECT_EQ(received_by(peers[1]).idontwant.size(), 1u);
  EXPECT_TRUE(received_by(peers[2]).idontwant.empty()) << "not in the mesh";
}

TEST_F(MeshRules, ATopicOfAnotherPolicyIsCarriedItsWay) {
  RouterOptions options = mesh_options();
  options.policies.names["flooded"] = TopicPolicy::flood;
  start(3, options);
  node->absorb(*node->router.subscribe("flooded", world.now));
  for (auto& peer : peers) send(peer, [](RpcWriter& writer) { writer.subscription(true, "flooded"); });
  run(1s);
  EXPECT_EQ(node->router.grafted("t").size(), 3u);
  EXPECT_TRUE(node->router.grafted("flooded").empty());
  for (auto& peer : peers) received_by(peer);
  send_message(peers[0], make_signed(peers[0].identity, "flooded", {1}, 1));
  answer_last();
  EXPECT_EQ(received_by(peers[1]).messages.size(), 1u);
}

}  // namespace
}  // namespace kms::net
