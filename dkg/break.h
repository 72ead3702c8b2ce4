// Checks that the simulator takes out on purpose, to see its own checkers fire (docs/SIMULATOR.md, "Controls"). Only in
// kms-sim-broken, which compiles dkg/ and node/ with KMS_SIM_BROKEN; everywhere else this is a constant and costs
// nothing.
#pragma once

#include <string_view>

namespace kms::dkg {

#ifdef KMS_SIM_BROKEN
bool is_broken(std::string_view check);
#else
constexpr bool is_broken(std::string_view) {
  return false;
}
#endif

}  // namespace kms::dkg
