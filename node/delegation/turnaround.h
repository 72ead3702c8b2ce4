// How long jobs take from their submission to their result, waiting for a processor included: what a node that has more
// to do than it can adds to every step, its own and, with the load spread evenly, those of others.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace kms::delegation {

class Turnaround {
 public:
  void note(Duration sample) { mean_ += (std::clamp(sample, Duration(0), kLongest) - mean_) / kSpan; }
  // For members that were asked: a request waits at the entry, at the member and at the entry again. Hedging sooner
  // would make work where there is too much already; the bound keeps it below the time that a client waits.
  Duration patience(Duration hedge_delay) const { return hedge_delay + std::min(kSteps * mean_, kSteps * kLongest); }

 private:
  static constexpr int kSteps = 4;
  static constexpr int kSpan = 16;  // samples that make up the mean, roughly
  static constexpr Duration kLongest{100'000};
  Duration mean_{0};
};

}  // namespace kms::delegation
