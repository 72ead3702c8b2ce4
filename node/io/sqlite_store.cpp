#include "node/io/sqlite_store.h"

#include <map>

#include "base/assert.h"
#include "node/io/data_lock.h"
#include "node/io/store_file.h"

namespace kms::node::io {

using dkg::DestroyKek;
using dkg::Erase;
using dkg::Put;
using dkg::Seal;

struct SqliteStore::Impl {
  DataLock lock;
  Database database;
  crypto::SealingKey store_key;
  Entropy& entropy;
  // Opened ones; a sealed record costs one AES-GCM then.
  std::map<std::string, crypto::SealingKey, std::less<>> keks{};
  bool destroyed_kek = false;  // by the commit under way

  Statement find_record{database.get(), "SELECT kek, value FROM records WHERE key = ?1"};
  Statement list_records{database.get(), "SELECT key FROM records WHERE key >= ?1 ORDER BY key"};
  Statement write_record{database.get(), "INSERT OR REPLACE INTO records VALUES(?1, ?2, ?3)"};
  Statement erase_record{database.get(), "DELETE FROM records WHERE key = ?1"};
  Statement erase_sealed{database.get(), "DELETE FROM records WHERE kek = ?1"};
  Statement find_kek{database.get(), "SELECT box FROM keks WHERE name = ?1"};
  Statement write_kek{database.get(), "INSERT INTO keks VALUES(?1, ?2)"};
  Statement erase_kek{database.get(), "DELETE FROM keks WHERE name = ?1"};
  Statement read_counter{database.get(), "SELECT commits FROM counter"};
  Statement raise_counter{database.get(), "UPDATE counter SET commits = commits + 1"};

  // Null if there is none.
  const crypto::SealingKey* kek(const std::string& name);
  const crypto::SealingKey& kek_or_new(const std::string& name);
  void apply(const Put& put);
  void apply(const Seal& seal);
  void apply(const Erase& erase);
  void apply(const DestroyKek& destroy);
  void empty_log();
};

const crypto::SealingKey* SqliteStore::Impl::kek(const std::string& name) {
  if (const auto at = keks.find(name); at != keks.end()) return &at->second;
  const Use row(find_kek);
  row->bind(1, std::string_view(name));
  if (!row->step()) return nullptr;
  auto opened = store_key.open(row->blob(0), store_context({"kek", name}));
  if (!opened || opened->size() != 32) {
    throw StoreFailure("the store's key-encryption key " + name + " is damaged; restore the store from a backup");
  }
  return &keks.emplace(name, crypto::SealingKey(crypto::Secret<32>::copy_of(opened->expose()))).first->second;
}

const crypto::SealingKey& SqliteStore::Impl::kek_or_new(const std::string& name) {
  if (const crypto::SealingKey* known = kek(name)) return *known;
  auto made = crypto::SealingKey::random(entropy);
  const Bytes box = store_key.seal(made.expose().expose(), store_context({"kek", name}), entropy);
  write_kek.bind(1, std::string_view(name)).bind(2, box).run();
  return keks.emplace(name, std::move(made)).first->second;
}

void SqliteStore::Impl::apply(const Put& put) {
  KMS_ASSERT(is_store_key(put.key) && put.value.size() <= kStoreValueBytesMax);
  write_record.bind(1, std::string_view(put.key)).bind_null(2).bind(3, ByteView(put.value)).run();
}

void SqliteStore::Impl::apply(const Seal& seal) {
  KMS_ASSERT(is_store_key(seal.key) && is_store_key(seal.kek) && seal.value.size() <= kStoreValueBytesMax);
  const Bytes box =
      kek_or_new(seal.kek).seal(seal.value.expose(), store_context({"record", seal.key, seal.kek}), entropy);
  write_record.bind(1, std::string_view(seal.key)).bind(2, std::string_view(seal.kek)).bind(3, ByteView(box)).run();
}

void SqliteStore::Impl::apply(const Erase& erase) {
  KMS_ASSERT(is_store_key(erase.key));
  erase_record.bind(1, std::string_view(erase.key)).run();
}

void SqliteStore::Impl::apply(const DestroyKek& destroy) {
  KMS_ASSERT(is_store_key(destroy.kek));
  erase_sealed.bind(1, std::string_view(destroy.kek)).run();
  erase_kek.bind(1, std::string_view(destroy.kek)).run();
  keks.erase(destroy.kek);
  destroyed_kek = true;
}

// secure_delete has zeroed the pages in the log's last frames; moving them into the file overwrites the box there, and
// cutting the log drops the older frames that still held it.
void SqliteStore::Impl::empty_log() {
  Statement checkpoint(database.get(), "PRAGMA wal_checkpoint(TRUNCATE)");
  if (!checkpoint.step() || checkpoint.integer(0) != 0) {
    throw StoreFailure("the store cannot erase a destroyed key from its log; is another program reading the file?");
  }
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& data_dir, crypto::SealingKey store_key,
                                                       Entropy& entropy) {
  if (auto made = make_data_folder(data_dir); !made) return made.error();
  auto lock = DataLock::take(data_dir);
  if (!lock) return lock.error();
  auto database = open_store_file(data_dir, store_key, entropy);
  if (!database) return database.error();
  try {
    return std::unique_ptr<SqliteStore>(new SqliteStore(
        std::unique_ptr<Impl>(new Impl{std::move(*lock), std::move(*database), std::move(store_key), entropy})));
  } catch (const DiskFull& full) {
    return error("cannot open " + data_dir + "/store.db: " + full.what());
  } catch (const StoreFailure& broken) {
    return error(data_dir + "/store.db is damaged: " + broken.what());
  }
}

std::optional<Bytes> SqliteStore::find(std::string_view key) const {
  const Use row(impl_->find_record);
  row->bind(1, key);
  if (!row->step() || !row->is_null(0)) return std::nullopt;
  return to_bytes(row->blob(1));
}

Result<crypto::SecretBytes> SqliteStore::open(std::string_view key) const {
  const std::string name(key);
  const Use row(impl_->find_record);
  row->bind(1, key);
  if (!row->step()) return error("the store has no record " + name);
  if (row->is_null(0)) return error("the record " + name + " is not a sealed one");
  const std::string kek_name = row->text(0);
  const crypto::SealingKey* kek = impl_->kek(kek_name);
  if (kek == nullptr) return error("the key-encryption key of the record " + name + " is destroyed");
  auto opened = kek->open(row->blob(1), store_context({"record", name, kek_name}));
  if (!opened) return error("the record " + name + " is damaged: its box does not open");
  return opened;
}

std::vector<std::string> SqliteStore::list(std::string_view prefix) const {
  std::vector<std::string> out;
  const Use row(impl_->list_records);
  row->bind(1, prefix);
  while (row->step()) {
    std::string key = row->text(0);
    if (!key.starts_with(prefix)) break;
    out.push_back(std::move(key));
  }
  return out;
}

void SqliteStore::commit(const dkg::Checkpoint& checkpoint) {
  if (checkpoint.empty()) return;
  Impl& store = *impl_;
  store.destroyed_kek = false;
  execute(store.database.get(), "BEGIN IMMEDIATE");
  try {
    for (const dkg::Write& write : checkpoint.writes) std::visit([&](const auto& one) { store.apply(one); }, write);
    store.raise_counter.run();
    execute(store.database.get(), "COMMIT");
  } catch (...) {
    // The cache may know keys that the file does not.
    store.keks.clear();
    sqlite3_exec(store.database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  if (store.destroyed_kek) store.empty_log();
}

std::uint64_t SqliteStore::commits() const {
  const Use row(impl_->read_counter);
  if (!row->step()) throw StoreFailure("the store's counter is missing; restore it from a backup");
  return static_cast<std::uint64_t>(row->integer(0));
}

}  // namespace kms::node::io
