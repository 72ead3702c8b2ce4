#include "cli/io/passphrase.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "crypto/io/file.h"

namespace kms::cli::io {
namespace {

constexpr std::size_t kPassphraseBytesMax = 4096;
constexpr const char* kVariable = "KMS_KEYSTORE__PASSPHRASE";
constexpr const char* kFileVariable = "KMS_KEYSTORE__PASSPHRASE_FILE";

// The terminal of this process, with the echo off while it lives.
class QuietTerminal {
 public:
  QuietTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ICANON | ECHONL;
    is_quiet_ = ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (is_quiet_) ::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_quiet() const { return is_quiet_; }

  Outcome<crypto::SecretBytes> ask(const std::string& question) {
    if (::write(fd_, question.data(), question.size()) < 0) return Failure(error("cannot write to the terminal"));
    crypto::SecretBytes line(kPassphraseBytesMax);
    std::size_t size = 0;
    while (size < line.size()) {
      std::uint8_t& next = line.expose_mutable()[size];
      const ssize_t got = ::read(fd_, &next, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return Failure(error("the terminal was closed; nothing was made"));
      if (next == '\n' || next == '\r') return crypto::SecretBytes::copy_of(line.expose().first(size));
      ++size;
    }
    return Failure(error("the passphrase is longer than 4095 bytes"));
  }

 private:
  int fd_;
  termios before_{};
  bool is_quiet_ = false;
};

Outcome<crypto::SecretBytes> from_file(const std::string& file) {
  auto content = crypto::io::read_file(file, kPassphraseBytesMax);
  if (!content) return Failure(error("passphrase file: " + content.error().message));
  ByteView text = content->expose();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text = text.first(text.size() - 1);
  if (text.empty()) return Failure(error("passphrase file: " + file + " is empty; write a passphrase into it"));
  return crypto::SecretBytes::copy_of(text);
}

Outcome<crypto::SecretBytes> from_terminal(const std::string& purpose) {
  QuietTerminal terminal;
  if (!terminal.is_quiet()) {
    return usage("a passphrase for " + purpose +
                 " is needed and there is no terminal to ask on; give --passphrase-file FILE or set " + kVariable);
  }
  auto first = terminal.ask("Passphrase for " + purpose + " (not shown): ");
  if (!first) return first.error();
  if (first->size() == 0) return Failure(error("the passphrase is empty; nothing was made"));
  auto second = terminal.ask("The same again: ");
  if (!second) return second.error();
  if (!crypto::equal_constant_time(first->expose(), second->expose())) {
    return Failure(error("the two passphrases differ; nothing was made"));
  }
  return std::move(*first);
}

}  // namespace

Outcome<crypto::SecretBytes> new_passphrase(const std::string& file, const std::string& purpose) {
  if (!file.empty()) return from_file(file);
  if (char* value = std::getenv(kVariable); value != nullptr && *value != '\0') {
    const std::size_t size = std::strlen(value);
    auto passphrase = crypto::SecretBytes::copy_of(as_bytes(std::string_view(value, size)));
    crypto::wipe({reinterpret_cast<std::uint8_t*>(value), size});
    ::unsetenv(kVariable);
    return passphrase;
  }
  if (const char* named = std::getenv(kFileVariable); named != nullptr && *named != '\0') return from_file(named);
  return from_terminal(purpose);
}

}  // namespace kms::cli::io
