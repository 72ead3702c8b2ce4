#include "node/delegation/pending_limit.h"

#include <algorithm>
#include <cmath>

namespace kms::delegation {
namespace {

constexpr double kOldWeight = 0.7;  // what a slot leaves of the pace before it

}  // namespace

// Of a busy time of a slot or more.
void PendingLimit::measure(Instant now) {
  if (now < slot_began_ + kSlot) return;
  if (is_busy_) {
    const double slots = std::chrono::duration<double>(now - slot_began_) / std::chrono::duration<double>(kSlot);
    const double pace = static_cast<double>(ends_) / slots;
    const double kept = is_known_ ? std::pow(kOldWeight, slots) : 0.0;
    pace_ = kept * pace_ + (1 - kept) * pace;
    is_known_ = true;
  }
  slot_began_ = now;
  ends_ = 0;
}

bool PendingLimit::admits(std::size_t pending, Instant now) {
  measure(now);
  if (pending >= limit()) return false;
  if (pending + 1 == kBusy) {
    // A slot counts if it is busy from its beginning.
    slot_began_ = now;
    ends_ = 0;
    is_busy_ = true;
  }
  return true;
}

void PendingLimit::note_end(std::size_t pending) {
  ++ends_;
  if (pending < kBusy) is_busy_ = false;
}

std::size_t PendingLimit::limit() const {
  if (!is_known_) return std::min(kUnknown, most_);
  const double slots = static_cast<double>(wait_.count()) / static_cast<double>(kSlot.count());
  const double in_time = std::min(pace_ * slots, static_cast<double>(most_));
  return std::min(std::max(static_cast<std::size_t>(in_time), kLeast), most_);
}

}  // namespace kms::delegation
