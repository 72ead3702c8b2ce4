// Every case of small committees, none of them drawn: each threshold, each member cheating in each way, and a crash at
// each persist boundary, one at a time.
#pragma once

#include "tests/sim/program/run.h"

namespace kms::sim {

// Committees of `mode.members_min` to `mode.members_max`; prints a line for each size. False if something was violated
// or did not end; then the case is printed.
bool run_exhaustive(const Mode& mode, std::size_t threads);

}  // namespace kms::sim
