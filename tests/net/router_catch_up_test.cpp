// What it may cost to tell peers what they missed: whatever they do, a heartbeat looks at a bounded number of cached
// messages, for members first, then in turn; and no request makes the cache forget.
#include <gtest/gtest.h>

#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

struct CatchUp : MeshRules {
  // Own messages that are older than the regular announcements, and read by everybody who hears them.
  std::set<MessageId> fill_cache(std::size_t count) {
    std::set<MessageId> ids;
    for (std::size_t i = 0; i < count; ++i) {
      ids.insert(node->router.publish("t", Bytes(10), world.now)->id);
      if (i % 20 == 0) read_all();
    }
    run(3500ms);
    read_all();
    return ids;
  }
  void read_all() {
    for (const RawPeer& peer : peers) received_by(peer);
    bodies.clear();
  }
  std::size_t told(const RawPeer& peer) {
    std::size_t ids = 0;
    for (const auto& ihave : received_by(peer).ihave) ids += ihave.ids.size();
    return ids;
  }
  void reopen(const RawPeer& peer) {
    node->absorb(node->router.outbound_opened(peer.id(), MeshsubVersion::v1_2, world.now));
  }
  void subscribe(const RawPeer& peer, std::span<const std::string> topics) {
    send(peer, [&](RpcWriter& writer) {
      for (const std::string& topic : topics) writer.subscription(true, topic);
    });
  }
  void leave(const RawPeer& peer) { node->router.peer_removed(peer.id(), world.now); }
  void come_back(const RawPeer& peer, PeerClass peer_class = PeerClass::light) {
    node->absorb(node->router.peer_added(peer.id(), peer_class, world.now));
    reopen(peer);
    subscribe(peer, std::vector<std::string>{"t"});
  }
  std::uint64_t looks() const { return node->router.counters().caught_up; }
  // `peers` lose their stream to us and subscribe anew, every 350 ms.
  void resubscribe(std::span<const std::string> topics, int rounds) {
    for (int i = 0; i < rounds; ++i) {
      for (const RawPeer& peer : peers) {
        node->router.inbound_closed(peer.id());
        subscribe(peer, topics);
      }
      run(350ms);
      read_all();
    }
  }
};

TEST_F(CatchUp, StrangersThatResubscribeInALoopAreToldAFewTimesOnly) {
  start(24, mesh_options(), PeerClass::light);
  fill_cache(500);
  std::vector<std::string> topics{"t"};
  for (int i = 0; i < 63; ++i) topics.push_back("made up " + std::to_string(i));
  std::uint64_t before = looks();
  resubscribe(topics, 60);
  EXPECT_GE(looks() - before, 24u * 3 * 500);
  EXPECT_LE(looks() - before, 24u * 6 * 500) << "three at once and one in ten seconds each, in one walk for all topics";
}

TEST_F(CatchUp, WhoFollowsNoTopicOfOursMissesNothing) {
  start(4, mesh_options(), PeerClass::light);
  fill_cache(100);
  std::vector<std::string> topics;
  for (int i = 0; i < 64; ++i) topics.push_back("made up " + std::to_string(i));
  resubscribe(topics, 1);
  std::uint64_t before = looks();
  resubscribe(topics, 20);
  EXPECT_EQ(looks(), before);
}

TEST_F(CatchUp, AHeartbeatLooksAtSoManyMessagesForMembersFirstAndThenForWhoWaitedLongest) {
  RouterOptions options = mesh_options();
  options.catch_up_looks_max = 100;
  start(4, options, PeerClass::light);
  RawPeer& member = add_peer(PeerClass::committee);
  fill_cache(100);
  run(10s);
  read_all();
  for (const RawPeer& peer : peers) reopen(peer);
  std::vector<std::size_t> told_at(peers.size(), 0);
  for (std::size_t beat = 1; beat <= peers.size(); ++beat) {
    std::uint64_t before = looks();
    run(700ms);
    EXPECT_LE(looks() - before, 100u);
    std::size_t served = 0;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (told(peers[i]) < 100) continue;
      ++served;
      EXPECT_EQ(told_at[i], 0u) << "everybody once before anybody twice";
      told_at[i] = beat;
      if (i < 4) reopen(peers[i]);  // and again
    }
    EXPECT_EQ(served, 1u);
  }
  EXPECT_EQ(told_at.back(), 1u) << member.id().text();
  for (std::size_t beat : told_at) EXPECT_GT(beat, 0u);
}

TEST_F(CatchUp, APeerStartsAnewThreeTimesAndThenOnceInTenSecondsAndLeavingWashesNothingOff) {
  start(1, mesh_options(), PeerClass::light);
  RawPeer& eve = peers[0];
  fill_cache(30);
  std::vector<std::size_t> heard;
  for (int i = 0; i < 4; ++i) {
    reopen(eve);
    run(700ms);
    heard.push_back(told(eve));
  }
  EXPECT_EQ(heard, (std::vector<std::size_t>{30, 30, 30, 0}));
  leave(eve);
  come_back(eve);
  run(700ms);
  EXPECT_EQ(told(eve), 0u);
  run(8s);
  EXPECT_EQ(told(eve), 30u) << "late, and not lost";
}

TEST_F(CatchUp, WhatIsTooMuchForAHeartbeatGoesOnWithoutPayingAgain) {
  RouterOptions options = mesh_options();
  options.ihave_ids_max = 10;
  start(1, options, PeerClass::light);
  fill_cache(80);
  reopen(peers[0]);
  std::size_t heard = 0;
  for (int i = 0; i < 10; ++i) {
    run(700ms);
    heard += told(peers[0]);
  }
  EXPECT_EQ(heard, 80u);
}

TEST_F(CatchUp, AnAnswerThatFoundNoRoomIsNotUsedUpAndIsAnnouncedAgain) {
  RouterOptions options = mesh_options();
  options.outbox_limits.rpcs = 1;
  start(1, options);
  MessageId id = *fill_cache(1).begin();
  auto ask = [&] { send(peers[0], [&](RpcWriter& writer) { writer.iwant({&id, 1}); }); };
  MessageId other = node->router.publish("t", Bytes(70'000), world.now)->id;
  for (int i = 0; i < 5; ++i) ask();
  auto rpc = received_by(peers[0]);
  ASSERT_EQ(rpc.messages.size(), 1u) << "the queue has room for one";
  EXPECT_EQ(message_id(MessageIdMode::content, PubsubMessage::from_view(rpc.messages[0])), other);
  run(700ms);
  std::set<MessageId> announced;
  for (const auto& ihave : received_by(peers[0]).ihave) {
    for (ByteView raw : ihave.ids) announced.insert(to_bytes(raw));
  }
  EXPECT_TRUE(announced.contains(id));
  std::vector<std::size_t> answers;
  for (int i = 0; i < 4; ++i) {
    ask();
    answers.push_back(received_by(peers[0]).messages.size());
  }
  EXPECT_EQ(answers, (std::vector<std::size_t>{1, 1, 1, 0}));
}

TEST_F(CatchUp, WhatLightPeersAskForAndSendDoesNotMakeTheCacheForget) {
  RouterOptions options = mesh_options();
  options.cache_bytes_max = 64 * 1024;
  start(40, options, PeerClass::light);
  RawPeer& bob = add_peer();
  std::vector<MessageId> ids;
  for (std::uint64_t i = 0; i < 25; ++i) {
    PubsubMessage message = message_of(bob, "m", 10 + i);
    send_message(peers[i], message);
    answer_last();
    ids.push_back(node->delivered.back().id);
    for (std::size_t copy = 0; copy < 40; ++copy) send_message(peers[copy], message);
  }
  read_all();
  for (std::size_t i = 0; i < 40; ++i) {
    send(peers[i], [&](RpcWriter& writer) { writer.iwant(ids); });
  }
  RawPeer& carol = add_peer();
  send(carol, [&](RpcWriter& writer) { writer.iwant(ids); });
  EXPECT_EQ(received_by(carol).messages.size(), 25u);
}

TEST(AnswersCount, OfEachMessageByItselfAndForgotTheOldOnes) {
  Answers answers;
  answers.add(10, 5);
  answers.add(10, 5);
  answers.add(7, 6);
  EXPECT_EQ(answers.of(10), 2u);
  EXPECT_EQ(answers.of(7), 1u);
  EXPECT_EQ(answers.of(8), 0u);
  EXPECT_EQ(answers.of(4), 0u);
  answers.add(12, 9);
  EXPECT_EQ(answers.of(10), 2u);
  EXPECT_EQ(answers.of(7), 0u);
  EXPECT_LE(answers.size(), 4u);
  for (int i = 0; i < 300; ++i) answers.add(20, 20);
  EXPECT_EQ(answers.of(20), 255u);
  EXPECT_EQ(answers.size(), 1u);
}

}  // namespace
}  // namespace kms::net
