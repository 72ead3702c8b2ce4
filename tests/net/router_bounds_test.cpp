// What strangers can make a router remember, send and forget is bounded.
#include <gtest/gtest.h>

#include "net/message_cache.h"
#include "tests/net/fixtures.h"
#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

PeerId named(std::string_view kind, int i) {
  return identity_named(std::string(kind) + std::to_string(i)).peer_id();
}

struct Bounds : MeshRules {
  std::size_t listeners_of_own(std::size_t count) {
    std::size_t heard = 0;
    for (std::size_t i = 0; i < count; ++i) heard += received_by(peers[i]).messages.size();
    return heard;
  }
};

TEST_F(Bounds, OwnMessagesGoToFewOfTheLightPeersThatDidNotGraftUs) {
  start(50, mesh_options(), PeerClass::light);
  ASSERT_TRUE(node->router.publish("t", Bytes(100), world.now));
  EXPECT_EQ(listeners_of_own(50), 16u);
  run(800ms);
  std::size_t members = mesh_size();
  EXPECT_EQ(members, 3u);
  listeners_of_own(50);
  ASSERT_TRUE(node->router.publish("t", Bytes(100), world.now));
  EXPECT_EQ(listeners_of_own(50), 16u + members);
  for (int i = 0; i < 5; ++i) add_peer(PeerClass::committee);
  ASSERT_TRUE(node->router.publish("t", Bytes(100), world.now));
  EXPECT_EQ(listeners_of_own(55), 16u + members + 5) << "all that are not light";
}

TEST_F(Bounds, OnATopicWithoutAMeshSoManyLightPeersMayGraft) {
  RouterOptions options = mesh_options();
  options.policies.otherwise = TopicPolicy::committee;
  options.light_listeners_max = 4;
  start(6, options, PeerClass::light);
  for (auto& peer : peers) send_graft(peer);
  EXPECT_EQ(mesh_size(), 4u);
  EXPECT_EQ(received_by(peers[4]).prunes.size(), 1u);
  send_graft(add_peer(PeerClass::committee));
  EXPECT_EQ(mesh_size(), 5u);
}

TEST_F(Bounds, AForbiddenGraftIsAnsweredWithAPrune) {
  start(1, mesh_options(), PeerClass::light);
  node->router.set_access({{{"t", {PeerClass::committee}, {PeerClass::committee}}}, {}, PeerClass::light});
  send_graft(peers[0]);
  EXPECT_FALSE(is_in_mesh(peers[0]));
  EXPECT_EQ(received_by(peers[0]).prunes.size(), 1u);
}

TEST_F(Bounds, OfWhatAPeerAskedForInVainSixtyFourTopicsAreRemembered) {
  start(0);
  TopicAccess access{{{"", {PeerClass::committee}, {PeerClass::committee}}}, {}, PeerClass::light};
  node->router.set_access(access);
  RawPeer& peer = add_peer(PeerClass::light);  // asks for "t"
  for (int i = 0; i < 63; ++i) {
    send(peer, [i](RpcWriter& writer) { writer.subscription(true, "u" + std::to_string(i)); });
  }
  send(peer, [](RpcWriter& writer) { writer.subscription(true, "one too many"); });
  access.classes[peer.id()] = PeerClass::committee;
  node->router.set_access(access);
  node->absorb(node->router.peer_added(peer.id(), PeerClass::committee, world.now));
  node->absorb(node->router.recheck(peer.id(), world.now));
  EXPECT_EQ(node->router.subscribers("t").size(), 1u);
  EXPECT_EQ(node->router.subscribers("u62").size(), 1u);
  EXPECT_TRUE(node->router.subscribers("one too many").empty());
}

TEST_F(Bounds, APromotedPeerFollowsWhatItHadAskedForInVain) {
  start(0);
  TopicAccess access{{{"t", {PeerClass::committee}, {PeerClass::committee}}}, {}, PeerClass::light};
  node->router.set_access(access);
  RawPeer& peer = add_peer(PeerClass::light);
  EXPECT_TRUE(node->router.subscribers("t").empty());
  auto set_class = [&](PeerClass peer_class) {
    access.classes[peer.id()] = peer_class;
    node->router.set_access(access);
    node->absorb(node->router.peer_added(peer.id(), peer_class, world.now));
    node->absorb(node->router.recheck(peer.id(), world.now));
  };
  set_class(PeerClass::committee);
  EXPECT_EQ(node->router.subscribers("t"), std::vector<PeerId>{peer.id()});
  ASSERT_FALSE(node->pick<PeerSubscription>().empty());
  EXPECT_TRUE(node->pick<PeerSubscription>().back().subscribed);
  set_class(PeerClass::light);
  EXPECT_TRUE(node->router.subscribers("t").empty());
  set_class(PeerClass::committee);
  EXPECT_EQ(node->router.subscribers("t").size(), 1u) << "it never took it back";
  set_class(PeerClass::light);
  send(peer, [](RpcWriter& writer) { writer.subscription(false, "t"); });
  set_class(PeerClass::committee);
  EXPECT_TRUE(node->router.subscribers("t").empty());
}

TEST(BackoffBounds, StrangersOfOneAddressForgetOnlyTheirOwn) {
  Instant start{Duration(1h)};
  Backoffs backoffs(300);
  for (int i = 0; i < 50; ++i) backoffs.add("t", named("member", i), start + 60s);
  for (int i = 0; i < 10; ++i) backoffs.add("t", named("honest", i), start + 60s, "10.0.0.1");
  for (int i = 0; i < 500; ++i) backoffs.add("t", named("sybil", i), start + 1h, "10.6.6.6");
  EXPECT_EQ(backoffs.size("t"), 50u + 10 + Backoffs::kPerGroupMax);
  // Of many addresses, when the book is full, the largest lose.
  for (int i = 0; i < 2000; ++i) backoffs.add("t", named("bot", i), start + 1h, "10.7.7." + std::to_string(i % 40));
  EXPECT_EQ(backoffs.size("t"), 300u);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(backoffs.counts("t", named("member", i))) << i;
  std::size_t honest = 0;
  for (int i = 0; i < 10; ++i) honest += backoffs.counts("t", named("honest", i)) ? 1 : 0;
  EXPECT_GE(honest, 5u) << "its share of the places among 42 addresses";
}

TEST(BackoffBounds, APruneOfAStrangerDoesNotMakeUsForgetAnothersBackoff) {
  struct Case : MeshRules {
    void TestBody() override {}
  } rules;
  RouterOptions options = MeshRules::mesh_options();
  options.mesh.backoffs_max = 100;
  rules.start(1, options);
  rules.send(rules.peers[0], [](RpcWriter& writer) { writer.prune("t", 600); });
  for (int i = 0; i < 200; ++i) {
    RawPeer& eve = rules.add_peer(PeerClass::light);
    rules.node->router.set_peer_origin(eve.id(), {false, "10.6.6.6"});
    rules.send(eve, [](RpcWriter& writer) { writer.prune("t", 3600); });
    rules.node->router.peer_removed(eve.id(), rules.world.now);
  }
  rules.run(30s);
  EXPECT_FALSE(rules.is_in_mesh(rules.peers[0])) << "its ten minutes are remembered";
}

TEST(DeliveryLogBounds, SendersAreBoundedWhateverTheirIdentities) {
  Instant start{Duration(1h)};
  DeliveryLog log(120s, 20);
  for (std::uint8_t i = 0; i < 20; ++i) {
    auto outcome = i % 3 == 0   ? DeliveryLog::Outcome::invalid
                   : i % 3 == 1 ? DeliveryLog::Outcome::valid
                                : DeliveryLog::Outcome::ignored;
    log.put(Bytes{i}, outcome, {}, start);
  }
  for (int peer = 0; peer < 200; ++peer) {
    for (std::uint8_t i = 0; i < 20; ++i) log.copy(Bytes{i}, named("sybil", peer), 10ms, start + 5ms);
  }
  EXPECT_LE(log.senders(), 20 * DeliveryLog::kSendersPerRecordMax);
}

TEST(DeliveryLogBounds, AValidCopyCountsInItsWindowOnlyAndAnInvalidOneAlwaysEvenOfNewIdentities) {
  Instant start{Duration(1h)};
  DeliveryLog log(120s, 1000);
  log.put(Bytes{1}, DeliveryLog::Outcome::valid, {}, start);
  log.put(Bytes{2}, DeliveryLog::Outcome::invalid, {}, start);
  EXPECT_TRUE(log.copy(Bytes{1}, named("a", 0), 10ms, start + 10ms));
  EXPECT_FALSE(log.copy(Bytes{1}, named("a", 0), 10ms, start + 10ms)) << "once per peer";
  EXPECT_FALSE(log.copy(Bytes{1}, named("a", 1), 10ms, start + 11ms));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(log.copy(Bytes{2}, named("a", i), 10ms, start + 1s)) << i;
  EXPECT_EQ(log.senders(), 1 + DeliveryLog::kSendersMax);
}

CachedMessage cached(std::size_t size, Instant since, std::set<PeerId> known_by = {}) {
  auto message = std::make_shared<const PubsubMessage>(make_unsigned("t", Bytes(size)));
  auto encoded = std::make_shared<const Bytes>(message->encode());
  return {message, encoded, since, std::move(known_by), 0, 0};
}

MessageId id_of(std::uint32_t i) {
  return Bytes{std::uint8_t(i >> 24), std::uint8_t(i >> 16), std::uint8_t(i >> 8), std::uint8_t(i)};
}

TEST(MessageCacheBounds, ForgetsTheOldestFirstAndCountsPeersToo) {
  Instant now{Duration(1h)};
  PeerId bob = named("b", 0);
  Outbox outbox;
  std::size_t entry = 2 * cached(100, now).encoded->size() + MessageCache::kEntryBytes;
  MessageCache cache(3, 10 * entry);
  for (std::uint32_t i = 0; i < 25; ++i) cache.put(id_of(i), cached(100, now));
  EXPECT_EQ(cache.size(), 10u);
  EXPECT_EQ(cache.find(id_of(14)), nullptr);
  ASSERT_NE(cache.find(id_of(15)), nullptr);
  EXPECT_EQ(cache.bytes(), 10 * entry);
  cache.note_known(id_of(20), bob, PeerClass::registered);
  EXPECT_EQ(cache.size(), 9u) << "whoever knows it takes place too";
  EXPECT_EQ(cache.bytes(), 9 * entry + MessageCache::kPeerBytes);
  EXPECT_EQ(cache.announceable("t", bob, outbox, 3, now).size(), 8u);
  for (int i = 0; i < 3; ++i) cache.shift();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

// A quarter of a million evictions took minutes when each moved the window they came from.
TEST(MessageCacheBounds, AFloodIsForgottenAsFastAsItComes) {
  Instant now{Duration(1h)};
  CachedMessage one = cached(10, now);
  std::size_t entry = 2 * one.encoded->size() + MessageCache::kEntryBytes;
  MessageCache cache(43, 100'000 * entry);
  auto began = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < 350'000; ++i) cache.put(id_of(i), one);
  EXPECT_EQ(cache.size(), 100'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 60s);
}

}  // namespace
}  // namespace kms::net
