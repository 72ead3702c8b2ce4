// Whole nodes whose shares are refreshed by the clock, under delegations (PROTOCOL.md 4.7, 5.8).
#include <gtest/gtest.h>

#include "tests/sim/node_trial.h"

namespace kms::sim {
namespace {

struct RefreshTrial : NodeTrial {
  RefreshTrial(Schedule schedule, std::uint64_t seed) : NodeTrial(5, 3, schedule, seed) { network.set_refresh(120s); }
  std::uint32_t epoch(std::size_t member) {
    const auto key = node(member) == nullptr ? nullptr : node(member)->core().serving(NodeNetwork::kChain);
    return key ? key->epoch : 0;
  }
  // Every node that is up, or `only` it, is in charge of that epoch or a later one and has its share.
  bool has_reached(std::uint32_t wanted, std::size_t only = 0) {
    for (std::size_t member = 1; member <= 5; ++member) {
      if (only != 0 && member != only) continue;
      if (node(member) == nullptr) continue;
      const auto key = node(member)->core().serving(NodeNetwork::kChain);
      if (!key || key->epoch < wanted || !key->share) return false;
    }
    return true;
  }
  // Somebody is between two epochs: then each moment counts.
  bool is_refreshing() {
    for (std::size_t member = 1; member <= 5; ++member) {
      if (node(member)->core().is_refreshing() || epoch(member) != epoch(1)) return true;
    }
    return false;
  }
  void run_until(Instant until) {
    world.run([&] { return world.now().instant >= until; });
  }
};

TEST(RefreshNodeSim, RefreshesAgainAndAgainWithoutAGapInDelegations) {
  Schedule schedule;
  schedule.end = 2h;
  RefreshTrial run(schedule, 1);
  run.world.run([&] { return run.serving() == 5; });
  ASSERT_EQ(run.serving(), 5u);
  const auto first = run.node(1)->core().serving(NodeNetwork::kChain);
  const auto prefix = "slot/" + to_hex(run.node(1)->core().ceremony()->slot().view());
  std::size_t asked = 0;
  while (!run.has_reached(2) && run.world.now().instant < Instant(1h)) {
    int status = 0;
    const std::size_t member = asked++ % 5 + 1;
    ASSERT_TRUE(run.delegate(member, status)) << "at " << run.world.now().instant.time_since_epoch() / 1ms
                                              << " ms, member " << member << " status " << status;
    run.run_until(run.world.now().instant + (run.is_refreshing() ? 50ms : 5s));
  }
  ASSERT_TRUE(run.has_reached(2));
  EXPECT_LT(run.world.now().instant, Instant(600s));
  for (std::size_t member = 1; member <= 5; ++member) {
    const auto key = run.node(member)->core().serving(NodeNetwork::kChain);
    EXPECT_EQ(key->table.public_key, first->table.public_key);
    EXPECT_NE(key->table.shares, first->table.shares);
  }
  // Epoch 0 was superseded after two minutes and serves ten more.
  EXPECT_FALSE(run.world.disk(1).is_destroyed(prefix + "/epoch"));
  run.run_until(Instant(900s));
  for (std::size_t member = 1; member <= 5; ++member) {
    EXPECT_TRUE(run.world.disk(member).is_destroyed(prefix + "/epoch")) << member;
    EXPECT_FALSE(run.world.disk(member).open(prefix + "/share").has_value()) << member;
  }
}

TEST(RefreshNodeSim, AMemberThatWasAwayForEpochsComesBackToTheNewestWithAShare) {
  Schedule schedule;
  schedule.end = 2h;
  schedule.reboot = 500s;
  schedule.crash = Schedule::Crash{90, false};
  RefreshTrial run(schedule, 2);
  run.world.run([&] { return run.world.victim() != 0 && run.node(run.world.victim()) != nullptr; });
  const std::size_t victim = run.world.victim();
  ASSERT_NE(victim, 0u);
  EXPECT_GE(run.epoch(victim % 5 + 1), 3u);
  EXPECT_LT(run.epoch(victim), 2u);
  run.world.run([&] { return run.has_reached(run.epoch(victim % 5 + 1), victim); });
  EXPECT_LT(run.world.now().instant, Instant(900s));
  ASSERT_TRUE(run.has_reached(4, victim));
  int status = 0;
  EXPECT_TRUE(run.delegate(victim, status)) << status;
}

TEST(RefreshNodeSim, ACrashInARefreshNeitherStopsItNorTheDelegations) {
  // The boundaries of epoch 0 come first; those of a refresh follow.
  for (std::uint64_t boundary = 150; boundary < 450; boundary += 61) {
    Schedule schedule;
    schedule.end = 1h;
    schedule.crash = Schedule::Crash{boundary, false};
    RefreshTrial run(schedule, 3);
    run.world.run([&] { return run.has_reached(2) && run.serving() == 5; });
    ASSERT_TRUE(run.has_reached(2)) << boundary;
    EXPECT_LT(run.world.now().instant, Instant(600s)) << boundary;
    for (std::size_t member = 1; member <= 5; ++member) {
      int status = 0;
      EXPECT_TRUE(run.delegate(member, status)) << boundary << " " << member << " status " << status;
    }
  }
}

}  // namespace
}  // namespace kms::sim
