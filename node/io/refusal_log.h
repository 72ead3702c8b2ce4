// What strangers are refused for, in the log: the first of a kind at once, the others of the next ten seconds counted
// and told with the first after them. So the reasons are there, and nobody can fill a disk with them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace kms::node::io {

class RefusalLog {
 public:
  // `kind`: one of a few names of ours; `detail` may hold text of the stranger.
  void note(const std::string& kind, const std::string& from, const std::string& detail);

 private:
  struct Entry {
    std::chrono::steady_clock::time_point quiet_until{};
    std::uint64_t untold = 0;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace kms::node::io
