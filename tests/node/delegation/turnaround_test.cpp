#include "node/delegation/turnaround.h"

#include <gtest/gtest.h>

namespace kms::delegation {
namespace {

TEST(Turnaround, PatienceGrowsWithTheWaitForAProcessorAndStaysBelowTheClients) {
  Turnaround turnaround;
  EXPECT_EQ(turnaround.patience(50ms), 50ms);
  for (int i = 0; i < 200; ++i) turnaround.note(10ms);
  EXPECT_GT(turnaround.patience(50ms), 85ms);
  EXPECT_LE(turnaround.patience(50ms), 90ms);
  for (int i = 0; i < 200; ++i) turnaround.note(60s);
  EXPECT_LE(turnaround.patience(50ms), 450ms);
  for (int i = 0; i < 500; ++i) turnaround.note(Duration(0));
  EXPECT_LT(turnaround.patience(50ms), 51ms);
}

}  // namespace
}  // namespace kms::delegation
