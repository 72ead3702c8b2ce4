// What announcements that are not kept cost: strangers everything, members their share of our questions and their
// standing but never their place; the slow less than liars.
#include <gtest/gtest.h>

#include "tests/net/fixtures.h"
#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

struct Announcing : MeshRules {
  std::vector<Bytes> junk_ids(std::size_t count) {
    std::vector<Bytes> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(to_bytes(junk.array<20>()));
    return ids;
  }
  void announce(const RawPeer& peer, std::span<const MessageId> ids) {
    send(peer, [&](RpcWriter& writer) { writer.ihave("t", ids); });
  }
  // How many of `count` made-up ids it was asked for.
  std::size_t asked(const RawPeer& peer, std::size_t count) {
    received_by(peer);
    announce(peer, junk_ids(count));
    std::size_t ids = 0;
    for (const auto& iwant : received_by(peer).iwant) ids += iwant.ids.size();
    return ids;
  }
  // Announces one message per heartbeat and brings each this much later, or never.
  double lowest_score(const RawPeer& peer, std::optional<Duration> lag) {
    std::deque<std::pair<Instant, PubsubMessage>> due;
    double lowest = 0;
    for (int beat = 0; beat < 90; ++beat) {
      PubsubMessage message = message_of(peers.back(), "m", ++seqno);
      MessageId id = message_id(MessageIdMode::content, message);
      announce(peer, {&id, 1});
      received_by(peer);
      if (lag) due.emplace_back(world.now.instant + *lag, message);
      for (; !due.empty() && world.now.instant >= due.front().first; due.pop_front()) {
        send_message(peer, due.front().second);
      }
      run(700ms);
      lowest = std::min(lowest, score(peer));
    }
    return lowest;
  }
  sim::Random junk{5};
  std::uint64_t seqno = 100;
};

TEST_F(Announcing, OneMemberGetsHalfOfWhatIsFreeAndLeavesAsMuchToTheNext) {
  RouterOptions options = mesh_options();
  options.wanted_ids_max = 800;
  start(4, options, PeerClass::committee);
  RawPeer& light = add_peer(PeerClass::light);
  EXPECT_EQ(asked(peers[0], 2000), 400u);
  EXPECT_EQ(asked(light, 2000), 0u) << "the other half is for members";
  EXPECT_EQ(asked(peers[1], 2000), 200u);
  EXPECT_EQ(asked(peers[2], 2000), 100u);
  EXPECT_EQ(asked(peers[3], 10), 10u);
}

TEST_F(Announcing, AMembersBrokenPromisesCostItsShareAndItsStandingAndNeverItsPlace) {
  start(3, mesh_options(), PeerClass::committee);
  send_graft(peers[0]);
  double lowest = 1000;
  for (int beat = 0; beat < 40; ++beat) {
    for (int i = 0; i < 10; ++i) announce(peers[0], junk_ids(200));
    run(700ms);
    received_by(peers[0]);
    lowest = std::min(lowest, score(peers[0]));
  }
  EXPECT_LT(score(peers[0]), 50) << "nothing that it offers is taken";
  EXPECT_GE(lowest, 0);
  EXPECT_TRUE(is_in_mesh(peers[0]));
  EXPECT_TRUE(node->pick<PeerGraylisted>().empty());
  EXPECT_LE(node->router.wanted(), 10'000u / 32) << "five broken ones count";
  EXPECT_EQ(asked(peers[1], 2000), 2000u);
  std::size_t before = node->delivered.size();
  send_message(peers[0], message_of(peers[0], "still heard", ++seqno));
  EXPECT_EQ(node->delivered.size(), before + 1);
  MessageId id = node->router.publish("t", Bytes(10), world.now)->id;
  received_by(peers[0]);
  send(peers[0], [&](RpcWriter& writer) { writer.iwant({&id, 1}); });
  EXPECT_EQ(received_by(peers[0]).messages.size(), 1u) << "and answered";
  run(20s);
  EXPECT_GE(score(peers[0]), 100) << "it wears off";
  EXPECT_EQ(asked(peers[0], 2000), 2000u);
}

TEST_F(Announcing, AMembersOtherFaultsCountOnTop) {
  start(1, mesh_options(), PeerClass::committee);
  for (int i = 0; i < 10; ++i) announce(peers[0], junk_ids(10));
  run(4s);
  EXPECT_DOUBLE_EQ(node->router.misbehaviour(peers[0].id()), 5);
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", 60); });
  for (int i = 0; i < 3; ++i) send_graft(peers[0]);
  EXPECT_DOUBLE_EQ(node->router.misbehaviour(peers[0].id()), 11);
  run(700ms);
  EXPECT_EQ(node->pick<PeerGraylisted>().size(), 1u);
}

TEST_F(Announcing, ALateAnswerTakesItsFaultBackAndAForgedOneDoesNot) {
  start(2, mesh_options(), PeerClass::light);
  PubsubMessage message = message_of(peers[1], "late", 1);
  MessageId id = message_id(MessageIdMode::content, message);
  announce(peers[0], {&id, 1});
  run(4200ms);
  EXPECT_EQ(node->router.counters().broken_promises, 1u);
  EXPECT_GT(node->router.misbehaviour(peers[0].id()), 0);
  PubsubMessage forged = message;
  forged.signature->at(12) ^= 1;
  send_message(peers[0], forged);
  EXPECT_GT(node->router.misbehaviour(peers[0].id()), 0);
  send_message(peers[1], message);
  EXPECT_GT(node->router.misbehaviour(peers[0].id()), 0) << "somebody else did what it had promised";
  send_message(peers[0], message);
  EXPECT_LT(node->router.misbehaviour(peers[0].id()), 0.15);
  EXPECT_EQ(node->router.counters().redeemed_promises, 1u);
  send_message(peers[0], message);
  EXPECT_EQ(node->router.counters().redeemed_promises, 1u) << "once";
}

TEST_F(Announcing, LateAnswersDoNotWashOtherFaultsOff) {
  start(2, mesh_options(), PeerClass::light);
  send(peers[0], [](RpcWriter& writer) { writer.prune("t", 60); });
  PubsubMessage message = message_of(peers[1], "late", 1);
  MessageId id = message_id(MessageIdMode::content, message);
  announce(peers[0], {&id, 1});
  run(3500ms);
  send_graft(peers[0]);
  run(20s);
  double before = node->router.misbehaviour(peers[0].id());
  EXPECT_GT(before, 0.2);
  send_message(peers[0], message);
  double after = node->router.misbehaviour(peers[0].id());
  EXPECT_LT(after, before);
  EXPECT_GT(after, before * 0.6) << "two of the graft, one of the promise, all decayed alike";
}

TEST_F(Announcing, ASlowStrangerKeepsBeingAskedAndALiarDoesNot) {
  start(2, mesh_options(), PeerClass::light);
  add_peer(PeerClass::light);  // writes, and brings nothing itself
  EXPECT_GE(lowest_score(peers[0], 5s), -100);
  EXPECT_LT(lowest_score(peers[1], std::nullopt), -100);
}

TEST(WantedIdsCount, WhatIsAskedOfEachPeerThroughItsWholeLife) {
  PeerId a = identity_named("a").peer_id(), b = identity_named("b").peer_id();
  Instant now{Duration(1h)};
  WantedIds wanted(500ms);
  using Answer = WantedIds::Answer;
  EXPECT_EQ(wanted.announced(Bytes{1}, a, {10, 0}, now), Answer::ask);
  EXPECT_EQ(wanted.announced(Bytes{1}, b, {10, 0}, now), Answer::wait);
  EXPECT_EQ(wanted.announced(Bytes{2}, a, {10, 0}, now), Answer::ask);
  EXPECT_EQ(wanted.announced(Bytes{3}, a, {10, 2}, now), Answer::no_place);
  EXPECT_EQ(wanted.asked_of(a), 2u);
  EXPECT_EQ(wanted.overdue(10, now + 500ms), (std::map<PeerId, std::vector<MessageId>>{{b, {Bytes{1}}}}));
  EXPECT_EQ(wanted.asked_of(a), 1u);
  EXPECT_EQ(wanted.asked_of(b), 1u);
  EXPECT_EQ(wanted.announced(Bytes{1}, a, {10, 0}, now + 1s), Answer::ask) << "b had its time";
  EXPECT_EQ(wanted.arrived(Bytes{1}), std::vector<PeerId>{a});
  EXPECT_EQ(wanted.asked_of(b), 0u);
  wanted.expire(3s, now + 3s);
  EXPECT_EQ(wanted.size(), 0u);
  EXPECT_EQ(wanted.asked_of(a), 0u);
  EXPECT_EQ(wanted.announced(Bytes{4}, b, {10, 0}, now), Answer::ask);
  wanted.left(b);
  EXPECT_EQ(wanted.size() + wanted.asked_of(b), 0u);
}

}  // namespace
}  // namespace kms::net
