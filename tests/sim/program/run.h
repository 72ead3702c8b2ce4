// A run of the simulator: the ceremonies that a seed draws, one after the other, and what was wrong with them.
#pragma once

#include "tests/sim/program/draw.h"
#include "tests/sim/program/trace.h"

namespace kms::sim {

struct RunResult {
  std::uint64_t seed = 0;
  std::uint64_t events = 0;
  std::uint64_t digest = 0;
  std::size_t stages = 0;
  bool is_undecided = false;
  bool has_crashed = false;  // at StageDraw::crash
  std::uint64_t acts = 0;    // of delegations: how often traitors did what their attack is about
  std::string violation;     // empty: all held
  std::string story;         // of the stage that failed
};

RunResult run_draw(const Draw& draw, std::ostream* lines, Trace::Form form);
// A run of delegations if the attack is one of them; of every five other runs of "mixed" and "none" one is.
bool is_service(const Mode& mode, std::uint64_t seed);
RunResult run_once(const Mode& mode, std::uint64_t seed, std::ostream* lines = nullptr);

struct Summary {
  std::uint64_t runs = 0;
  std::uint64_t events = 0;
  std::uint64_t violations = 0;
  std::uint64_t undecided = 0;
  std::uint64_t acts = 0;
  double seconds = 0;
  std::uint64_t first_seed = 0;
  std::vector<RunResult> failures;  // by seed
};

struct Batch {
  std::uint64_t runs = 1;
  std::uint64_t first_seed = 1;
  std::size_t threads = 1;
  double seconds_max = 0;  // no further run begins after that; 0: all of them
};

// Seeds first_seed, first_seed + 1, ..: a world per thread, the same results whatever the threads.
Summary run_many(const Mode& mode, const Batch& batch);

}  // namespace kms::sim
