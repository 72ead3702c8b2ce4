#include "node/io/store_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace kms::node::io {
namespace {

constexpr std::uint32_t kApplicationId = 0x4b4d5331;  // "KMS1"
constexpr std::uint32_t kSchemaVersion = 1;
constexpr char kSchema[] = R"(
  PRAGMA application_id = 0x4b4d5331;
  PRAGMA user_version = 1;
  PRAGMA journal_mode = WAL;
  BEGIN;
  CREATE TABLE counter(id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL) STRICT;
  INSERT INTO counter VALUES(1, 0);
  CREATE TRIGGER counter_rises BEFORE UPDATE ON counter WHEN NEW.commits <= OLD.commits
    BEGIN SELECT RAISE(ABORT, 'the commit counter must rise'); END;
  CREATE TABLE store_key(id INTEGER PRIMARY KEY CHECK (id = 1), box BLOB NOT NULL) STRICT;
  CREATE TABLE keks(name TEXT PRIMARY KEY NOT NULL, box BLOB NOT NULL) STRICT;
  CREATE TABLE records(key TEXT PRIMARY KEY NOT NULL, kek TEXT, value BLOB NOT NULL) STRICT;
  CREATE INDEX records_by_kek ON records(kek) WHERE kek IS NOT NULL;
  COMMIT;)";

Database open_database(const std::string& path) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (status != SQLITE_OK) {
    if (status == SQLITE_FULL) throw DiskFull();
    throw StoreFailure(raw != nullptr ? sqlite3_errmsg(raw) : "out of memory");
  }
  sqlite3_extended_result_codes(raw, 1);
  execute(raw,
          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
          "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;");
  return database;
}

std::uint32_t big_endian(ByteView bytes) {
  return static_cast<std::uint32_t>(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]);
}

// Reads the header itself: SQLite would already write beside a file that it opens.
Result<void> recognise(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  ByteArray<100> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  const ByteView bytes(header);
  if (!file || as_text(bytes.first(16)) != std::string_view("SQLite format 3\0", 16)) {
    return error(path +
                 " is no SQLite database: it is damaged or not ours; it was left as it is. Restore it from a "
                 "backup, or move it away to start anew");
  }
  if (big_endian(bytes.subspan(68)) != kApplicationId) {
    return error(path + " is a database of another program; it was left as it is. Give the node another data folder");
  }
  if (const std::uint32_t version = big_endian(bytes.subspan(60)); version != kSchemaVersion) {
    return error(path + " has version " + std::to_string(version) + ", this program reads version " +
                 std::to_string(kSchemaVersion) + "; use the program that wrote it");
  }
  return {};
}

Bytes store_key_context() {
  return store_context({"store key"});
}

// SQLite's own files beside a database that was never finished.
void remove_unfinished(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-journal", "-shm"}) std::filesystem::remove(path + suffix);
}

void flush(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool is_flushed = fd >= 0 && ::fsync(fd) == 0;
  const int cause = errno;
  if (fd >= 0) ::close(fd);
  if (is_flushed) return;
  if (cause == ENOSPC || cause == EDQUOT) throw DiskFull();
  throw StoreFailure("cannot flush " + path + ": " + std::strerror(cause));
}

// One complete file with nothing beside it.
void make_database(const std::string& path, const crypto::SealingKey& store_key, Entropy& entropy) {
  const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0) {
    if (errno == ENOSPC || errno == EDQUOT) throw DiskFull();
    throw StoreFailure("cannot create " + path + ": " + std::strerror(errno));
  }
  ::close(made);
  {
    const Database database = open_database(path);
    execute(database.get(), kSchema);
    const Bytes box = store_key.seal({}, store_key_context(), entropy);
    Statement(database.get(), "INSERT INTO store_key VALUES(1, ?1)").bind(1, box).run();
    // Closing would do the same without a word when there is no room.
    Statement checkpoint(database.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
    if (!checkpoint.step() || checkpoint.integer(0) != 0) throw StoreFailure("cannot complete " + path);
  }
  if (std::filesystem::exists(path + "-wal")) throw StoreFailure("cannot remove " + path + "-wal");
  flush(path, O_RDWR);
}

// A rename makes the file appear complete or not at all, whatever ends this process and whenever.
void make_store(const std::string& data_dir, const std::string& path, const crypto::SealingKey& store_key,
                Entropy& entropy) {
  const std::string unfinished = path + ".new";
  remove_unfinished(unfinished);
  try {
    make_database(unfinished, store_key, entropy);
    std::filesystem::rename(unfinished, path);
  } catch (...) {
    remove_unfinished(unfinished);
    throw;
  }
  flush(data_dir, O_RDONLY | O_DIRECTORY);
}

std::optional<std::string> damage(sqlite3* database) {
  Statement check(database, "PRAGMA integrity_check(1)");
  if (check.step() && check.text(0) == "ok") return std::nullopt;
  return check.text(0);
}

Result<Database> open_existing(const std::string& path, const crypto::SealingKey& store_key) {
  if (auto recognised = recognise(path); !recognised) return recognised.error();
  try {
    Database database = open_database(path);
    // Until the file is known to be sound, closing it must not move the log into it.
    sqlite3_db_config(database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (const auto found = damage(database.get())) throw StoreFailure(*found);
    {
      Statement box(database.get(), "SELECT box FROM store_key");
      if (!box.step()) throw StoreFailure("a row is missing");
      if (!store_key.open(box.blob(0), store_key_context())) {
        return error(path +
                     " belongs to another node key, or is damaged; it was left as it is. Start the node with "
                     "the node.key that this data folder was made with");
      }
    }
    sqlite3_db_config(database.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
    if (::chmod(path.c_str(), 0600) != 0) throw StoreFailure(std::strerror(errno));
    return database;
  } catch (const DiskFull& full) {
    return error("cannot open " + path + ": " + full.what());
  } catch (const StoreFailure& fault) {
    return error(path + " is damaged and was left as it is: " + fault.what() + ". Restore it from a backup");
  }
}

}  // namespace

Bytes store_context(std::initializer_list<std::string_view> parts) {
  Bytes out = to_bytes(as_bytes("kms store 1"));
  for (std::string_view part : parts) {
    out.push_back('\n');
    append(out, as_bytes(part));
  }
  return out;
}

Result<Database> open_store_file(const std::string& data_dir, const crypto::SealingKey& store_key, Entropy& entropy) {
  const std::string path = data_dir + "/store.db";
  if (std::filesystem::exists(path)) return open_existing(path, store_key);
  if (std::filesystem::exists(path + "-wal")) {
    return error(path + " is missing but its log " + path + "-wal is there; restore the file, or move the log away");
  }
  try {
    make_store(data_dir, path, store_key, entropy);
  } catch (const std::exception& fault) {
    return error("cannot make the store in " + data_dir + ": " + fault.what());
  }
  return open_existing(path, store_key);
}

}  // namespace kms::node::io
