// Attacks at the level of RPCs, those that go-libp2p-pubsub tests among them: the attacker is scored, throttled and cut
// off, honest traffic goes on, memory stays bounded.
#include <gtest/gtest.h>

#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

struct Attack : MeshRules {
  // peers[0] attacks, the others are honest and in the mesh.
  void begin(RouterOptions options = mesh_options(), PeerClass attacker = PeerClass::light) {
    start(0, std::move(options));
    add_peer(attacker);
    for (int i = 0; i < 3; ++i) send_graft(add_peer());
    run(200ms);
  }
  RawPeer& eve() { return peers[0]; }
  std::vector<Bytes> junk_ids(std::size_t count) {
    std::vector<Bytes> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(to_bytes(world_random.array<20>()));
    return ids;
  }
  void expect_honest_traffic() {
    std::size_t before = node->delivered.size();
    send_message(peers[1], message_of(peers[1], "honest", ++seqno));
    ASSERT_EQ(node->delivered.size(), before + 1);
    received_by(peers[2]);
    answer_last();
    EXPECT_EQ(received_by(peers[2]).messages.size(), 1u);
    EXPECT_GE(score(peers[1]), 0);
  }
  void expect_cut_off() {
    EXPECT_LT(score(eve()), -400);
    EXPECT_EQ(node->pick<PeerGraylisted>().size(), 1u);
    std::uint64_t ignored = node->router.counters().graylisted_rpcs;
    std::size_t before = node->delivered.size();
    send_message(eve(), message_of(eve(), "listen", 1'000'000));
    EXPECT_EQ(node->delivered.size(), before);
    EXPECT_EQ(node->router.counters().graylisted_rpcs, ignored + 1);
  }

  sim::Random world_random{5};
  std::uint64_t seqno = 100;
};

TEST_F(Attack, AnIwantReplayIsAnsweredThreeTimes) {
  begin();
  send_message(peers[1], message_of(peers[1], "hello"));
  MessageId id = node->delivered.back().id;
  answer_last();
  received_by(eve());
  std::size_t answers = 0;
  for (int i = 0; i < 50; ++i) {
    send(eve(), [&](RpcWriter& writer) { writer.iwant({&id, 1}); });
    answers += received_by(eve()).messages.size();
    if (i % 5 == 4) run(100ms);
  }
  EXPECT_EQ(answers, 3u);
  expect_honest_traffic();
}

TEST_F(Attack, IwantMessagesBeyondTheLimitOfAHeartbeatAreIgnored) {
  RouterOptions options = mesh_options();
  options.iwant_retransmissions = 1000;
  begin(options);
  send_message(peers[1], message_of(peers[1], "hello"));
  MessageId id = node->delivered.back().id;
  answer_last();
  received_by(eve());
  std::size_t answers = 0;
  for (int i = 0; i < 200; ++i) {
    send(eve(), [&](RpcWriter& writer) { writer.iwant({&id, 1}); });
    answers += received_by(eve()).messages.size();
  }
  EXPECT_EQ(answers, 10u);
}

// go: TestGossipsubAttackSpamIHAVE.
TEST_F(Attack, AnIhaveFloodIsThrottledAndItsBrokenPromisesCutTheFlooderOff) {
  begin();
  std::size_t asked = 0;
  for (int i = 0; i < 200; ++i) {
    auto ids = junk_ids(50);
    send(eve(), [&](RpcWriter& writer) { writer.ihave("t", ids); });
    for (const auto& iwant : received_by(eve()).iwant) asked += iwant.ids.size();
  }
  EXPECT_EQ(asked, 10u * 50) << "ten messages a heartbeat";
  EXPECT_GE(score(eve()), 0);
  auto one = junk_ids(2000);
  run(700ms);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", one); });
  auto two = junk_ids(500);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", two); });
  for (const auto& iwant : received_by(eve()).iwant) asked += iwant.ids.size();
  EXPECT_EQ(asked, 500u + 2000) << "two thousand ids a heartbeat";
  EXPECT_LE(node->router.wanted(), 10'000u);
  run(5s);
  EXPECT_GE(node->router.counters().broken_promises, 10u);
  expect_cut_off();
  EXPECT_EQ(node->router.wanted(), 0u) << "junk is given up with its promise";
  expect_honest_traffic();
}

TEST_F(Attack, JunkAnnouncementsDoNotKeepHonestOnesFromBeingFollowed) {
  RouterOptions options = mesh_options();
  options.wanted_ids_max = 500;
  begin(options);
  auto ids = junk_ids(2000);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", ids); });
  EXPECT_EQ(node->router.wanted(), 125u) << "half of the places are kept for members, and half of the rest is left";
  run(5s);
  auto one = junk_ids(1);
  received_by(peers[2]);
  send(peers[2], [&](RpcWriter& writer) { writer.ihave("t", one); });
  EXPECT_EQ(received_by(peers[2]).iwant.size(), 1u);
}

TEST_F(Attack, APromiseIsKeptByWhoeverBringsTheMessageAndNotByAForgery) {
  begin();
  auto message = message_of(peers[1], "hello");
  MessageId id = message_id(MessageIdMode::content, message);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", {&id, 1}); });
  send_message(peers[2], message);
  run(5s);
  EXPECT_EQ(node->router.misbehaviour(eve().id()), 0);
  auto other = message_of(peers[1], "again", 2);
  MessageId other_id = message_id(MessageIdMode::content, other);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", {&other_id, 1}); });
  other.signature->at(12) ^= 1;
  send_message(peers[3], other);
  run(3500ms);
  EXPECT_EQ(node->router.counters().broken_promises, 1u);
  EXPECT_GT(node->router.misbehaviour(eve().id()), 0);
}

TEST_F(Attack, BelowTheGossipThresholdNeitherAnnouncementsNorRequestsAreFollowed) {
  begin();
  send_message(peers[1], message_of(peers[1], "hello"));
  MessageId id = node->delivered.back().id;
  answer_last();
  node->router.set_application_score(eve().id(), -101);
  received_by(eve());
  auto ids = junk_ids(3);
  send(eve(), [&](RpcWriter& writer) {
    writer.ihave("t", ids);
    writer.iwant({&id, 1});
  });
  auto rpc = received_by(eve());
  EXPECT_TRUE(rpc.iwant.empty());
  EXPECT_TRUE(rpc.messages.empty());
  send_message(eve(), message_of(eve(), "still heard"));
  EXPECT_EQ(node->delivered.size(), 2u);
}

// go: TestGossipsubAttackGRAFTDuringBackoff.
TEST_F(Attack, GraftsInTheBackoffArePunishedDoublyWhenSoonAndTheBackoffStartsAnew) {
  begin();
  send_graft(eve());
  ASSERT_TRUE(is_in_mesh(eve()));
  send(eve(), [](RpcWriter& writer) { writer.prune("t", 60); });
  received_by(eve());
  run(1s);
  send_graft(eve());
  EXPECT_FALSE(is_in_mesh(eve()));
  ASSERT_EQ(received_by(eve()).prunes.size(), 1u);
  EXPECT_EQ(node->router.misbehaviour(eve().id()), 2) << "within ten seconds";
  run(15s);
  double before = node->router.misbehaviour(eve().id());
  send_graft(eve());
  EXPECT_DOUBLE_EQ(node->router.misbehaviour(eve().id()), before + 1);
  run(50s);
  send_graft(eve());
  EXPECT_FALSE(is_in_mesh(eve())) << "the last refusal renewed it";
  run(61s);
  send_graft(eve());
  EXPECT_TRUE(is_in_mesh(eve())) << "patience is rewarded";
}

TEST_F(Attack, AGraftStormEndsInTheGraylist) {
  begin();
  send(eve(), [](RpcWriter& writer) { writer.prune("t", 60); });
  for (int i = 0; i < 10; ++i) send_graft(eve());
  run(700ms);
  EXPECT_FALSE(is_in_mesh(eve()));
  expect_cut_off();
  expect_honest_traffic();
}

// go: TestGossipsubAttackInvalidMessageSpam.
// Without a mesh places are few too: of light peers so many, and of nobody that misbehaves.
TEST_F(Attack, WhereThereIsNoMeshABackoffCountsToo) {
  RouterOptions options = mesh_options();
  options.policies.otherwise = TopicPolicy::committee;
  options.light_listeners_max = 1;
  start(2, options, PeerClass::light);
  RawPeer& member = add_peer(PeerClass::committee);
  node->router.set_peer_record(member.id(), Bytes(1000));
  send_graft(peers[1]);
  send_graft(eve());
  EXPECT_EQ(received_by(eve()).prunes.at(0).peers.size(), 1u) << "where else to go";
  EXPECT_EQ(score(eve()), 0);
  run(1s);
  send_graft(eve());
  auto again = received_by(eve());
  ASSERT_EQ(again.prunes.size(), 1u);
  EXPECT_TRUE(again.prunes[0].peers.empty()) << "no answer larger than the question";
  EXPECT_GT(node->router.misbehaviour(eve().id()), 0);
  EXPECT_EQ(node->router.counters().grafts_in_backoff, 1u);
  for (int i = 0; i < 12; ++i) send_graft(eve());
  run(700ms);
  expect_cut_off();
}

TEST_F(Attack, WhereThereIsNoMeshALeftPlaceIsNotTakenAgainAtOnce) {
  RouterOptions options = mesh_options();
  options.policies.otherwise = TopicPolicy::committee;
  start(1, options, PeerClass::light);
  send_graft(eve());
  ASSERT_TRUE(is_in_mesh(eve()));
  send(eve(), [](RpcWriter& writer) { writer.prune("t", 10); });
  EXPECT_FALSE(is_in_mesh(eve()));
  send_graft(eve());
  EXPECT_FALSE(is_in_mesh(eve()));
  EXPECT_EQ(node->router.counters().grafts_in_backoff, 1u);
  run(80s);
  send_graft(eve());
  EXPECT_TRUE(is_in_mesh(eve()));
}

TEST_F(Attack, WhereThereIsNoMeshWhoMisbehavesLosesItsPlace) {
  RouterOptions options = mesh_options();
  options.policies.otherwise = TopicPolicy::committee;
  start(2, options, PeerClass::light);
  for (auto& peer : peers) send_graft(peer);
  auto bad = message_of(eve(), "bad");
  bad.signature->at(15) ^= 1;
  send_message(eve(), bad);
  ASSERT_LT(score(eve()), 0);
  received_by(eve());
  run(700ms);
  EXPECT_FALSE(is_in_mesh(eve()));
  EXPECT_EQ(received_by(eve()).prunes.size(), 1u);
  EXPECT_TRUE(is_in_mesh(peers[1]));
  node->router.set_application_score(peers[1].id(), -1);
  send(peers[1], [](RpcWriter& writer) { writer.prune("t", 1); });
  run(30s);
  send_graft(peers[1]);
  EXPECT_FALSE(is_in_mesh(peers[1])) << "nor gets one";
}

// The second bound of what waits for a verdict: bytes.
TEST_F(Attack, WhatWaitsForItsVerdictIsBoundedInBytes) {
  RouterOptions options = mesh_options();
  options.validating_bytes_max = 10'000;
  begin(options);
  const std::string text(4'000, 'x');
  for (int i = 0; i < 5; ++i) send_message(peers[1], message_of(peers[1], text + std::to_string(i), ++seqno));
  EXPECT_EQ(node->delivered.size(), 2u);
  EXPECT_EQ(node->refusals().back(), Refusal::queue_full);
  EXPECT_GE(score(peers[1]), 0);
  for (const auto& delivery : node->delivered) {
    node->absorb(node->router.validated(delivery.id, Verdict::ignore, world.now));
  }
  send_message(peers[1], message_of(peers[1], text, ++seqno));
  EXPECT_EQ(node->delivered.size(), 3u) << "verdicts make room";
}

TEST_F(Attack, InvalidMessagesCutTheirSenderOffAndCostNoMoreSignatureChecks) {
  begin();
  for (std::uint64_t i = 0; i < 200; ++i) {
    auto message = message_of(eve(), "bad", i);
    message.signature->at(20) ^= 1;
    send_message(eve(), message);
  }
  EXPECT_LT(node->router.counters().signatures_checked, 10u);
  run(700ms);
  EXPECT_FALSE(is_in_mesh(eve()));
  expect_cut_off();
  expect_honest_traffic();
}

TEST_F(Attack, EverybodyWhoSentARejectedMessageIsBlamedAlsoAfterwardsAndNobodyForAnIgnoredOne) {
  begin();
  auto bad = message_of(eve(), "bad");
  send_message(eve(), bad);
  send_message(peers[1], bad);
  answer_last(Verdict::reject);
  double at_once = score(peers[1]);
  EXPECT_LT(score(eve()), -10);
  EXPECT_LT(at_once, score(peers[2]));
  double before = score(peers[2]);
  send_message(peers[2], bad);
  EXPECT_DOUBLE_EQ(score(peers[2]), before - 20);
  send_message(peers[2], bad);
  EXPECT_DOUBLE_EQ(score(peers[2]), before - 20) << "once per message";
  before = score(peers[3]);
  send_message(peers[3], message_of(peers[3], "early"));
  answer_last(Verdict::ignore);
  EXPECT_DOUBLE_EQ(score(peers[3]), before);
}

TEST_F(Attack, WhoAnnouncedOrDeclinedARejectedMessageIsNotBlamed) {
  begin();
  auto bad = message_of(eve(), "bad");
  MessageId id = message_id(MessageIdMode::content, bad);
  send_message(eve(), bad);
  double before = score(peers[1]);
  send(peers[1], [&](RpcWriter& writer) { writer.ihave("t", {&id, 1}); });
  send(peers[1], [&](RpcWriter& writer) { writer.idontwant({&id, 1}); });
  answer_last(Verdict::reject);
  EXPECT_DOUBLE_EQ(score(peers[1]), before);
}

TEST_F(Attack, WhatComesInOurOwnNameIsDroppedWithoutACheckForgedOrReplayed) {
  begin();
  double before = score(eve());
  auto forged = make_signed(node->identity, "t", {1}, 1);
  forged.signature->at(15) ^= 1;
  const auto checked = node->router.counters().signatures_checked;
  for (int i = 0; i < 100; ++i) {
    send_message(eve(), forged);
    send_message(eve(), make_signed(node->identity, "t", {2}, 2));
  }
  EXPECT_EQ(node->router.counters().signatures_checked, checked);
  EXPECT_EQ(node->refusals().back(), Refusal::own_message);
  EXPECT_TRUE(node->delivered.empty());
  EXPECT_DOUBLE_EQ(score(eve()), before);
}

TEST_F(Attack, OversizedControlListsBreakTheWireAndNothingOfThemIsTaken) {
  begin();
  auto breaks = [&](const std::function<void(RpcWriter&)>& fill) {
    std::size_t before = node->pick<PeerBrokeWire>().size();
    send(eve(), fill);
    return node->pick<PeerBrokeWire>().size() == before + 1;
  };
  EXPECT_TRUE(breaks([](RpcWriter& writer) {
    for (int i = 0; i < 101; ++i) writer.graft("t");
  }));
  EXPECT_TRUE(breaks([](RpcWriter& writer) {
    for (int i = 0; i < 101; ++i) writer.prune("t", 1);
  }));
  EXPECT_TRUE(breaks([](RpcWriter& writer) {
    for (int i = 0; i < 101; ++i) writer.subscription(true, "s" + std::to_string(i));
  }));
  std::vector<ExchangePeer> offers(17, ExchangePeer{to_bytes(eve().id().bytes()), Bytes(10)});
  EXPECT_TRUE(breaks([&](RpcWriter& writer) { writer.prune("t", 1, offers); }));
  EXPECT_TRUE(node->pick<PeerPruned>().empty());
  EXPECT_EQ(node->router.wanted(), 0u);
  expect_honest_traffic();
}

// go and js announce up to 5000 ids at once.
TEST_F(Attack, IdsBeyondTheLimitAreNotHeededAndCostNoStream) {
  begin();
  auto ids = junk_ids(5000);
  send(eve(), [&](RpcWriter& writer) { writer.iwant(ids); });
  send(eve(), [&](RpcWriter& writer) { writer.idontwant(ids); });
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", ids); });
  EXPECT_TRUE(node->pick<PeerBrokeWire>().empty());
  EXPECT_GT(node->router.wanted(), 0u);
  EXPECT_LE(node->router.wanted(), mesh_options().rpc_limits.ids);
}

TEST_F(Attack, WhoLeavesTakesWhatItAnnouncedAlong) {
  begin();
  auto ids = junk_ids(100);
  send(eve(), [&](RpcWriter& writer) { writer.ihave("t", ids); });
  EXPECT_EQ(node->router.wanted(), 100u);
  node->router.peer_removed(eve().id(), world.now);
  EXPECT_EQ(node->router.wanted(), 0u);
}

TEST_F(Attack, AMessageWithForeignFieldsCostsItsNeighbourNothing) {
  begin();
  double before = score(eve());
  Bytes foreign = make_signed(node->identity, "t", {1}, 1).encode();
  append(foreign, Bytes{0x3a, 0x01, 0x01});  // field 7
  send(eve(), [&](RpcWriter& writer) { writer.message(foreign); });
  EXPECT_TRUE(node->pick<PeerBrokeWire>().empty());
  EXPECT_DOUBLE_EQ(score(eve()), before);
  expect_honest_traffic();
}

TEST_F(Attack, AnRpcOfForgedMessagesIsReadOnlyUntilItsSenderIsGraylisted) {
  begin();
  Bytes forged = make_signed(node->identity, "t", {1}, 1).encode();
  std::uint64_t before = node->router.counters().signatures_checked;
  send(eve(), [&](RpcWriter& writer) {
    for (std::uint8_t i = 0; i < 200; ++i) {
      PubsubMessage message = make_signed(Identity::generate(world_random), "t", {i}, 1);
      message.signature = Bytes(70, i);
      writer.message(message.encode());
    }
  });
  EXPECT_LT(node->router.counters().signatures_checked - before, 50u);
  expect_honest_traffic();
}

// go: TestGossipsubIdontwantReceive and its limits.
TEST_F(Attack, IdontwantIsCountedAndStoredWithinItsLimits) {
  RouterOptions options = mesh_options();
  options.idontwant_messages_max = 5;
  options.idontwant_ids_max = 10;
  begin(options);
  for (int i = 0; i < 50; ++i) {
    auto ids = junk_ids(40);
    send(eve(), [&](RpcWriter& writer) { writer.idontwant(ids); });
  }
  EXPECT_EQ(node->router.counters().idontwant_in, 50u);
}

TEST_F(Attack, IdsOfAnImpossibleLengthAreNeitherAskedForNorStored) {
  begin();
  received_by(eve());
  std::vector<Bytes> ids{Bytes(256, 1), Bytes(19, 1), {}};
  send(eve(), [&](RpcWriter& writer) {
    writer.ihave("t", ids);
    writer.iwant(ids);
    writer.idontwant(ids);
  });
  EXPECT_TRUE(received_by(eve()).iwant.empty());
  EXPECT_EQ(node->router.wanted(), 0u);
}

TEST_F(Attack, ReconnectingWashesNothingOff) {
  begin();
  for (std::uint64_t i = 0; i < 6; ++i) {
    auto message = message_of(eve(), "bad", i);
    message.signature->at(20) ^= 1;
    send_message(eve(), message);
  }
  double before = score(eve());
  EXPECT_LT(before, -400);
  node->router.peer_removed(eve().id(), world.now);
  run(10s);
  node->absorb(node->router.peer_added(eve().id(), PeerClass::light, world.now));
  EXPECT_LE(score(eve()), before + 1);
  EXPECT_LT(score(eve()), -400);
}

TEST_F(Attack, ManyPeersOnOneAddressLoseScoreTogether) {
  begin();
  for (int i = 0; i < 12; ++i) {
    RawPeer& sybil = add_peer(PeerClass::light);
    node->router.set_peer_origin(sybil.id(), {false, "1.2.3.4"});
  }
  EXPECT_DOUBLE_EQ(score(peers.back()), -160);
  send_graft(peers.back());
  EXPECT_FALSE(is_in_mesh(peers.back()));
  EXPECT_GE(score(peers[1]), 0);
}

TEST_F(Attack, ManyIdentitiesInARowLeaveBoundedTraces) {
  RouterOptions options = mesh_options();
  options.scores.retained_max = 20;
  options.mesh.backoffs_max = 20;
  begin(options);
  for (int i = 0; i < 60; ++i) {
    RawPeer& sybil = add_peer(PeerClass::light);
    send(sybil, [](RpcWriter& writer) { writer.prune("t", 3600); });
    send_graft(sybil);
    node->router.peer_removed(sybil.id(), world.now);
  }
  EXPECT_LE(node->router.scored_peers(), 4u + 20);
  expect_honest_traffic();
}

}  // namespace
}  // namespace kms::net
