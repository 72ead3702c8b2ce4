// The data folder, and one process at a time in it.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace kms::node::io {

// Makes it, with mode 0700, and its parents if they are not there.
Result<void> make_data_folder(const std::string& data_dir);

// Held until destroyed, or until the process ends however it ends.
class DataLock {
 public:
  // Makes DATA_DIR/store.lock. Held by somebody else: an error that names the process.
  static Result<DataLock> take(const std::string& data_dir);
  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace kms::node::io
