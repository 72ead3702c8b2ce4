#include "node/io/commit_mark.h"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace kms::node::io {

CommitMark::CommitMark(const std::string& node_key_file) : path_(node_key_file + ".commits") {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  std::array<std::uint8_t, 8> bytes{};
  if (file_ < 0 || ::pread(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return;
  for (const std::uint8_t byte : bytes) value_ = value_ << 8 | byte;
}

CommitMark::~CommitMark() {
  if (file_ >= 0) ::close(file_);
}

void CommitMark::note(std::uint64_t commits) {
  if (file_ < 0) return;
  value_ = commits;
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(commits >> (56 - 8 * i));
  if (::pwrite(file_, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    ::close(file_);
    file_ = -1;
  }
}

}  // namespace kms::node::io
