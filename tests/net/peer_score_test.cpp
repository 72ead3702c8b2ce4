// Peer scoring: the cases that go-libp2p-pubsub tests, with its figures, and our own rules of retention.
#include "net/peer_score.h"

#include <gtest/gtest.h>

#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

const std::string kTopic = "mytopic";

// Nothing counts but what a test switches on.
ScoreOptions silent() {
  ScoreOptions options;
  TopicScoreOptions& topic = options.topic;
  topic.weight = 0.5;
  topic.time_in_mesh_weight = topic.first_deliveries_weight = topic.mesh_deliveries_weight = 0;
  topic.mesh_failure_weight = topic.invalid_weight = 0;
  topic.time_in_mesh_quantum = 1ms;
  topic.first_deliveries_decay = topic.mesh_deliveries_decay = topic.mesh_failure_decay = topic.invalid_decay = 1;
  topic.first_deliveries_cap = topic.mesh_deliveries_cap = 2000;
  options.topic_cap = 0;
  options.colocation_weight = options.misbehaviour_weight = 0;
  options.misbehaviour_threshold = 0;
  options.misbehaviour_decay = 1;
  options.decay_to_zero = 0.1;
  return options;
}

struct Scores : testing::Test {
  void start(ScoreOptions options) {
    scores = std::make_unique<PeerScores>(std::move(options));
    for (const PeerId& peer : {a, b, c}) scores->connected(peer);
  }
  void pass(Duration time) {
    now += time;
    scores->decay(now);
  }
  PeerId a = identity_named("a").peer_id(), b = identity_named("b").peer_id(), c = identity_named("c").peer_id();
  Instant now{Duration(1h)};
  std::unique_ptr<PeerScores> scores;
};

TEST_F(Scores, TimeInTheMeshCounts) {
  auto options = silent();
  options.topic.time_in_mesh_weight = 1;
  options.topic.time_in_mesh_cap = 3600;
  start(options);
  EXPECT_EQ(scores->score(a), 0);
  scores->grafted(a, kTopic, now);
  pass(200ms);
  EXPECT_DOUBLE_EQ(scores->score(a), 0.5 * 200);
  scores->pruned(a, kTopic);
  EXPECT_EQ(scores->score(a), 0);
}

TEST_F(Scores, TimeInTheMeshIsCapped) {
  auto options = silent();
  options.topic.time_in_mesh_weight = 1;
  options.topic.time_in_mesh_cap = 10;
  start(options);
  scores->grafted(a, kTopic, now);
  pass(40ms);
  EXPECT_DOUBLE_EQ(scores->score(a), 0.5 * 10);
}

TEST_F(Scores, FirstDeliveriesCountUpToTheirCap) {
  auto options = silent();
  options.topic.weight = 1;
  options.topic.first_deliveries_weight = 1;
  options.topic.first_deliveries_cap = 50;
  start(options);
  scores->grafted(a, kTopic, now);
  for (int i = 0; i < 40; ++i) scores->first_delivery(a, kTopic);
  EXPECT_DOUBLE_EQ(scores->score(a), 40);
  for (int i = 0; i < 60; ++i) scores->first_delivery(a, kTopic);
  EXPECT_DOUBLE_EQ(scores->score(a), 50);
}

TEST_F(Scores, FirstDeliveriesDecay) {
  auto options = silent();
  options.topic.weight = 1;
  options.topic.first_deliveries_weight = 1;
  options.topic.first_deliveries_decay = 0.9;
  start(options);
  for (int i = 0; i < 100; ++i) scores->first_delivery(a, kTopic);
  pass(1s);
  double expected = 90;
  EXPECT_NEAR(scores->score(a), expected, 1e-9);
  for (int i = 0; i < 10; ++i) {
    pass(1s);
    expected *= 0.9;
  }
  EXPECT_NEAR(scores->score(a), expected, 1e-9);
  for (int i = 0; i < 100; ++i) pass(1s);
  EXPECT_EQ(scores->score(a), 0) << "small counters become zero";
}

ScoreOptions delivering() {
  auto options = silent();
  options.topic.weight = 1;
  options.topic.mesh_deliveries_weight = -1;
  options.topic.mesh_deliveries_activation = 1s;
  options.topic.mesh_deliveries_threshold = 20;
  options.topic.mesh_deliveries_cap = 100;
  return options;
}

TEST_F(Scores, WhoBringsTooLittleInTheMeshIsPunishedAfterItsActivation) {
  start(delivering());
  for (const PeerId& peer : {a, b}) scores->grafted(peer, kTopic, now);
  EXPECT_EQ(scores->score(a), 0);
  for (int i = 0; i < 100; ++i) {
    scores->first_delivery(a, kTopic);  // a is first
    scores->mesh_delivery(c, kTopic);   // c is in no mesh, so that nothing counts
  }
  pass(500ms);
  EXPECT_EQ(scores->score(b), 0) << "not active yet";
  pass(600ms);
  EXPECT_EQ(scores->score(a), 0);
  EXPECT_DOUBLE_EQ(scores->score(b), -400);
  EXPECT_EQ(scores->score(c), 0);
  for (int i = 0; i < 25; ++i) scores->mesh_delivery(b, kTopic);
  EXPECT_EQ(scores->score(b), 0) << "copies in time count as well";
}

TEST_F(Scores, MeshDeliveriesDecayBelowTheirThreshold) {
  auto options = delivering();
  options.topic.mesh_deliveries_decay = 0.9;
  options.topic.mesh_deliveries_activation = 0s;
  start(options);
  scores->grafted(a, kTopic, now);
  for (int i = 0; i < 40; ++i) scores->first_delivery(a, kTopic);
  pass(1s);
  EXPECT_EQ(scores->score(a), 0);
  double left = 36;
  for (int i = 0; i < 20; ++i) {
    pass(1s);
    left *= 0.9;
  }
  EXPECT_NEAR(scores->score(a), -(20 - left) * (20 - left), 1e-6);
}

TEST_F(Scores, AFailureOfTheMeshStaysAfterThePrune) {
  auto options = delivering();
  options.topic.mesh_deliveries_weight = 0;
  options.topic.mesh_failure_weight = -1;
  start(options);
  for (const PeerId& peer : {a, b}) scores->grafted(peer, kTopic, now);
  for (int i = 0; i < 100; ++i) scores->first_delivery(a, kTopic);
  pass(1100ms);
  EXPECT_EQ(scores->score(b), 0);
  for (const PeerId& peer : {a, b}) scores->pruned(peer, kTopic);
  EXPECT_EQ(scores->score(a), 0);
  EXPECT_DOUBLE_EQ(scores->score(b), -400);
}

TEST_F(Scores, InvalidMessagesCountBySquareAndDecay) {
  auto options = silent();
  options.topic.weight = 1;
  options.topic.invalid_weight = -1;
  options.topic.invalid_decay = 0.9;
  start(options);
  for (int i = 0; i < 100; ++i) scores->invalid_message(a, kTopic);
  EXPECT_DOUBLE_EQ(scores->score(a), -10'000);
  pass(1s);
  EXPECT_NEAR(scores->score(a), -(90.0 * 90), 1e-6);
  EXPECT_EQ(scores->score(b), 0);
}

TEST_F(Scores, TheTopicsTogetherAreCappedAndEachHasItsOwnWeights) {
  auto options = silent();
  options.topic.weight = 1;
  options.topic.first_deliveries_weight = 1;
  options.topics["quiet"] = options.topic;
  options.topics["quiet"].weight = 0.25;
  options.topic_cap = 30;
  start(options);
  for (int i = 0; i < 20; ++i) scores->first_delivery(a, "quiet");
  EXPECT_DOUBLE_EQ(scores->score(a), 5);
  for (int i = 0; i < 60; ++i) scores->first_delivery(a, kTopic);
  EXPECT_DOUBLE_EQ(scores->score(a), 30);
}

TEST_F(Scores, TheApplicationsOpinionCountsByItsWeight) {
  auto options = silent();
  options.application_weight = 0.5;
  start(options);
  for (double value : {-100.0, 0.0, 99.0}) {
    scores->set_application_score(a, value);
    EXPECT_DOUBLE_EQ(scores->score(a), 0.5 * value);
  }
}

TEST_F(Scores, PeersOnOneAddressAreCountedTogetherAndWithoutOneNot) {
  auto options = silent();
  options.colocation_weight = -1;
  options.colocation_threshold = 1;
  start(options);
  PeerId d = identity_named("d").peer_id();
  scores->connected(d);
  scores->set_address_group(a, "1.2.3.4");
  for (const PeerId& peer : {b, c, d}) scores->set_address_group(peer, "2.3.4.5");
  EXPECT_EQ(scores->score(a), 0);
  for (const PeerId& peer : {b, c, d}) EXPECT_DOUBLE_EQ(scores->score(peer), -4);
  scores->set_address_group(b, "");
  EXPECT_EQ(scores->score(b), 0);
  EXPECT_DOUBLE_EQ(scores->score(c), -1);
}

TEST_F(Scores, MisbehaviourCountsBySquareBeyondItsThresholdAndDecays) {
  auto options = silent();
  options.misbehaviour_weight = -1;
  options.misbehaviour_decay = 0.99;
  start(options);
  PeerId stranger = identity_named("stranger").peer_id();
  scores->misbehaved(stranger);
  EXPECT_EQ(scores->score(stranger), 0) << "nothing is kept about the unknown";
  scores->misbehaved(a);
  EXPECT_DOUBLE_EQ(scores->score(a), -1);
  scores->misbehaved(a);
  EXPECT_DOUBLE_EQ(scores->score(a), -4);
  pass(1s);
  EXPECT_NEAR(scores->score(a), -3.9204, 1e-9);
}

TEST_F(Scores, ABadScoreOutlivesTheConnectionForItsTimeOnly) {
  auto options = silent();
  options.retain = 1s;
  start(options);
  scores->set_application_score(a, -1000);
  scores->set_application_score(b, 1000);
  for (const PeerId& peer : {a, b}) scores->disconnected(peer, now);
  EXPECT_DOUBLE_EQ(scores->score(a), -1000);
  EXPECT_EQ(scores->score(b), 0) << "a good one is not kept";
  pass(500ms);
  EXPECT_DOUBLE_EQ(scores->score(a), -1000);
  pass(500ms);
  EXPECT_EQ(scores->score(a), 0);
  EXPECT_EQ(scores->size(), 1u);
}

TEST_F(Scores, ComingBackWashesNothingOffAndRetainedCountersDoNotDecay) {
  start(ScoreOptions{});
  scores->set_application_score(a, 100);
  for (int i = 0; i < 3; ++i) scores->invalid_message(a, kTopic);
  for (int i = 0; i < 10; ++i) scores->first_delivery(a, kTopic);
  EXPECT_GT(scores->score(a), -180 + 100);
  scores->disconnected(a, now);
  for (int i = 0; i < 100; ++i) pass(1s);
  scores->connected(a);
  EXPECT_DOUBLE_EQ(scores->score(a), -180 + 100) << "only what speaks for it is gone";
  pass(1s);
  EXPECT_GT(scores->score(a), -180 + 100);
}

TEST_F(Scores, RetainedScoresAreBounded) {
  auto options = silent();
  options.retained_max = 2;
  start(options);
  for (const PeerId& peer : {a, b, c}) {
    scores->misbehaved(peer);
    scores->set_address_group(peer, "1.2.3.4");
    scores->disconnected(peer, now);
    now += 1ms;
  }
  EXPECT_EQ(scores->size(), 2u);
  EXPECT_EQ(scores->misbehaviour(a), 0) << "the oldest went";
  EXPECT_EQ(scores->misbehaviour(c), 1);
}

}  // namespace
}  // namespace kms::net
