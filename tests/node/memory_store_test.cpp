#include "node/memory_store.h"

#include <gmock/gmock.h>

namespace kms::node {
namespace {

using crypto::SecretBytes;
using testing::ElementsAre;

template <class... Writes>
dkg::Checkpoint batch(Writes... writes) {
  dkg::Checkpoint out;
  (out.writes.emplace_back(std::move(writes)), ...);
  return out;
}
dkg::Seal seal(const std::string& key, const std::string& kek, std::string_view value) {
  return {key, kek, SecretBytes::copy_of(as_bytes(value))};
}

TEST(MemoryStore, FindsOpensAndListsAsTheOneOnDisk) {
  MemoryStore store;
  store.commit(batch(dkg::Put{"b", {1}}, seal("a", "kek", "s"), dkg::Put{"a/1", {}}));
  EXPECT_EQ(store.find("b"), Bytes{1});
  EXPECT_FALSE(store.find("a"));
  EXPECT_FALSE(store.open("b"));
  EXPECT_FALSE(store.open("c"));
  auto opened = store.open("a");
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->expose()), "s");
  EXPECT_THAT(store.list("a"), ElementsAre("a", "a/1"));
  EXPECT_EQ(store.commits(), 1u);
  store.commit({});
  EXPECT_EQ(store.commits(), 1u);
}

TEST(MemoryStore, DestroyingAKeyRemovesAllUnderIt) {
  MemoryStore store;
  store.commit(batch(seal("a", "k0", "0"), seal("b", "k1", "1"), dkg::Put{"c", {}}));
  store.commit(batch(dkg::DestroyKek{"k0"}, dkg::Erase{"c"}));
  EXPECT_THAT(store.list(""), ElementsAre("b"));
}

TEST(MemoryStore, ACrashLosesWhatWasHeldBackAndNothingElse) {
  MemoryStore store;
  store.commit(batch(dkg::Put{"a", {1}}, seal("s", "k", "old")));
  store.hold_writes();
  store.commit(batch(dkg::Put{"a", {2}}, dkg::Put{"b", {3}}, dkg::DestroyKek{"k"}));
  EXPECT_EQ(store.find("a"), Bytes{2});
  store.crash();
  EXPECT_EQ(store.find("a"), Bytes{1});
  EXPECT_FALSE(store.find("b"));
  EXPECT_TRUE(store.open("s"));
  EXPECT_EQ(store.commits(), 1u);
  store.commit(batch(dkg::Put{"a", {4}}));
  store.crash();
  EXPECT_EQ(store.find("a"), Bytes{4}) << "holding ended with the first crash";
}

TEST(MemoryStore, WhatWasSyncedSurvivesACrash) {
  MemoryStore store;
  store.hold_writes();
  store.commit(batch(dkg::Put{"a", {1}}));
  store.sync();
  store.crash();
  EXPECT_EQ(store.find("a"), Bytes{1});
}

TEST(MemoryStore, ACommitToldToFailChangesNothing) {
  MemoryStore store;
  store.fail_next_commit();
  EXPECT_THROW(store.commit(batch(dkg::Put{"a", {1}})), StoreFailure);
  EXPECT_FALSE(store.find("a"));
  store.commit(batch(dkg::Put{"a", {1}}));
  EXPECT_TRUE(store.find("a"));
}

TEST(StoreKey, IsShortPrintableAsciiWithoutSpaces) {
  EXPECT_TRUE(is_store_key("slot/0a/deal"));
  EXPECT_TRUE(is_store_key(std::string(200, 'x')));
  for (const std::string& key : {std::string(), std::string(201, 'x'), std::string("a b"), std::string("a\n"),
                                 std::string("a\0b", 3), std::string("\xc3\xa9")}) {
    EXPECT_FALSE(is_store_key(key));
  }
}

}  // namespace
}  // namespace kms::node
