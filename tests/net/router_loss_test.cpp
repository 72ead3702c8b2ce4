// Nothing is lost on the way between two neighbours: streams that die, queues that are full, peers that join a mesh or
// come back, and machines that stop for a while.
#include <gtest/gtest.h>

#include "tests/net/host_world.h"
#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

struct Loss : MeshRules {
  using MeshRules::answer_last;
  MessageId bring(const RawPeer& from, std::string_view text) {
    send_message(from, message_of(from, text, ++seqno));
    EXPECT_FALSE(node->delivered.empty());
    answer_last();
    return node->delivered.back().id;
  }
  std::set<MessageId> told(const RawPeer& peer) {
    std::set<MessageId> out;
    for (const auto& ihave : received_by(peer).ihave) {
      for (ByteView id : ihave.ids) out.insert(to_bytes(id));
    }
    return out;
  }
  void reopen(const RawPeer& peer) {
    node->absorb(node->router.outbound_opened(peer.id(), MeshsubVersion::v1_2, world.now));
  }
  std::uint64_t seqno = 100;
};

// The loss of the 30 minutes of chatter: outside all meshes a peer lives on announcements, and from its GRAFT on nobody
// announces to it.
TEST_F(Loss, WhatCameSinceTheLastAnnouncementReachesAPeerThatJoinsTheMesh) {
  start(2);
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", 3600); });
  run(800ms);
  received_by(peers[0]);
  MessageId id = bring(peers[1], "in between");
  EXPECT_TRUE(received_by(peers[0]).messages.empty());
  run(100ms);
  // It asks for a place itself, as peers of other clocks do.
  RouterOptions options = mesh_options();
  RawPeer& late = add_peer();
  MessageId second = bring(peers[1], "again");
  send_graft(late);
  run(700ms);
  EXPECT_TRUE(is_in_mesh(late));
  EXPECT_EQ(told(late), (std::set<MessageId>{id, second}));
  run(2s);
  EXPECT_TRUE(told(late).empty()) << "a member is told once";
}

TEST_F(Loss, WhatAStreamThatDiedHadTakenOrHadQueuedIsAnnouncedOnTheNextOne) {
  start(3);
  for (auto& peer : peers) send_graft(peer);
  run(800ms);
  MessageId framed = bring(peers[1], "in the stream");
  received_by(peers[0]);  // lost with it
  MessageId queued = bring(peers[1], "in the queue");
  node->router.outbound_closed(peers[0].id());
  MessageId meanwhile = bring(peers[1], "meanwhile");
  MessageId own = node->router.publish("t", {1, 2, 3}, world.now)->id;
  EXPECT_FALSE(node->router.next_frame(peers[0].id()));
  run(3s);
  reopen(peers[0]);
  received_by(peers[0]);
  run(700ms);
  std::set<MessageId> all{framed, queued, meanwhile, own};
  EXPECT_EQ(told(peers[0]), all);
  std::vector<MessageId> ids(all.begin(), all.end());
  send(peers[0], [&](RpcWriter& writer) { writer.iwant(ids); });
  EXPECT_EQ(received_by(peers[0]).messages.size(), 4u);
}

TEST_F(Loss, AStreamThatIsReplacedGoesOnWithWhatIsQueued) {
  start(2);
  send_graft(peers[0]);
  bring(peers[1], "hello");
  reopen(peers[0]);
  auto rpc = received_by(peers[0]);
  EXPECT_EQ(rpc.messages.size(), 1u);
  EXPECT_EQ(rpc.subscriptions.size(), 1u);
  EXPECT_EQ(rpc.grafts.size(), 1u);
}

TEST_F(Loss, WhatAFullQueueDroppedIsAnnouncedAlsoToAMemberOfTheMesh) {
  RouterOptions options = mesh_options();
  options.outbox_limits.rpcs = 2;
  options.outbox_limits.joined_messages = 1;
  start(2, options);
  send_graft(peers[0]);
  run(3s);
  received_by(peers[0]);
  bring(peers[1], "one");
  bring(peers[1], "two");
  MessageId dropped = bring(peers[1], "three");
  EXPECT_EQ(node->router.counters().dropped_messages, 1u);
  run(700ms);
  EXPECT_EQ(received_by(peers[0]).messages.size(), 2u) << "the announcement found no room either";
  run(700ms);
  EXPECT_TRUE(told(peers[0]).contains(dropped));
}

TEST_F(Loss, APeerWhoseOwnStreamBreaksIsToldWhenItSubscribesAgain) {
  start(2);
  send_graft(peers[0]);
  run(3s);
  node->router.inbound_closed(peers[0].id());
  MessageId id = bring(peers[1], "while it follows nothing");
  run(2s);
  EXPECT_TRUE(told(peers[0]).empty());
  send(peers[0], [](RpcWriter& writer) { writer.subscription(true, "t"); });
  run(700ms);
  EXPECT_TRUE(told(peers[0]).contains(id));
}

TEST_F(Loss, APeerThatComesBackIsToldWhatItMissedAndAfterHalfAMinuteNothing) {
  start(2);
  auto away = [&](Duration time) {
    node->router.peer_removed(peers[0].id(), world.now);
    MessageId id = bring(peers[1], "while it is away");
    run(time);
    node->absorb(node->router.peer_added(peers[0].id(), PeerClass::registered, world.now));
    reopen(peers[0]);
    send(peers[0], [](RpcWriter& writer) { writer.subscription(true, "t"); });
    received_by(peers[0]);
    run(700ms);
    return told(peers[0]).contains(id);
  };
  EXPECT_TRUE(away(15s));
  EXPECT_FALSE(away(40s));
}

TEST_F(Loss, ManyMissedMessagesAreAnnouncedOldestFirstWithinTheLimit) {
  RouterOptions options = mesh_options();
  options.ihave_ids_max = 40;
  start(2, options);
  run(800ms);
  std::set<MessageId> all;
  node->router.outbound_closed(peers[0].id());
  for (int i = 0; i < 100; ++i) {
    all.insert(bring(peers[1], "m"));
    run(10ms);
  }
  reopen(peers[0]);
  std::set<MessageId> heard;
  for (int i = 0; i < 4; ++i) {
    received_by(peers[0]);
    run(700ms);
    auto now = told(peers[0]);
    EXPECT_LE(now.size(), 40u);
    heard.insert(now.begin(), now.end());
  }
  EXPECT_EQ(heard, all);
}

// A slow link must not carry everything twice.
TEST_F(Loss, WhatIsStillQueuedForAPeerIsNeitherAnnouncedToItNorSentAgain) {
  RouterOptions options = mesh_options();
  start(2, options);
  run(800ms);
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", 3600); });
  auto own = node->router.publish("t", Bytes(1000), world.now);
  run(2s);
  send(peers[0], [&](RpcWriter& writer) { writer.iwant({&own->id, 1}); });
  auto rpc = received_by(peers[0]);
  EXPECT_EQ(rpc.messages.size(), 1u);
  EXPECT_TRUE(rpc.ihave.empty());
  send(peers[0], [&](RpcWriter& writer) { writer.iwant({&own->id, 1}); });
  EXPECT_EQ(received_by(peers[0]).messages.size(), 1u) << "after it left the queue it may be asked for";
}

// js forwards what it heard to its whole mesh, the author included.
TEST_F(Loss, OurOwnMessagesComingBackAreNobodysFault) {
  start(2);
  run(800ms);
  auto own = node->router.publish("t", {1, 2, 3}, world.now);
  auto rpc = received_by(peers[0]);
  ASSERT_EQ(rpc.messages.size(), 1u);
  auto echo = PubsubMessage::from_view(rpc.messages[0]);
  double before = score(peers[0]);
  std::size_t refused = node->pick<MessageRefused>().size();
  for (int i = 0; i < 50; ++i) send_message(peers[0], echo);
  EXPECT_DOUBLE_EQ(score(peers[0]), before);
  EXPECT_EQ(node->pick<MessageRefused>().size(), refused) << "they are copies like any others";
  // A run of ours that ended is still talked about.
  send_message(peers[1], make_signed(node->identity, "t", {9}, 1));
  EXPECT_DOUBLE_EQ(score(peers[1]), before);
  EXPECT_EQ(node->refusals().back(), Refusal::own_message);
  EXPECT_TRUE(node->delivered.empty());
}

TEST_F(Loss, AStopOfOurOwnMachineBreaksNobodysPromise) {
  start(1, mesh_options(), PeerClass::light);
  run(800ms);
  auto message = message_of(peers[0], "slow", 1);
  MessageId id = message_id(MessageIdMode::content, message);
  send(peers[0], [&](RpcWriter& writer) { writer.ihave("t", {&id, 1}); });
  EXPECT_EQ(received_by(peers[0]).iwant.size(), 1u);
  // Its answer waits in our socket, and the timer is served first.
  world.now.instant += 20s;
  node->absorb(node->router.tick(world.now));
  send_message(peers[0], message);
  run(10s);
  EXPECT_EQ(node->router.counters().broken_promises, 0u);
}

TEST(HostLoss, ALinkThatDiesSilentlyCostsNoMessage) {
  HostWorld world;
  HostOptions options = HostWorld::open_options();
  options.router.policies.otherwise = TopicPolicy::mesh;
  auto& alice = world.add("alice", options);
  auto& bob = world.add("bob", options);
  for (auto* node : {&alice, &bob}) ASSERT_TRUE(node->host.subscribe("t", world.now).has_value());
  ASSERT_TRUE(alice.host.set_peers({bob.address()}, world.now).has_value());
  world.run(2s);
  std::multiset<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    if (i == 30 || i == 130) world.unplug(bob);
    std::string text = std::to_string(i);
    for (auto* node : {&alice, &bob}) {
      ASSERT_TRUE(node->host.publish("t", to_bytes(as_bytes(text)), world.now).has_value());
    }
    sent.insert(text);
    world.run(100ms);
  }
  world.run(10s);
  EXPECT_EQ(alice.pick<PeerDisconnected>().size(), 2u);
  for (auto* node : {&alice, &bob}) {
    auto payloads = node->payloads();
    EXPECT_EQ(std::multiset<std::string>(payloads.begin(), payloads.end()), sent) << "each exactly once";
  }
}

}  // namespace
}  // namespace kms::net
