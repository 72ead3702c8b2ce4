#include "tests/sim/program/controls.h"

#include "tests/sim/program/draw.h"

namespace kms::sim {

const std::vector<Control>& controls() {
  static const std::vector<Control> all{};
  return all;
}

const Control* control_of(const Mode& mode) {
  for (const auto& control : controls()) {
    if (control.name == mode.control) return &control;
  }
  return nullptr;
}

}  // namespace kms::sim
