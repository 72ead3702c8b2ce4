// Cases of go-libp2p-pubsub's own tests that no other file here has; docs/LIBP2P.md, 10, says where the others are.
#include <gtest/gtest.h>

#include "fixtures.h"
#include "mesh_rules.h"
#include "net/message_cache.h"

namespace kms::net {
namespace {

using GoGossipsub = MeshRules;

// TestMessageCache: five windows, of which three are announced, ten messages each.
TEST(GoMessageCache, HoldsFiveWindowsAndAnnouncesThree) {
  const Identity author = identity_named("alice");
  const PeerId bob = identity_named("bob").peer_id();
  const Instant now{Duration(1h)};
  Outbox nothing_queued;
  MessageCache cache(5, std::size_t{1} << 24);
  std::vector<MessageId> ids;
  auto put_ten = [&] {
    for (int i = 0; i < 10; ++i) {
      CachedMessage entry;
      PubsubMessage message = make_signed(author, "test", Bytes(10, 1), ids.size());
      entry.encoded = std::make_shared<const Bytes>(message.encode());
      ids.push_back(message_id(MessageIdMode::content, message));
      entry.message = std::make_shared<const PubsubMessage>(std::move(message));
      entry.since = now;
      cache.put(ids.back(), std::move(entry));
    }
  };
  auto announced = [&] {
    std::set<MessageId> out;
    for (const auto& one : cache.announceable("test", bob, nothing_queued, 3, now)) out.insert(one.id);
    return out;
  };
  auto of = [&](std::size_t from, std::size_t until) {
    return std::set<MessageId>(ids.begin() + static_cast<std::ptrdiff_t>(from),
                               ids.begin() + static_cast<std::ptrdiff_t>(until));
  };
  put_ten();
  EXPECT_EQ(announced(), of(0, 10));
  cache.shift();
  put_ten();
  EXPECT_EQ(announced(), of(0, 20));
  for (int i = 0; i < 4; ++i) {
    cache.shift();
    put_ten();
  }
  EXPECT_EQ(cache.size(), 50u);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(cache.find(ids[i]) != nullptr, i >= 10) << i;
  EXPECT_EQ(announced(), of(30, 60));
}

// TestGossipsubIdontwantIncompat and TestGossipsubIdontwantSmallMessage.
TEST_F(GoGossipsub, IdontwantIsNotSentToOlderPeersNorForSmallMessages) {
  start(2);
  RawPeer& old = add_peer(PeerClass::registered, MeshsubVersion::v1_1);
  send_graft(peers[1]);
  send_graft(old);
  send_message(peers[0], message_of(peers[0], "small", 1));
  EXPECT_TRUE(received_by(peers[1]).idontwant.empty());
  send_message(peers[0], message_of(peers[0], std::string(2000, 'x'), 2));
  EXPECT_EQ(received_by(peers[1]).idontwant.size(), 1u);
  EXPECT_TRUE(received_by(old).idontwant.empty());
}

// TestGossipsubIdontwantBeforeIwant.
TEST_F(GoGossipsub, IwantHasNoEffectAfterIdontwant) {
  start(3);
  auto message = message_of(peers[0], std::string(2000, 'x'));
  const MessageId id = message_id(MessageIdMode::content, message);
  send(peers[1], [&](RpcWriter& writer) { writer.idontwant({&id, 1}); });
  send_message(peers[0], message);
  answer_last();
  for (auto& peer : peers) received_by(peer);
  for (std::size_t i : {1u, 2u}) send(peers[i], [&](RpcWriter& writer) { writer.iwant({&id, 1}); });
  EXPECT_TRUE(received_by(peers[1]).messages.empty());
  EXPECT_EQ(received_by(peers[2]).messages.size(), 1u);
}

// TestSubscriptionFilterDeduplication: of one topic in one RPC the last word counts.
TEST_F(GoGossipsub, OfRepeatedSubscriptionsTheLastCounts) {
  start(2);
  send(peers[1], [](RpcWriter& writer) {
    for (bool subscribe : {true, true, false}) writer.subscription(subscribe, "t");
  });
  send_message(peers[0], message_of(peers[0], "one", 1));
  answer_last();
  EXPECT_TRUE(received_by(peers[1]).messages.empty());
  send(peers[1], [](RpcWriter& writer) {
    for (bool subscribe : {true, false, true}) writer.subscription(subscribe, "t");
  });
  send_graft(peers[1]);
  send_message(peers[0], message_of(peers[0], "two", 2));
  answer_last();
  EXPECT_EQ(received_by(peers[1]).messages.size(), 1u);
}

// TestGossipsubMultipleGraftTopics.
TEST_F(GoGossipsub, OneRpcMayGraftSeveralTopics) {
  start(1);
  for (const char* topic : {"u", "v"}) {
    node->absorb(*node->router.subscribe(topic, world.now));
    send(peers[0], [&](RpcWriter& writer) { writer.subscription(true, topic); });
  }
  send(peers[0], [](RpcWriter& writer) {
    for (const char* topic : {"t", "u", "v"}) writer.graft(topic);
  });
  for (const char* topic : {"t", "u", "v"}) EXPECT_EQ(node->router.grafted(topic).size(), 1u) << topic;
}

// TestGossipsubForwardAfterIgnore's first half: what a node in the middle ignores goes no further, and it costs nobody
// any score. (Ours are bound to their author, so the node cannot publish another's message again.)
TEST_F(GoGossipsub, AnIgnoredMessageStopsAndCostsNoScore) {
  start(2);
  send_graft(peers[1]);
  const double before = node->router.score(peers[0].id());
  send_message(peers[0], message_of(peers[0], "one"));
  answer_last(Verdict::ignore);
  EXPECT_TRUE(received_by(peers[1]).messages.empty());
  EXPECT_GE(node->router.score(peers[0].id()), before);
}

}  // namespace
}  // namespace kms::net
