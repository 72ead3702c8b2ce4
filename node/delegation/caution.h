// Whether an entry asks for one more partial than it needs (PROTOCOL.md 5.5): for 10 s after a fault of a member, while
// more than 2% of the latest requests met one. One late answer among hundreds is no reason to let everybody work half
// as much again; what a client asks for twice is no fault at all.
#pragma once

#include <optional>

#include "base/time.h"

namespace kms::delegation {

class Caution {
 public:
  // A bad partial or a refusal weighs as all of the latest requests, a late partial as one of them.
  void note_bad(Now now) { note(1, now); }
  void note_late(Now now) { note(1 / kRequestsWeighed, now); }
  // A request that was answered without asking twice.
  void note_smooth() { faults_ -= faults_ / kRequestsWeighed; }
  bool is_due(Now now) const { return last_fault_ && now.instant < *last_fault_ + kFor && faults_ > kShare; }

 private:
  static constexpr Duration kFor = 10s;
  static constexpr double kShare = 0.02;
  static constexpr double kRequestsWeighed = 32;
  void note(double share, Now now) {
    last_fault_ = now.instant;
    faults_ += (1 - faults_) * share;
  }
  std::optional<Instant> last_fault_;
  double faults_ = 0;  // share of the latest requests that met one
};

}  // namespace kms::delegation
