#include "tests/net/router_swarm.h"

#include <algorithm>
#include <cstdio>

#include <gtest/gtest.h>

namespace kms::net {
namespace {

// Published one after the other by random honest nodes.
std::vector<MessageId> chat(RouterSwarm& swarm, std::size_t messages, Duration pause) {
  std::vector<MessageId> out;
  for (std::size_t i = 0; i < messages; ++i) {
    out.push_back(swarm.publish(swarm.any()));
    swarm.run(pause);
  }
  return out;
}

std::size_t incomplete(const RouterSwarm& swarm, const std::vector<MessageId>& messages) {
  const std::size_t all = swarm.honest().size();
  return static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [&](const auto& id) { return swarm.reached(id) < all; }));
}

void print(const char* name, const RouterSwarm& swarm) {
  const auto costs = swarm.costs();
  const auto hops = swarm.hops();
  std::printf(
      "%-26s %3.0f messages, hops median %zu, most %zu; per message and node: %.2f duplicates, %.0f bytes, "
      "%.2f checks, %.2f pulled\n",
      name, costs.messages, hops[hops.size() / 2], hops.back(), costs.duplicates, costs.bytes, costs.checks,
      costs.pulled);
}

RouterSwarm settled(RouterSwarmOptions options = {.router = swarm_router_options()}) {
  RouterSwarm swarm(std::move(options));
  swarm.run(5s);
  swarm.start_losing();
  swarm.forget_counts();
  return swarm;
}

TEST(RouterSwarm, EveryMessageReachesAHundredNodesWithinThreeHopsThoughFramesAreLost) {
  RouterSwarm swarm = settled();
  const auto messages = chat(swarm, 100, 50ms);
  swarm.run(8s);
  print("5% loss", swarm);
  EXPECT_EQ(incomplete(swarm, messages), 0u);
  const auto hops = swarm.hops();
  EXPECT_LE(hops[hops.size() / 2], 3u);
  const auto costs = swarm.costs();
  EXPECT_LT(costs.duplicates, 12);  // a mesh of D_hi, each edge in both directions
  EXPECT_LT(costs.checks, 1.01);    // a copy costs no second check
}

TEST(RouterSwarm, MessagesGoOnReachingEverybodyWhenAThirdLeavesAtOnce) {
  RouterSwarm swarm = settled();
  for (std::size_t i = 0; i < 30; ++i) swarm.leave(swarm.any());
  ASSERT_EQ(swarm.honest().size(), 70u);
  const auto messages = chat(swarm, 50, 50ms);
  swarm.run(8s);
  print("30% left at once", swarm);
  EXPECT_EQ(incomplete(swarm, messages), 0u);
}

TEST(RouterSwarm, MessagesReachEverybodyAgainAfterAPartitionHealed) {
  RouterSwarm swarm = settled();
  swarm.set_partition(40);
  const auto apart = chat(swarm, 30, 300ms);
  swarm.run(4s);
  EXPECT_EQ(incomplete(swarm, apart), apart.size());
  swarm.set_partition(std::nullopt);
  swarm.run(2s);
  swarm.forget_counts();
  const auto messages = chat(swarm, 50, 50ms);
  swarm.run(8s);
  print("after a partition", swarm);
  EXPECT_EQ(incomplete(swarm, messages), 0u);
}

TEST(RouterSwarm, ScoresPruneAFifthThatForwardsNothing) {
  RouterSwarmOptions options{.router = swarm_router_options()};
  options.router.class_scores.registered = 0;  // conduct alone decides
  // A busy topic: who is in the mesh and brings nothing is short of deliveries.
  TopicScoreOptions& topic = options.router.scores.topic;
  topic.mesh_deliveries_weight = -1;
  topic.mesh_deliveries_threshold = 4;
  topic.mesh_deliveries_window = 100ms;
  topic.mesh_deliveries_activation = 10s;
  RouterSwarm swarm = settled(options);
  for (RouterSwarm::Index i = 0; i < 20; ++i) swarm.make_sybil(5 * i);
  const double before = swarm.sybil_share();
  const auto first = chat(swarm, 150, 200ms);
  const double after = swarm.sybil_share();
  swarm.run(8s);
  const std::size_t first_incomplete = incomplete(swarm, first);
  swarm.forget_counts();
  const auto messages = chat(swarm, 50, 100ms);
  swarm.run(8s);
  print("20% sybils", swarm);
  std::printf("sybils in the meshes of the honest: %.1f%% before, %.1f%% after 30 s\n", 100 * before, 100 * after);
  EXPECT_EQ(first_incomplete, 0u);
  EXPECT_EQ(incomplete(swarm, messages), 0u);
  EXPECT_GT(before, 0.1);
  EXPECT_LT(after, 0.02);
}

}  // namespace
}  // namespace kms::net
