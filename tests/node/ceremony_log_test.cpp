// What operators are told of ceremonies is bounded, whatever members do, and outlives the process.
#include "node/ceremony_log.h"

#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "node/memory_store.h"
#include "tests/schema.h"

namespace kms::node {
namespace {

using Cause = CeremonyLog::Cause;

dkg::SlotId slot(std::uint8_t number) {
  return dkg::SlotId{{number}};
}

// A log whose writes all reach a store.
struct StoredLog : testing::Test {
  void note(std::uint8_t number, CeremonyLog::Note note, Cause cause = Cause::own) {
    store.commit(log.note(slot(number), std::move(note), cause));
  }
  Hash32 blame(std::uint8_t number, CeremonyLog::Note note, Bytes evidence) {
    auto blamed = log.blame(slot(number), std::move(note), std::move(evidence));
    store.commit(blamed.save);
    return blamed.evidence_hash;
  }
  void restart() { log = CeremonyLog::restore(store); }

  MemoryStore store;
  CeremonyLog log;
};

TEST_F(StoredLog, KeepsTheNewestNotesOfASlotAlsoOverARestart) {
  for (std::size_t i = 0; i < CeremonyLog::kNotesMax + 5; ++i) {
    note(1, {static_cast<std::int64_t>(i), "note", ""});
  }
  for (int round = 0; round < 2; ++round) {
    ASSERT_NE(log.find(slot(1)), nullptr);
    EXPECT_EQ(log.find(slot(1))->notes.size(), CeremonyLog::kNotesMax);
    EXPECT_EQ(log.find(slot(1))->notes.front().unix_ms, 5);
    EXPECT_EQ(log.find(slot(2)), nullptr);
    restart();
  }
  note(1, {1000, "afterwards", ""});
  restart();
  EXPECT_EQ(log.find(slot(1))->notes.size(), CeremonyLog::kNotesMax);
  EXPECT_EQ(log.find(slot(1))->notes.front().unix_ms, 6);
  EXPECT_EQ(log.find(slot(1))->notes.back().text, "afterwards");
  EXPECT_EQ(store.list("log/").size(), CeremonyLog::kNotesMax);
}

TEST_F(StoredLog, KeepsBlameWithItsEvidenceOverARestart) {
  const Bytes evidence = {1, 2, 3};
  const Hash32 hash = blame(1, {1700, "dealt a wrong share to node-1", "node-3 (0xab)"}, evidence);
  restart();
  ASSERT_NE(log.find(slot(1)), nullptr);
  ASSERT_EQ(log.find(slot(1))->blames.size(), 1u);
  const CeremonyLog::Blame& kept = log.find(slot(1))->blames.front();
  EXPECT_EQ(kept.note.unix_ms, 1700);
  EXPECT_EQ(kept.note.text, "dealt a wrong share to node-1");
  EXPECT_EQ(kept.note.member, "node-3 (0xab)");
  EXPECT_EQ(kept.evidence_hash, hash);
  EXPECT_EQ(hash, crypto::sha256(evidence));
  EXPECT_EQ(kept.evidence, evidence);
  // The liar shows the same again.
  const auto commits = store.commits();
  EXPECT_EQ(blame(1, {1800, "dealt a wrong share to node-1", "node-3 (0xab)"}, evidence), hash);
  EXPECT_EQ(log.find(slot(1))->blames.size(), 1u);
  EXPECT_EQ(store.commits(), commits);
  blame(1, {1900, "two Deals for one header", "node-4 (0xcd)"}, {4});
  restart();
  EXPECT_EQ(log.find(slot(1))->blames.size(), 2u);
}

TEST_F(StoredLog, WritesWhatItsSchemaSays) {
  blame(1, {1700, "text", "node-3"}, {1, 2, 3});
  note(1, {1800, "other", "node-4"}, Cause::peer);
  for (const std::string& key : store.list("log/")) {
    const auto message = schema::make("kms.records.CeremonyNote");
    ASSERT_TRUE(schema::parse(*message, *store.find(key)));
    EXPECT_EQ(schema::unknown_field(*message), "");
    EXPECT_EQ(schema::serialized(*message), *store.find(key));
  }
  const auto message = schema::make("kms.records.CeremonyNote");
  ASSERT_TRUE(schema::parse(*message, *store.find(store.list("log/")[0])));
  EXPECT_EQ(schema::wide_number(*message, "unix_ms"), 1700u);
  EXPECT_EQ(schema::bytes(*message, "evidence"), (Bytes{1, 2, 3}));
}

TEST_F(StoredLog, StoresNoMoreThanSixteenNotesThatOthersCause) {
  for (std::size_t i = 0; i < 2 * CeremonyLog::kPeerNotesStored; ++i) note(1, {1, "malformed", "node-2"}, Cause::peer);
  EXPECT_EQ(store.commits(), CeremonyLog::kPeerNotesStored);
  EXPECT_EQ(log.find(slot(1))->notes.size(), 2 * CeremonyLog::kPeerNotesStored);
  restart();
  EXPECT_EQ(log.find(slot(1))->notes.size(), CeremonyLog::kPeerNotesStored);
  note(1, {2, "malformed", "node-2"}, Cause::peer);
  EXPECT_EQ(store.commits(), CeremonyLog::kPeerNotesStored);
  note(1, {3, "released", ""});
  EXPECT_EQ(store.commits(), CeremonyLog::kPeerNotesStored + 1);
}

TEST_F(StoredLog, NamesEvidenceByItsHashAlsoWhereItIsTooLargeToKeep) {
  const Bytes too_large(CeremonyLog::kOneEvidenceBytesMax + 1, 7);
  EXPECT_EQ(blame(1, {}, too_large), crypto::sha256(too_large));
  std::uint8_t filling = 0;
  for (std::size_t held = 0; held < CeremonyLog::kEvidenceBytesMax; held += CeremonyLog::kOneEvidenceBytesMax) {
    blame(2, {}, Bytes(CeremonyLog::kOneEvidenceBytesMax, ++filling));
  }
  const Bytes more(10, 100);
  EXPECT_EQ(blame(1, {}, more), crypto::sha256(more));
  for (int round = 0; round < 2; ++round) {
    const auto& blames = log.find(slot(1))->blames;
    ASSERT_EQ(blames.size(), 2u);
    EXPECT_TRUE(blames[0].evidence.empty());
    EXPECT_TRUE(blames[1].evidence.empty());
    EXPECT_EQ(blames[1].evidence_hash, crypto::sha256(more));
    EXPECT_EQ(log.find(slot(2))->blames[0].evidence.size(), CeremonyLog::kOneEvidenceBytesMax);
    restart();
  }
}

TEST_F(StoredLog, ForgetsTheOldestSlotAlsoOnDiskAndMakesRoomForEvidence) {
  std::uint8_t filling = 0;
  // By its hash it is the last one.
  for (std::size_t held = 0; held < CeremonyLog::kEvidenceBytesMax; held += CeremonyLog::kOneEvidenceBytesMax) {
    blame(200, {1, "first", ""}, Bytes(CeremonyLog::kOneEvidenceBytesMax, ++filling));
  }
  note(200, {1, "first", ""});
  for (std::uint8_t i = 1; i < CeremonyLog::kSlotsMax; ++i) note(i, {i + 1, "later", ""});
  restart();
  EXPECT_NE(log.find(slot(200)), nullptr);
  note(100, {99, "last", ""});
  EXPECT_EQ(log.find(slot(200)), nullptr);
  EXPECT_TRUE(store.list("log/" + to_hex(slot(200).view())).empty());
  EXPECT_EQ(store.list("log/").size(), CeremonyLog::kSlotsMax);
  blame(1, {}, Bytes(100, 1));
  EXPECT_EQ(log.find(slot(1))->blames[0].evidence.size(), 100u);
}

TEST_F(StoredLog, KeepsNoMoreThanSoManyBlamesOfASlot) {
  for (std::size_t i = 0; i < 2 * CeremonyLog::kBlamesMax; ++i) blame(1, {}, {static_cast<std::uint8_t>(i)});
  EXPECT_EQ(log.find(slot(1))->blames.size(), CeremonyLog::kBlamesMax);
  EXPECT_EQ(store.list("log/").size(), CeremonyLog::kBlamesMax);
}

TEST_F(StoredLog, PassesOverRecordsThatDoNotParse) {
  note(1, {1, "good", ""});
  blame(1, {1, "good", ""}, {1, 2, 3});
  const std::string good = store.list("log/")[0];
  const std::string prefix = "log/" + to_hex(slot(1).view());
  Bytes forged = *store.find(good);
  forged.back() ^= 1;  // the evidence is not what its hash names
  const auto put = [&](const std::string& key, Bytes value) {
    dkg::Checkpoint save;
    save.writes.push_back(dkg::Put{key, std::move(value)});
    store.commit(save);
  };
  put(prefix + "/blame/000000000000", forged);
  put(prefix + "/note/1", {});
  put(prefix + "/note/000000000009", {0xff});
  put("log/zz/note/000000000000", {});
  put("log/", {});
  put(prefix, {});
  restart();
  ASSERT_NE(log.find(slot(1)), nullptr);
  EXPECT_EQ(log.find(slot(1))->notes.size(), 1u);
  EXPECT_TRUE(log.find(slot(1))->blames.empty());
}

}  // namespace
}  // namespace kms::node
