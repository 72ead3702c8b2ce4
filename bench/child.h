// A second process of a benchmark: made by fork, speaks lines with its parent, ends with its body.
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

namespace kms::bench {

// One end of a pair of pipes. The process ends when the other end is gone.
class Lines {
 public:
  explicit Lines(int descriptor) : descriptor_(descriptor) {}
  void say(const std::string& line);
  std::string hear();
  // Whether `hear` would return without waiting.
  bool has_line() const;

 private:
  int descriptor_;
};

// Make it before threads and sockets, which would not survive the fork.
class Child {
 public:
  explicit Child(const std::function<void(Lines& parent)>& body);
  // Waits for it; the parent ends, too, if the child failed.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Lines& lines() { return lines_; }

 private:
  int descriptor_;
  pid_t pid_;
  Lines lines_;
};

// Processor time of this process, user and system, in seconds.
double processor_seconds();
// Of the monotonic clock.
double clock_seconds();

}  // namespace kms::bench
