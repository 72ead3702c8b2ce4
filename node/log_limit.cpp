#include "node/log_limit.h"

namespace kms::node {

std::optional<std::string> LogLimit::pass(const std::string& key, const std::string& text, Instant now) {
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= kKeysMax) forget_quiet(now);
    found = entries_.try_emplace(entries_.size() < kKeysMax ? key : std::string(), Entry{now, 0}).first;
  }
  Entry& entry = found->second;
  if (now < entry.quiet_until) {
    ++entry.untold;
    return std::nullopt;
  }
  std::string line = text.substr(0, kTextBytesMax);
  if (entry.untold != 0) line += " (and " + std::to_string(entry.untold) + " more since the last such line)";
  entry = {now + kQuiet, 0};
  return line;
}

// A key whose time is over and that has nothing to tell; after a minute also one whose count nobody asked for.
void LogLimit::forget_quiet(Instant now) {
  std::erase_if(entries_, [&](const auto& entry) {
    const auto over = entry.second.quiet_until + (entry.second.untold == 0 ? Duration(0) : Duration(60s));
    return now >= over;
  });
}

}  // namespace kms::node
