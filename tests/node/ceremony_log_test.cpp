// What operators are told of ceremonies is bounded, whatever members do.
#include "node/ceremony_log.h"

#include <gtest/gtest.h>

#include "crypto/sha256.h"

namespace kms::node {
namespace {

dkg::SlotId slot(std::uint8_t number) {
  return dkg::SlotId{{number}};
}

TEST(CeremonyLog, KeepsTheNewestNotesOfASlot) {
  CeremonyLog log;
  for (std::size_t i = 0; i < CeremonyLog::kNotesMax + 5; ++i) {
    log.note(slot(1), {static_cast<std::int64_t>(i), "note", ""});
  }
  ASSERT_NE(log.find(slot(1)), nullptr);
  EXPECT_EQ(log.find(slot(1))->notes.size(), CeremonyLog::kNotesMax);
  EXPECT_EQ(log.find(slot(1))->notes.front().unix_ms, 5);
  EXPECT_EQ(log.find(slot(2)), nullptr);
}

TEST(CeremonyLog, NamesEvidenceByItsHashAlsoWhereItIsTooLargeToKeep) {
  CeremonyLog log;
  const Bytes large(CeremonyLog::kEvidenceBytesMax - 1, 7);
  const Bytes more(10, 8);
  EXPECT_EQ(log.blame(slot(1), {}, large), crypto::sha256(large));
  EXPECT_EQ(log.blame(slot(1), {}, more), crypto::sha256(more));
  const auto& blames = log.find(slot(1))->blames;
  ASSERT_EQ(blames.size(), 2u);
  EXPECT_EQ(blames[0].evidence.size(), large.size());
  EXPECT_TRUE(blames[1].evidence.empty());
  EXPECT_EQ(blames[1].evidence_hash, crypto::sha256(more));
}

TEST(CeremonyLog, ForgetsTheOldestSlotAndMakesRoomForEvidence) {
  CeremonyLog log;
  log.blame(slot(0), {}, Bytes(CeremonyLog::kEvidenceBytesMax, 1));
  for (std::uint8_t i = 1; i <= CeremonyLog::kSlotsMax; ++i) log.note(slot(i), {});
  EXPECT_EQ(log.find(slot(0)), nullptr);
  log.blame(slot(1), {}, Bytes(100, 1));
  EXPECT_EQ(log.find(slot(1))->blames[0].evidence.size(), 100u);
  for (std::size_t i = 0; i < 2 * CeremonyLog::kBlamesMax; ++i) log.blame(slot(1), {}, {});
  EXPECT_EQ(log.find(slot(1))->blames.size(), CeremonyLog::kBlamesMax);
}

}  // namespace
}  // namespace kms::node
