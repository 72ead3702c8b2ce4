#include "node/io/refusal_log.h"

#include "node/io/log.h"

namespace kms::node::io {
namespace {

constexpr std::size_t kDetailBytesMax = 200;

}  // namespace

void RefusalLog::note(const std::string& kind, const std::string& from, const std::string& detail) {
  std::string text = kind + " from " + from;
  if (!detail.empty()) text += ": " + detail.substr(0, kDetailBytesMax);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (const auto line = limit_.pass(kind, text, Instant(std::chrono::duration_cast<Duration>(now)))) {
    log(LogLevel::info, *line);
  }
}

}  // namespace kms::node::io
