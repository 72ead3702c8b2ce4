// Keeps what others cause from filling the log: of one peer and kind the first line is written at once, those of the
// next ten seconds are counted and told with the first after them.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"

namespace kms::node {

class LogLimit {
 public:
  static constexpr Duration kQuiet = 10s;
  static constexpr std::size_t kKeysMax = 1024;  // beyond it lines of new keys count as lines of one more
  static constexpr std::size_t kTextBytesMax = 400;

  // `key`: peer and kind. The line to write now, or nothing.
  std::optional<std::string> pass(const std::string& key, const std::string& text, Instant now);

 private:
  struct Entry {
    Instant quiet_until;
    std::uint64_t untold = 0;
  };
  void forget_quiet(Instant now);
  std::map<std::string, Entry> entries_;
};

}  // namespace kms::node
