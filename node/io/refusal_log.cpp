#include "node/io/refusal_log.h"

#include "node/io/log.h"

namespace kms::node::io {
namespace {

constexpr std::chrono::seconds kQuiet{10};
constexpr std::size_t kKindsMax = 64;  // a net under the promise of the caller; further kinds are not told
constexpr std::size_t kDetailBytesMax = 200;

}  // namespace

void RefusalLog::note(const std::string& kind, const std::string& from, const std::string& detail) {
  if (!entries_.contains(kind) && entries_.size() == kKindsMax) return;
  Entry& entry = entries_[kind];
  const auto now = std::chrono::steady_clock::now();
  if (now < entry.quiet_until) {
    ++entry.untold;
    return;
  }
  std::string text = kind + " from " + from;
  if (!detail.empty()) text += ": " + detail.substr(0, kDetailBytesMax);
  if (entry.untold != 0) text += " (and " + std::to_string(entry.untold) + " more since the last such line)";
  entry = {now + kQuiet, 0};
  log(LogLevel::info, text);
}

}  // namespace kms::node::io
