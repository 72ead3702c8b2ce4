#include "dkg/attempt_clock.h"

#include <algorithm>

namespace kms::dkg {

void AttemptClock::open(std::uint32_t own, Instant now) {
  if (opened_) return;
  own_ = own;
  opened_ = now;
  started_ = now;
}

void AttemptClock::begin_emergency(std::uint16_t quorum, Instant now) {
  reach_ = quorum;
  has_header_ = false;
  started_ = now;
}

bool AttemptClock::is_live(std::uint32_t attempt) const {
  return is_open() && std::uint64_t{attempt} + 1 >= own_ && attempt <= std::uint64_t{own_} + 1;
}

void AttemptClock::heard(Position member, std::uint32_t attempt) {
  if (member == self_) return;
  auto& known = heard_[member];
  known = std::max(known, attempt);
}

void AttemptClock::saw_header(std::uint32_t attempt) {
  if (attempt == own_) has_header_ = true;
}

std::size_t AttemptClock::members_at_or_beyond(std::uint32_t attempt) const {
  return static_cast<std::size_t>(
      std::count_if(heard_.begin(), heard_.end(), [&](const auto& entry) { return entry.second >= attempt; }));
}

Instant AttemptClock::expiry() const {
  const std::int64_t factor = std::int64_t{1} << std::min(own_, 10U);
  const bool is_leaderless = !has_header_ && members_at_or_beyond(own_) + 1 >= reach_;
  if (is_leaderless) return started_ + timing_.prekey_wait + 4 * timing_.delta * factor;
  return started_ + timing_.attempt_long * factor;
}

bool AttemptClock::advance(Instant now) {
  if (!is_open()) return false;
  const auto before = own_;
  if (now >= expiry()) ++own_;
  // The largest number that f + 1 others have reached.
  std::vector<std::uint32_t> reached;
  for (const auto& [member, attempt] : heard_) reached.push_back(attempt);
  std::sort(reached.rbegin(), reached.rend());
  if (reached.size() > deciding_.f()) own_ = std::max(own_, reached[deciding_.f()]);
  if (own_ == before) return false;
  started_ = now;
  has_header_ = false;
  return true;
}

std::optional<Instant> AttemptClock::wakes_at() const {
  if (!is_open()) return std::nullopt;
  return expiry();
}

}  // namespace kms::dkg
