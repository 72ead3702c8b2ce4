// The node's store in one SQLite file, DATA_DIR/store.db, which one process at a time may hold (DATA_DIR/store.lock).
#pragma once

#include <memory>

#include "crypto/sealing.h"
#include "node/store.h"

namespace kms::node::io {

// Write-ahead log with synchronous = FULL: a commit is on disk when it returns. Files have mode 0600. Sealed values are
// boxes under their key-encryption key, and those are boxes under `store_key`, each bound to its name.
// DestroyKek overwrites the key's box and empties the log; what older blocks of a copying file system, a snapshot or a
// backup still hold opens only with the store key.
class SqliteStore final : public Store {
 public:
  // Makes the folder (mode 0700) and the file if they do not exist; a file that could not be made complete is removed
  // again, or at the next start. An error, which leaves the files as they are: the folder is in use by another process,
  // the disk is full, the file is not ours, of a newer version, damaged, or of another store key.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& data_dir, crypto::SealingKey store_key,
                                                   Entropy& entropy);
  ~SqliteStore() override;

  std::optional<Bytes> find(std::string_view key) const override;
  Result<crypto::SecretBytes> open(std::string_view key) const override;
  std::vector<std::string> list(std::string_view prefix) const override;
  void commit(const dkg::Checkpoint& checkpoint) override;
  std::uint64_t commits() const override;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kms::node::io
