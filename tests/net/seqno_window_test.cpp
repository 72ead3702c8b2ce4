#include "net/seqno_window.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/sim/random.h"

namespace kms::net {
namespace {

TEST(SeqnoWindow, TakesEachSeqnoOnceInAnyOrder) {
  SeqnoWindow window;
  for (std::uint64_t seqno : {10u, 5u, 7u, 20u, 6u}) EXPECT_TRUE(window.take(seqno)) << seqno;
  for (std::uint64_t seqno : {10u, 5u, 7u, 20u, 6u}) EXPECT_FALSE(window.take(seqno)) << seqno;
  EXPECT_EQ(window.newest(), 20u);
  EXPECT_FALSE(window.take(0));
}

TEST(SeqnoWindow, RefusesForEverWhatItTookAndNoLongerRemembers) {
  SeqnoWindow window;
  for (std::uint64_t i = 1; i <= SeqnoWindow::kTakenMax; ++i) EXPECT_TRUE(window.take(2 * i));
  EXPECT_TRUE(window.take(1));  // as late as it may be: 1 is the lowest now, and goes
  EXPECT_FALSE(window.take(1));
  EXPECT_TRUE(window.take(3));
  for (std::uint64_t i = 1; i <= SeqnoWindow::kTakenMax; ++i) EXPECT_FALSE(window.take(2 * i)) << i;
  EXPECT_TRUE(window.take(2 * SeqnoWindow::kTakenMax + 1));
}

// A restarted author counts from its clock, far above all it sent before.
TEST(SeqnoWindow, TakesAnAuthorsNewSeqnosAfterAJump) {
  SeqnoWindow window;
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(window.take(1'700'000'000'000'000'000 + i));
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_TRUE(window.take(1'700'000'060'000'000'000 + i));
  EXPECT_TRUE(window.take(1'700'000'000'000'000'010));  // of the earlier run, overtaken
  EXPECT_FALSE(window.take(1'700'000'000'000'000'003));
}

TEST(SeqnoWindow, NeverTakesTwiceWhateverComes) {
  sim::Random random(1);
  SeqnoWindow window;
  std::set<std::uint64_t> taken;
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    const std::uint64_t seqno = i / 2 + random.below(8000);
    if (window.take(seqno)) {
      EXPECT_TRUE(taken.insert(seqno).second) << seqno;
    }
  }
  EXPECT_GT(taken.size(), 20'000u);
}

}  // namespace
}  // namespace kms::net
