#include "tests/sim/program/attacks_of.h"

namespace kms::sim {

std::vector<Attack> client_attacks() {
  return {};
}

}  // namespace kms::sim
