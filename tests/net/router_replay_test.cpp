// Old messages of members, played again by strangers: they cost no signature check, and nobody is blamed or robbed of
// its own words by it (LIBP2P.md 8.4, 8.5).
#include <gtest/gtest.h>

#include "tests/net/mesh_rules.h"

namespace kms::net {
namespace {

struct Replay : MeshRules {
  // peers[0] is a stranger that plays, peers[1] the member that wrote.
  void begin(SeqnoRule rule = SeqnoRule::once_per_listed_author) {
    RouterOptions options = mesh_options();
    options.policies.otherwise = TopicPolicy::committee;
    options.seqnos = rule;
    start(0, std::move(options));
    add_peer(PeerClass::light);
    add_peer(PeerClass::committee);
    list_members({member().id()});
  }
  void list_members(const std::vector<PeerId>& members) {
    TopicAccess access;
    for (const PeerId& id : members) access.classes.emplace(id, PeerClass::committee);
    node->router.set_access(std::move(access));
  }
  const RawPeer& player() { return peers[0]; }
  const RawPeer& member() { return peers[1]; }
  std::uint64_t checks() const { return node->router.counters().signatures_checked; }
  void accept(const PubsubMessage& message) {
    const auto before = node->delivered.size();
    send_message(member(), message);
    ASSERT_EQ(node->delivered.size(), before + 1);
    answer_last();
  }
};

TEST_F(Replay, WhatAMemberSaidLongAgoCostsNoSignatureCheck) {
  begin();
  std::vector<PubsubMessage> old;
  for (std::uint64_t seqno = 1; seqno <= 50; ++seqno) {
    old.push_back(message_of(member(), "words", seqno));
    accept(old.back());
  }
  run(10min);
  const auto before = checks();
  const auto delivered = node->delivered.size();
  for (int round = 0; round < 3; ++round) {
    for (const auto& message : old) send_message(player(), message);
    run(10min);
  }
  EXPECT_EQ(checks(), before);
  EXPECT_EQ(node->delivered.size(), delivered);
  EXPECT_EQ(node->refusals().back(), Refusal::repeated);
  EXPECT_EQ(node->router.counters().refused[static_cast<std::size_t>(Refusal::repeated)], 150u);
  EXPECT_DOUBLE_EQ(score(player()), 0) << "an honest neighbour may be late";
  accept(message_of(member(), "new words", 51));
}

TEST_F(Replay, OfMoreThanIsRememberedNothingOldIsChecked) {
  begin();
  for (std::uint64_t seqno = 10; seqno < 10 + SeqnoWindow::kTakenMax + 5; ++seqno) {
    accept(message_of(member(), "words", seqno));
  }
  run(10min);
  const auto before = checks();
  send_message(player(), message_of(member(), "never sent before", 9));
  send_message(player(), message_of(member(), "words", 12));
  EXPECT_EQ(checks(), before);
}

TEST_F(Replay, AForgeryUsesUpNoSeqno) {
  begin();
  auto message = message_of(member(), "words", 7);
  auto forged = message;
  forged.signature->at(15) ^= 1;
  send_message(player(), forged);
  EXPECT_EQ(node->refusals().back(), Refusal::bad_signature);
  accept(message);
}

TEST_F(Replay, TheSecondOfTwoMessagesWithOneSeqnoIsDropped) {
  begin();
  accept(message_of(member(), "one", 7));
  send_message(member(), message_of(member(), "two", 7));
  EXPECT_EQ(node->refusals().back(), Refusal::repeated);
  EXPECT_EQ(node->delivered.size(), 1u);
}

// A copy that somebody promised counts as brought.
TEST_F(Replay, WhoAnnouncedItAndBringsItKeptItsWord) {
  begin();
  const auto old = message_of(member(), "words", 1);
  accept(old);
  run(10min);
  const MessageId id = message_id(MessageIdMode::content, old);
  send(player(), [&](RpcWriter& writer) { writer.ihave("t", {&id, 1}); });
  send_message(player(), old);
  run(5s);
  EXPECT_EQ(node->router.counters().broken_promises, 0u);
}

TEST_F(Replay, AuthorsThatAreNotListedMayCountAsTheyLike) {
  begin();
  const auto one = message_of(player(), "one", 9), two = message_of(player(), "two", 9);
  send_message(player(), one);
  answer_last();
  send_message(player(), two);
  EXPECT_EQ(node->delivered.size(), 2u);
}

TEST_F(Replay, WhoIsListedNoLongerIsForgotten) {
  begin();
  accept(message_of(member(), "one", 7));
  list_members({});
  list_members({member().id()});
  accept(message_of(member(), "two", 7));
}

TEST_F(Replay, WithoutTheRuleOnlyWhatWasSeenLatelyIsDropped) {
  begin(SeqnoRule::any);
  const auto old = message_of(member(), "one", 7);
  accept(old);
  send_message(player(), old);
  EXPECT_EQ(node->refusals().size(), 0u) << "a duplicate is only counted";
  run(10min);
  send_message(player(), old);
  EXPECT_EQ(node->delivered.size(), 2u);
}

}  // namespace
}  // namespace kms::net
