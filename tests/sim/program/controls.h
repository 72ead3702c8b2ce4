// Negative controls: runs beyond the bounds, or of code with a check taken out, in which the checkers must fire.
#pragma once

#include <string_view>

#include "tests/sim/random.h"

namespace kms::sim {

struct Mode;
struct StageDraw;

struct Control {
  std::string_view name;
  std::string_view what;
  std::size_t stages = 1;
  bool is_alone = true;  // no other faults
  void (*overdraw)(StageDraw& stage, Random& random) = nullptr;
};

const std::vector<Control>& controls();
const Control* control_of(const Mode& mode);

}  // namespace kms::sim
