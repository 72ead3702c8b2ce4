#include "node/io/sqlite_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <sqlite3.h>

#include "base/io/os_entropy.h"
#include "temporary_folder.h"

namespace kms::node::io {
namespace {

using crypto::SecretBytes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

dkg::Put put(const std::string& key, std::string_view value) {
  return {key, to_bytes(as_bytes(value))};
}
dkg::Seal seal(const std::string& key, const std::string& kek, std::string_view value) {
  return {key, kek, SecretBytes::copy_of(as_bytes(value))};
}
template <class... Writes>
dkg::Checkpoint batch(Writes... writes) {
  dkg::Checkpoint out;
  (out.writes.emplace_back(std::move(writes)), ...);
  return out;
}
std::string shown(const Result<SecretBytes>& opened) {
  return opened ? std::string(as_text(opened->expose())) : "error: " + opened.error().message;
}

// While it lives, SQLite's writes find room for `bytes` and no more.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t bytes) {
    left_ = bytes;
    set("write", reinterpret_cast<sqlite3_syscall_ptr>(+[](int file, const void* from, std::size_t size) {
          return is_full(size) ? -1 : ::write(file, from, size);
        }));
    const auto write_at =
        reinterpret_cast<sqlite3_syscall_ptr>(+[](int file, const void* from, std::size_t size, off_t at) {
          return is_full(size) ? -1 : ::pwrite(file, from, size, at);
        });
    set("pwrite", write_at);
    set("pwrite64", write_at);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    for (const char* name : {"write", "pwrite", "pwrite64"}) set(name, nullptr);
  }

 private:
  static bool is_full(std::size_t size) {
    if (size > left_) {
      left_ = 0;
      errno = ENOSPC;
      return true;
    }
    left_ -= size;
    return false;
  }
  static void set(const char* name, sqlite3_syscall_ptr call) {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    vfs->xSetSystemCall(vfs, name, call);
  }
  static inline std::size_t left_ = 0;
};

struct SqliteStoreTest : testing::Test {
  test::TemporaryFolder folder;
  kms::io::OsEntropy entropy;
  crypto::Secret<32> key = crypto::Secret<32>::random(entropy);
  std::string data_dir = folder / "data";
  std::string file = data_dir + "/store.db";

  Result<std::unique_ptr<SqliteStore>> try_open() {
    return SqliteStore::open(data_dir, crypto::SealingKey(key.clone()), entropy);
  }
  std::unique_ptr<SqliteStore> open() {
    auto store = try_open();
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  std::string refusal() {
    auto store = try_open();
    return store ? "opened" : store.error().message;
  }
  // Runs in a process that dies without closing anything.
  template <class Body>
  void in_killed_process(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = open();
      body(*store);
      ::raise(SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
};

TEST_F(SqliteStoreTest, FindsWhatWasPutAndNothingElse) {
  auto store = open();
  store->commit(batch(put("a/1", "one"), put("a/empty", "")));
  EXPECT_EQ(store->find("a/1"), to_bytes(as_bytes("one")));
  EXPECT_EQ(store->find("a/empty"), Bytes());
  EXPECT_FALSE(store->find("a"));
  EXPECT_FALSE(store->find(""));
  EXPECT_THAT(shown(store->open("a/1")), HasSubstr("not a sealed one"));
  EXPECT_THAT(shown(store->open("b")), HasSubstr("has no record b"));
}

TEST_F(SqliteStoreTest, AppliesWritesInOrder) {
  auto store = open();
  store->commit(batch(put("k", "1"), put("k", "2"), dkg::Erase{"k"}, put("k", "3")));
  EXPECT_EQ(store->find("k"), to_bytes(as_bytes("3")));
  store->commit(batch(dkg::Erase{"k"}, dkg::Erase{"never-there"}));
  EXPECT_FALSE(store->find("k"));
  store->commit(batch(seal("k", "kek", "old"), put("k", "plain")));
  EXPECT_EQ(store->find("k"), to_bytes(as_bytes("plain")));
}

TEST_F(SqliteStoreTest, ListsKeysOfAPrefixInByteOrder) {
  auto store = open();
  store->commit(
      batch(put("b", ""), put("a/2", ""), put("a/10", ""), put("a0", ""), seal("a/1", "k", "s"), put("A", "")));
  EXPECT_THAT(store->list("a/"), ElementsAre("a/1", "a/10", "a/2"));
  EXPECT_THAT(store->list(""), ElementsAre("A", "a/1", "a/10", "a/2", "a0", "b"));
  EXPECT_THAT(store->list("c"), ElementsAre());
}

TEST_F(SqliteStoreTest, OpensWhatWasSealedAlsoAfterReopening) {
  open()->commit(batch(seal("share", "kek/0", "a secret"), seal("empty", "kek/0", "")));
  auto store = open();
  EXPECT_EQ(shown(store->open("share")), "a secret");
  EXPECT_EQ(shown(store->open("empty")), "");
  EXPECT_FALSE(store->find("share")) << "a sealed record is not a plain one";
}

TEST_F(SqliteStoreTest, KeepsSecretsOutOfItsFiles) {
  auto store = open();
  store->commit(batch(seal("share", "kek", "the-share-of-this-node"), put("plain", "visible-value")));
  const std::string bytes = test::read_text(file) + test::read_text(file + "-wal");
  EXPECT_NE(bytes.find("visible-value"), std::string::npos);
  EXPECT_EQ(bytes.find("the-share-of-this-node"), std::string::npos);
}

TEST_F(SqliteStoreTest, DestroyingAKeyEncryptionKeyRemovesItAndAllUnderIt) {
  auto store = open();
  store->commit(
      batch(seal("e0/a", "kek/0", "a"), seal("e0/b", "kek/0", "b"), seal("e1/a", "kek/1", "c"), put("e0/p", "p")));
  store->commit(batch(dkg::DestroyKek{"kek/0"}));
  EXPECT_THAT(store->list(""), ElementsAre("e0/p", "e1/a"));
  EXPECT_THAT(shown(store->open("e0/a")), HasSubstr("has no record"));
  EXPECT_EQ(shown(store->open("e1/a")), "c");
  store->commit(batch(dkg::DestroyKek{"kek/0"}, dkg::DestroyKek{"kek/never"}));
  store->commit(batch(seal("e0/a", "kek/0", "again")));
  EXPECT_EQ(shown(store->open("e0/a")), "again");
}

TEST_F(SqliteStoreTest, ADestroyedKeysBoxIsNowhereInTheFiles) {
  auto store = open();
  store->commit(batch(seal("share", "kek/0", "a secret"), put("other", "x")));
  // The name stands beside the box in one row, so that whoever finds neither finds no box.
  ASSERT_NE((test::read_text(file) + test::read_text(file + "-wal")).find("kek/0"), std::string::npos);
  store->commit(batch(dkg::DestroyKek{"kek/0"}));
  EXPECT_EQ((test::read_text(file) + test::read_text(file + "-wal")).find("kek/0"), std::string::npos);
}

TEST_F(SqliteStoreTest, AKeyDestroyedAndNamedAgainInOneBatchIsAnother) {
  auto store = open();
  store->commit(batch(seal("a", "kek", "1")));
  store->commit(batch(dkg::DestroyKek{"kek"}, seal("b", "kek", "2")));
  EXPECT_THAT(store->list(""), ElementsAre("b"));
  store.reset();
  EXPECT_EQ(shown(open()->open("b")), "2");
}

TEST_F(SqliteStoreTest, ABoxMovedToAnotherKeyDoesNotOpen) {
  open()->commit(batch(seal("a", "kek", "1"), seal("b", "kek", "2")));
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, "UPDATE records SET value = (SELECT value FROM records WHERE key = 'b') WHERE key = 'a'",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_THAT(shown(open()->open("a")), HasSubstr("does not open"));
  EXPECT_EQ(shown(open()->open("b")), "2");
}

TEST_F(SqliteStoreTest, CountsCommitsAndNeverDownwards) {
  auto store = open();
  EXPECT_EQ(store->commits(), 0u);
  store->commit({});
  EXPECT_EQ(store->commits(), 0u);
  store->commit(batch(put("a", ""), put("b", "")));
  store->commit(batch(put("a", "")));
  EXPECT_EQ(store->commits(), 2u);
  store.reset();
  EXPECT_EQ(open()->commits(), 2u);
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  EXPECT_NE(sqlite3_exec(raw, "UPDATE counter SET commits = 1", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
}

TEST_F(SqliteStoreTest, WhatWasCommittedSurvivesAKill) {
  in_killed_process([](SqliteStore& store) {
    for (int i = 0; i < 50; ++i) store.commit(batch(put("n", std::to_string(i)), seal("s", "kek", std::to_string(i))));
  });
  auto store = open();
  EXPECT_EQ(store->find("n"), to_bytes(as_bytes("49")));
  EXPECT_EQ(shown(store->open("s")), "49");
  EXPECT_EQ(store->commits(), 50u);
}

TEST_F(SqliteStoreTest, ABatchIsAllOrNothingWhereverTheLogIsCut) {
  in_killed_process([](SqliteStore& store) {
    store.commit(batch(put("x", "1"), put("y", "1")));
    store.commit(batch(put("x", "2"), put("y", "2")));
  });
  const std::string log = test::read_text(file + "-wal");
  const std::string database = test::read_text(file);
  ASSERT_GT(log.size(), 8000u);
  for (std::size_t cut = 0; cut < log.size(); cut += 997) {
    test::write_text(file, database);
    test::write_text(file + "-wal", log.substr(0, log.size() - cut));
    auto store = open();
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(store->find("x"), store->find("y")) << cut;
  }
}

TEST_F(SqliteStoreTest, ASecondProcessIsToldWhoHoldsTheFolder) {
  auto store = open();
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("in use by process " + std::to_string(::getpid())), HasSubstr("stop that node")));
  store.reset();
  EXPECT_EQ(refusal(), "opened");
}

TEST_F(SqliteStoreTest, FilesBelongToTheirOwnerAlone) {
  auto store = open();
  store->commit(batch(put("a", "b")));
  EXPECT_EQ(test::mode_of(data_dir), 0700u);
  for (const char* name : {"/store.db", "/store.db-wal", "/store.lock"})
    EXPECT_EQ(test::mode_of(data_dir + name), 0600u);
}

TEST_F(SqliteStoreTest, RefusesAnotherStoreKeyAndLeavesTheFileAndItsLogAsTheyAre) {
  in_killed_process([](SqliteStore& store) { store.commit(batch(put("a", "b"))); });
  const std::string before = test::read_text(file);
  const std::string log = test::read_text(file + "-wal");
  ASSERT_FALSE(log.empty());
  auto right = std::move(key);
  key = crypto::Secret<32>::random(entropy);
  EXPECT_THAT(refusal(), HasSubstr("another node key"));
  EXPECT_EQ(test::read_text(file), before);
  EXPECT_EQ(test::read_text(file + "-wal"), log);
  key = std::move(right);
  EXPECT_EQ(open()->find("a"), to_bytes(as_bytes("b")));
}

TEST_F(SqliteStoreTest, RefusesForeignFilesAndLeavesThemAsTheyAre) {
  std::filesystem::create_directory(data_dir);
  test::write_text(file, "not a database at all, but longer than a header " + std::string(200, 'x'));
  const std::string before = test::read_text(file);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("no SQLite database"), HasSubstr("left as it is")));
  EXPECT_EQ(test::read_text(file), before);
  test::write_text(file, "");
  EXPECT_THAT(refusal(), HasSubstr("no SQLite database"));
  std::filesystem::remove(file);
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "CREATE TABLE cookies(x)", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  const std::string other = test::read_text(file);
  EXPECT_THAT(refusal(), HasSubstr("another program"));
  EXPECT_EQ(test::read_text(file), other);
}

TEST_F(SqliteStoreTest, RefusesANewerVersionByNumber) {
  open();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  sqlite3_exec(raw, "PRAGMA user_version = 9", nullptr, nullptr, nullptr);
  sqlite3_close(raw);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("version 9"), HasSubstr("reads version 1")));
}

TEST_F(SqliteStoreTest, RefusesDamageAndLeavesTheFileAsItIs) {
  {
    auto store = open();
    for (int i = 0; i < 200; ++i) store->commit(batch(put("key/" + std::to_string(i), std::string(300, 'v'))));
  }
  std::string bytes = test::read_text(file);
  ASSERT_GT(bytes.size(), 40'000u);
  const std::string truncated = bytes.substr(0, bytes.size() / 2);
  test::write_text(file, truncated);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("damaged"), HasSubstr("left as it is")));
  EXPECT_EQ(test::read_text(file), truncated);
  for (std::size_t at = 20'000; at < 20'600; ++at) bytes[at] = static_cast<char>(bytes[at] ^ 0x5a);
  test::write_text(file, bytes);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("damaged"), HasSubstr("left as it is")));
  EXPECT_EQ(test::read_text(file), bytes);
}

TEST_F(SqliteStoreTest, RefusesALogWithoutItsFile) {
  std::filesystem::create_directory(data_dir);
  test::write_text(file + "-wal", "x");
  EXPECT_THAT(refusal(), HasSubstr("is missing but its log"));
}

TEST_F(SqliteStoreTest, AHalfMadeFileOfAnEarlierStartIsMadeAnew) {
  std::filesystem::create_directory(data_dir);
  test::write_text(file + ".new", "half");
  EXPECT_EQ(refusal(), "opened");
  EXPECT_FALSE(std::filesystem::exists(file + ".new"));
}

TEST_F(SqliteStoreTest, LeftoversOfEveryKindAreRemovedBeforeANewFileIsMade) {
  std::filesystem::create_directory(data_dir);
  for (const char* suffix : {".new", ".new-wal", ".new-journal"}) test::write_text(file + suffix, "half");
  EXPECT_EQ(refusal(), "opened");
  for (const char* suffix : {".new", ".new-wal", ".new-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(file + suffix)) << suffix;
  }
}

// The room ends at every place of the making of the file, one start after the other.
TEST_F(SqliteStoreTest, ADiskThatIsFullAtTheFirstStartSaysSoAndCostsNothing) {
  std::size_t room = 0;
  for (;; room += 4000) {
    data_dir = folder / ("data" + std::to_string(room));
    file = data_dir + "/store.db";
    std::string said;
    {
      const SmallDisk disk(room);
      said = refusal();
    }
    if (said == "opened") break;
    ASSERT_THAT(said, AllOf(HasSubstr(data_dir), HasSubstr("disk"), HasSubstr("full"), HasSubstr("free some space")));
    for (const char* suffix : {".new", ".new-wal", ".new-journal"}) {
      EXPECT_FALSE(std::filesystem::exists(file + suffix)) << room << suffix;
    }
    ASSERT_EQ(refusal(), "opened") << "after a first start with room for " << room;
  }
  EXPECT_GT(room, 40'000u) << "the file alone takes less, its log before it as much again";
}

TEST_F(SqliteStoreTest, ADiskThatIsFullLaterIsNotCalledDamage) {
  auto store = open();
  {
    const SmallDisk disk(0);
    try {
      store->commit(batch(put("a", "1")));
      FAIL() << "committed without room";
    } catch (const StoreFailure& failure) {
      EXPECT_THAT(failure.what(), HasSubstr("free some space"));
    }
  }
  store.reset();
  EXPECT_EQ(open()->find("a"), std::nullopt);
}

TEST_F(SqliteStoreTest, SaysWhyAFolderCannotBeMade) {
  test::write_text(data_dir, "a file");
  EXPECT_NE(refusal(), "opened");
  EXPECT_THAT(refusal(), HasSubstr(data_dir));
}

}  // namespace
}  // namespace kms::node::io
