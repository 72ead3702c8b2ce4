#include "node/io/refusal_log.h"

#include "node/io/log.h"

namespace kms::node::io {
namespace {

constexpr std::size_t kDetailBytesMax = 200;
// As much of a detail as tells reasons apart: it begins with words of ours, what a stranger wrote comes later.
constexpr std::size_t kReasonBytes = 40;

}  // namespace

void RefusalLog::note(const std::string& kind, const std::string& from, const std::string& detail) {
  std::string text = kind + " from " + from;
  if (!detail.empty()) text += ": " + detail.substr(0, kDetailBytesMax);
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  if (const auto line = limit_.pass(kind + detail.substr(0, kReasonBytes), text,
                                    Instant(std::chrono::duration_cast<Duration>(now)))) {
    log(LogLevel::info, *line);
  }
}

}  // namespace kms::node::io
