#include "bench/child.h"

#include <chrono>
#include <cstdio>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

namespace kms::bench {
namespace {

[[noreturn]] void quit(const char* reason) {
  std::fprintf(stderr, "kms-bench: %s\n", reason);
  _exit(1);
}

}  // namespace

void Lines::say(const std::string& line) {
  const std::string text = line + "\n";
  if (::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    quit("the other process is gone");
  }
}

std::string Lines::hear() {
  std::string line;
  for (char c = 0;;) {
    if (::read(descriptor_, &c, 1) != 1) quit("the other process is gone");
    if (c == '\n') return line;
    line += c;
  }
}

bool Lines::has_line() const {
  pollfd waiting{descriptor_, POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

Child::Child(const std::function<void(Lines& parent)>& body) : descriptor_(-1), pid_(-1), lines_(-1) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) quit("no socket pair");
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) quit("no fork");
  if (pid_ == 0) {
    ::close(ends[0]);
    Lines parent(ends[1]);
    body(parent);
    _exit(0);
  }
  ::close(ends[1]);
  descriptor_ = ends[0];
  lines_ = Lines(descriptor_);
}

Child::~Child() {
  int status = 0;
  ::close(descriptor_);
  if (::waitpid(pid_, &status, 0) != pid_ || status != 0) quit("a child process failed");
}

double processor_seconds() {
  rusage used{};
  KMS_ASSERT(::getrusage(RUSAGE_SELF, &used) == 0);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double clock_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace kms::bench
