// How far the store had come, kept beside the node key and so outside the data folder: a data folder that is restored
// from a backup, or lost, shows by being behind it (PROTOCOL.md 4.9).
#pragma once

#include <cstdint>
#include <string>

namespace kms::node::io {

class CommitMark {
 public:
  // NODE_KEY_FILE.commits, 8 bytes. Where it cannot be read or written there is no mark, and nothing is noticed.
  explicit CommitMark(const std::string& node_key_file);
  ~CommitMark();
  CommitMark(const CommitMark&) = delete;
  CommitMark& operator=(const CommitMark&) = delete;

  bool is_kept() const { return file_ >= 0; }
  const std::string& path() const { return path_; }
  // Of the last run; 0 if there was none.
  std::uint64_t value() const { return value_; }
  // After a commit. Not flushed: a power cut may leave it behind the store, never ahead of it.
  void note(std::uint64_t commits);

 private:
  std::string path_;
  int file_ = -1;
  std::uint64_t value_ = 0;
};

}  // namespace kms::node::io
