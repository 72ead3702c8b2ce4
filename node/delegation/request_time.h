// When a request of another node is fresh, and how long it is remembered (PROTOCOL.md 5.2, 5.7).
#pragma once

#include <algorithm>

#include "base/time.h"
#include "node/delegation/messages.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

inline constexpr std::uint64_t kIssuedWithin_s = 30;

inline bool is_near(std::uint64_t issued_at, std::uint64_t now_s) {
  const std::uint64_t distance = issued_at > now_s ? issued_at - now_s : now_s - issued_at;
  return distance <= kIssuedWithin_s;
}

// A client's deadline: to come, and not too far ahead. Members leave room for clocks that differ.
inline bool is_over(std::uint64_t deadline, Now now) {
  return deadline <= now.unix_s();
}
inline bool is_far(std::uint64_t deadline, Now now) {
  return deadline > now.unix_s() + kDeadlineMax_s;
}

inline std::optional<RefusalCode> time_fault(std::uint64_t issued_at, std::uint64_t deadline, Now now) {
  if (!is_near(issued_at, now.unix_s())) return RefusalCode::clock;
  const bool is_ahead = deadline > now.unix_s() + kDeadlineMax_s + kIssuedWithin_s;
  if (is_over(deadline, now) || is_ahead) return RefusalCode::expired;
  return std::nullopt;
}

inline std::optional<RefusalCode> replay_fault(Admission admission) {
  switch (admission) {
    case Admission::fresh:
    case Admission::again:
      break;
    case Admission::conflict:
      return RefusalCode::replay;
    case Admission::full:
      return RefusalCode::busy;
    case Admission::quota:
      return RefusalCode::quota;
    case Admission::forgotten:
      return RefusalCode::expired;
  }
  return std::nullopt;
}

// Of a deadline that was checked; it may have passed since.
inline Instant forget_time(std::uint64_t deadline, Now now) {
  const std::uint64_t left =
      std::min(deadline - std::min(deadline, now.unix_s()), kDeadlineMax_s + kIssuedWithin_s) + kReplayMargin_s;
  return now.instant + std::chrono::seconds(left);
}

}  // namespace kms::delegation
