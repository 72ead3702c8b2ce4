// Time as an input. Machines never ask a clock: the driver hands them a Now.
#pragma once

#include <chrono>
#include <cstdint>

namespace kms {

using Duration = std::chrono::microseconds;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// Monotonic; its zero means nothing. Only for timers and durations.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

// `instant` drives timers; `unix_ms` is the wall clock, only for what others wrote times into (deadlines, issued_at).
struct Now {
  Instant instant{};
  std::int64_t unix_ms = 0;
  std::uint64_t unix_s() const { return static_cast<std::uint64_t>(unix_ms / 1000); }
};

}  // namespace kms
