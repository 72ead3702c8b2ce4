#include "crypto/io/file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace kms::crypto::io {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int operator*() const { return fd_; }

 private:
  int fd_;
};

Error failed(const std::string& what, const std::string& path) {
  return error("cannot " + what + " " + path + ": " + std::strerror(errno));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool write_all(int fd, ByteView content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

}  // namespace

Result<SecretBytes> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (*file < 0) return failed("open", path);
  struct stat status {};
  if (::fstat(*file, &status) != 0) return failed("read", path);
  if (S_ISDIR(status.st_mode)) return error("cannot read " + path + ": it is a folder");
  // Pipes have no size, so the bound holds for what is read, not for what is announced.
  SecretBytes buffer(bytes_max + 1);
  std::size_t size = 0;
  while (size <= bytes_max) {
    const ssize_t got = ::read(*file, buffer.expose_mutable().data() + size, bytes_max + 1 - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", path);
    if (got == 0) return SecretBytes::copy_of(buffer.expose().first(size));
    size += static_cast<std::size_t>(got);
  }
  return error(path + " is longer than the " + std::to_string(bytes_max) + " bytes that are accepted");
}

Result<void> write_new_file(const std::string& path, ByteView content) {
  // A link fails if the name is taken, a rename would replace it.
  const std::string temporary = path + ".new." + std::to_string(::getpid());
  {
    ::unlink(temporary.c_str());
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (*file < 0) return failed("create", temporary);
    if (::fchmod(*file, 0600) != 0 || !write_all(*file, content)) {
      const Error fault = failed("write", temporary);
      ::unlink(temporary.c_str());
      return fault;
    }
  }
  const bool is_linked = ::link(temporary.c_str(), path.c_str()) == 0;
  const int fault = errno;
  ::unlink(temporary.c_str());
  if (!is_linked && fault == EEXIST) {
    return error(path + " exists already and is not overwritten; move it away first");
  }
  errno = fault;
  if (!is_linked) return failed("create", path);
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (*folder < 0 || ::fsync(*folder) != 0) return failed("flush the folder of", path);
  return {};
}

}  // namespace kms::crypto::io
