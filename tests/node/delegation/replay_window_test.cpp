// What a ReplayWindow promises: one request a nonce until its deadline is over, over restarts and jumps of the clock,
// within its bounds.
#include "node/delegation/replay_window.h"

#include <gtest/gtest.h>

#include "tests/node/delegation/dealt_committee.h"

namespace kms::delegation {
namespace {

// What was saved.
struct SavedRecords final : dkg::Records {
  std::optional<Bytes> find(std::string_view key) const override {
    const auto found = rows.find(std::string(key));
    return found == rows.end() ? std::nullopt : std::optional(found->second);
  }
  Result<crypto::SecretBytes> open(std::string_view) const override { return error("nothing is sealed here"); }
  std::vector<std::string> list(std::string_view prefix) const override {
    std::vector<std::string> out;
    for (const auto& [key, value] : rows) {
      if (key.starts_with(prefix)) out.push_back(key);
    }
    return out;
  }
  void save(const dkg::Checkpoint& checkpoint) {
    for (const dkg::Write& write : checkpoint.writes) {
      if (const auto* put = std::get_if<dkg::Put>(&write)) rows[put->key] = put->value;
      if (const auto* erase = std::get_if<dkg::Erase>(&write)) rows.erase(erase->key);
    }
  }
  std::map<std::string, Bytes> rows;
};

struct Window : testing::Test {
  NonceUse use(std::uint8_t nonce, std::uint8_t request, std::uint64_t seconds_left = 60) const {
    return {crypto::Address{{1}}, Hash32{nonce}, Hash32{request}, now.unix_s() + seconds_left};
  }
  Admission admit(const NonceUse& one) {
    const Admission out = window->admit(one, *key, now);
    saved.save(window->take_unsaved());
    return out;
  }
  void tick() {
    window->tick(now);
    saved.save(window->take_unsaved());
  }
  void wait(std::chrono::seconds seconds) {
    now.instant += seconds;
    now.unix_ms += std::chrono::milliseconds(seconds).count();
    tick();
  }
  void jump(std::chrono::seconds seconds) {
    now.unix_ms += std::chrono::milliseconds(seconds).count();
    now.instant += 20s;
    tick();
  }
  // A restart: time without measure, of which only the wall clock knows.
  void restart() {
    now.instant = Instant(1s);
    window.emplace(limits);
    ASSERT_TRUE(window->restore(saved, now));
    saved.save(window->take_unsaved());
    tick();
  }

  test::DealtCommittee dealt{3, 2, 1};
  ServingKeyPtr key = dealt.serving(1);
  ReplayLimits limits;
  Now now{Instant(1000s), 1'800'000'000'000};
  SavedRecords saved;
  std::optional<ReplayWindow> window{std::in_place, limits};
};

TEST_F(Window, TakesOneRequestForANonceAndThatOneAgain) {
  EXPECT_EQ(admit(use(1, 1)), Admission::fresh);
  EXPECT_EQ(admit(use(1, 1)), Admission::again);
  EXPECT_EQ(admit(use(1, 2)), Admission::conflict);
  NonceUse other = use(1, 2);
  other.requester = crypto::Address{{2}};
  EXPECT_EQ(admit(other), Admission::fresh);
}

TEST_F(Window, RemembersUntilAMinuteAfterTheDeadlineOverARestart) {
  admit(use(1, 1));
  const NonceUse again = use(1, 2);
  wait(50s);
  restart();
  EXPECT_EQ(admit(again), Admission::conflict);
  wait(65s);
  EXPECT_EQ(admit(again), Admission::conflict);
  wait(30s);
  EXPECT_EQ(window->size(), 0u);
  EXPECT_TRUE(saved.list("delegation/replay/").empty());
}

TEST_F(Window, AClockThatJumpsAheadAndBackOpensNothing) {
  admit(use(1, 1, 600));
  const NonceUse other = use(1, 2, 600);
  jump(7200s);
  EXPECT_EQ(admit(other), Admission::conflict);
  jump(-7200s);
  EXPECT_EQ(admit(other), Admission::conflict);
  EXPECT_FALSE(saved.list("delegation/replay/").empty());
  wait(700s);
  EXPECT_EQ(window->size(), 0u);
}

TEST_F(Window, ARestartUnderAClockThatRunsAheadOpensNothingEither) {
  admit(use(1, 1, 600));
  const NonceUse other = use(1, 2, 600);
  now.unix_ms += 7'200'000;
  restart();
  EXPECT_EQ(window->size(), 0u);
  now.unix_ms -= 7'200'000;
  EXPECT_EQ(admit(other), Admission::forgotten);
  restart();  // the floor is durable
  EXPECT_EQ(admit(other), Admission::forgotten);
  EXPECT_EQ(admit(use(1, 2, 1200)), Admission::fresh);
}

TEST_F(Window, AClockSetBackForgetsNothing) {
  admit(use(1, 1, 60));
  const NonceUse other = use(1, 2, 60);
  jump(-1800s);
  wait(900s);
  EXPECT_EQ(admit(other), Admission::conflict);
}

TEST_F(Window, WhatAClockSetAheadLetInGoesAfterAnHour) {
  now.unix_ms += 86'400'000;
  admit(use(1, 1, 600));
  jump(-86'400s);
  wait(3800s);
  EXPECT_EQ(window->size(), 0u);
}

TEST_F(Window, RefusesAtItsBoundAndForgetsNothingForIt) {
  limits.nonces_max = 8;
  window.emplace(limits);
  for (std::uint8_t nonce = 1; nonce <= 4; ++nonce) EXPECT_EQ(admit(use(nonce, nonce)), Admission::fresh);
  EXPECT_EQ(admit(use(5, 5)), Admission::full);  // half for one requester
  NonceUse other = use(5, 5);
  other.requester = crypto::Address{{2}};
  EXPECT_EQ(admit(other), Admission::fresh);
  for (std::uint8_t nonce = 1; nonce <= 4; ++nonce) EXPECT_EQ(admit(use(nonce, 9)), Admission::conflict);
  wait(130s);
  EXPECT_EQ(admit(use(5, 5)), Admission::fresh);
}

TEST_F(Window, GivesARequesterItsShareOfTheQuotaOverRestarts) {
  limits.quota = 3000;  // 2000 for a member of 2 of 3
  window.emplace(limits);
  const auto numbered = [&](std::uint32_t i) {
    NonceUse one = use(0, 1);
    one.nonce[1] = static_cast<std::uint8_t>(i >> 8);
    one.nonce[2] = static_cast<std::uint8_t>(i);
    return one;
  };
  for (std::uint32_t i = 0; i < 500; ++i) ASSERT_EQ(admit(numbered(i)), Admission::fresh);
  restart();
  EXPECT_EQ(admit(numbered(7)), Admission::again);  // costs nothing
  std::uint32_t given = 500;
  while (given < 3000 && admit(numbered(given)) == Admission::fresh) ++given;
  EXPECT_LE(given, 2000u);
  EXPECT_GE(given, 2000u - 1025u);  // what a restart may lose
  EXPECT_EQ(admit(numbered(2999)), Admission::quota);
}

TEST_F(Window, RefusesToBeginOnADamagedRecord) {
  admit(use(1, 1));
  for (auto& [name, value] : saved.rows) {
    SavedRecords damaged = saved;
    damaged.rows[name].pop_back();
    ReplayWindow other(limits);
    EXPECT_FALSE(other.restore(damaged, now)) << name;
  }
}

}  // namespace
}  // namespace kms::delegation
