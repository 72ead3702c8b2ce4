#include "node/io/data_lock.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kms::node::io {

Result<void> make_data_folder(const std::string& data_dir) {
  std::error_code fault;
  if (std::filesystem::create_directories(data_dir, fault)) ::chmod(data_dir.c_str(), 0700);
  if (fault) return error("cannot make the data folder " + data_dir + ": " + fault.message());
  return {};
}

Result<DataLock> DataLock::take(const std::string& data_dir) {
  const std::string path = data_dir + "/store.lock";
  DataLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return error("cannot create " + path + ": " + std::strerror(errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const bool is_known = ::pread(lock.fd_, holder, sizeof holder - 1, 0) > 0;
    return error("the data folder " + data_dir + " is in use by " +
                 (is_known ? "process " + std::to_string(std::atol(holder)) : "another process") +
                 "; stop that node, or give this one a folder of its own");
  }
  const std::string own = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, own.data(), own.size(), 0) < 0) {
    return error("cannot write " + path + ": " + std::strerror(errno));
  }
  return lock;
}

DataLock::~DataLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace kms::node::io
