// Negative controls: runs beyond the bounds, or of code with a check taken out (dkg/break.h), in which the checkers
// must fire. A checker that nothing makes fire proves nothing.
#pragma once

#include <string_view>

#include "tests/sim/random.h"

namespace kms::sim {

struct Mode;
struct StageDraw;

struct Control {
  std::string_view name;
  std::string_view what;
  std::string_view attack = "none";  // by the traitors, if none is named
  // Beyond the bounds of its parameters; nullptr: a check of dkg/ that only kms-sim-broken can take out.
  void (*overdraw)(StageDraw& stage, Random& random) = nullptr;
};

// Those that this program has.
const std::vector<Control>& controls();
const Control* control_of(const Mode& mode);
// Takes the check out, for good.
void take_out(const Control& control);

}  // namespace kms::sim
