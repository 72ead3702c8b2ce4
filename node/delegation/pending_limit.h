// How many delegations may wait at once: as many as will be answered in time at the pace of now, so that an overloaded
// node refuses at the door (429) what it would otherwise let run into its deadline (503) after working for it in vain.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace kms::delegation {

class PendingLimit {
 public:
  static constexpr Duration kSlot = 100ms;      // the pace is counted in these, and only in those that were busy
  static constexpr std::size_t kBusy = 32;      // so many wait while a slot is busy; with fewer the pace is the askers'
  static constexpr std::size_t kLeast = 64;     // may always wait
  static constexpr std::size_t kUnknown = 256;  // may wait while no slot was busy yet
  // `most` may wait whatever the pace; `wait` is how long the last of them should have to.
  PendingLimit(std::size_t most, Duration wait) : most_(most), wait_(wait) {}

  // `pending`: how many wait now, this one not counted.
  bool admits(std::size_t pending, Instant now);
  // One left, for whatever reason; `pending` without it.
  void note_end(std::size_t pending);
  std::size_t limit() const;

 private:
  void measure(Instant now);

  std::size_t most_;
  Duration wait_;
  Instant slot_began_{};
  std::size_t ends_ = 0;  // in this slot
  bool is_busy_ = false;  // kBusy waited all through this slot
  bool is_known_ = false;
  double pace_ = 0;  // ends in a busy slot, smoothed
};

}  // namespace kms::delegation
