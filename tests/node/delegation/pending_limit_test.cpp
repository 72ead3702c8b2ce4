#include "node/delegation/pending_limit.h"

#include <deque>

#include <gtest/gtest.h>

namespace kms::delegation {
namespace {

constexpr Instant kStart = Instant{} + 100s;

// A node that answers `a_second` one after the other, asked `times` as much for `seconds`; the longest wait of those
// that were let in, and how many were.
struct Outcome {
  Duration longest{};
  std::size_t admitted = 0, refused = 0;
};
Outcome overload(PendingLimit& limit, Instant from, std::size_t a_second, std::size_t times, int seconds) {
  Outcome out;
  std::deque<Instant> waiting;
  Instant free_at = from;
  const Duration step = Duration(1s) / static_cast<long>(a_second * times);
  for (Instant now = from; now < from + seconds * 1s; now += step) {
    while (!waiting.empty() && std::max(free_at, waiting.front()) + Duration(1s) / static_cast<long>(a_second) <= now) {
      free_at = std::max(free_at, waiting.front()) + Duration(1s) / static_cast<long>(a_second);
      out.longest = std::max(out.longest, free_at - waiting.front());
      waiting.pop_front();
      limit.note_end(waiting.size());
    }
    if (limit.admits(waiting.size(), now)) {
      waiting.push_back(now);
      ++out.admitted;
    } else {
      ++out.refused;
    }
  }
  return out;
}

TEST(PendingLimit, LetsNobodyInWhoWouldWaitTooLongAndKeepsTheNodeBusy) {
  for (const std::size_t a_second : {100u, 310u, 2000u}) {
    PendingLimit limit(1024, 1s);
    const auto out = overload(limit, kStart, a_second, 5, 30);
    EXPECT_LT(out.longest, a_second < 300 ? 2700ms : 1300ms)
        << a_second;  // the first ones come before the pace is known
    EXPECT_GT(out.admitted, a_second * 29) << a_second;
    EXPECT_GT(out.refused, a_second * 100) << a_second;
    const auto later = overload(limit, kStart + 40s, a_second, 5, 10);
    EXPECT_LT(later.longest, 1300ms) << a_second << ": the pace is remembered";
  }
}

TEST(PendingLimit, RefusesNobodyBelowItsPace) {
  PendingLimit limit(1024, 1s);
  std::size_t pending = 0;
  for (Instant now = kStart; now < kStart + 60s; now += 10ms) {
    ASSERT_TRUE(limit.admits(pending, now));
    ++pending;
    if (pending > 40) {  // answered in bursts
      while (pending > 0) limit.note_end(--pending);
    }
  }
}

TEST(PendingLimit, ANodeThatStandsStillLetsInFew) {
  PendingLimit limit(1024, 1s);
  std::size_t pending = 0;
  for (Instant now = kStart; now < kStart + 5s; now += 1ms) pending += limit.admits(pending, now) ? 1u : 0u;
  EXPECT_LE(pending, PendingLimit::kUnknown);
  EXPECT_EQ(limit.limit(), PendingLimit::kLeast);
}

// One that is late alone says nothing about what the node can do.
TEST(PendingLimit, ABurstAtAnIdleNodeIsLetIn) {
  PendingLimit limit(1024, 1s);
  Instant now = kStart;
  for (int i = 0; i < 50; ++i, now += 400ms) {
    ASSERT_TRUE(limit.admits(0, now));
    limit.note_end(0);
  }
  for (std::size_t pending = 0; pending < PendingLimit::kUnknown; ++pending) ASSERT_TRUE(limit.admits(pending, now));
}

// Answers take 400 ms although the node could give 2000 a second: the limit grows with what comes back.
TEST(PendingLimit, FarAwayMembersDoNotKeepItLow) {
  PendingLimit limit(1024, 1s);
  std::deque<Instant> leaving;
  for (Instant now = kStart; now < kStart + 20s; now += Duration(500)) {
    while (!leaving.empty() && leaving.front() <= now) {
      leaving.pop_front();
      limit.note_end(leaving.size());
    }
    if (limit.admits(leaving.size(), now)) leaving.push_back(now + 400ms);
  }
  EXPECT_GT(leaving.size(), 780u);
}

TEST(PendingLimit, NeverExceedsTheMost) {
  PendingLimit limit(100, 1s);
  EXPECT_FALSE(limit.admits(100, kStart));
  PendingLimit small(10, 1s);
  EXPECT_FALSE(small.admits(10, kStart));
  EXPECT_TRUE(small.admits(9, kStart));
}

}  // namespace
}  // namespace kms::delegation
