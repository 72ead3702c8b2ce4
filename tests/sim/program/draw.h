// Everything about a run that its seed decides before it begins: committees, traitors, faults and weather.
#pragma once

#include "dkg/plan.h"
#include "tests/sim/program/attack.h"

namespace kms::sim {

// What the command line fixes for all runs.
struct Mode {
  std::uint16_t members_min = 4;
  std::uint16_t members_max = 16;
  // One name for all traitors, "mixed" (each traitor draws its own), or "none".
  std::string attack = "mixed";
  std::string control;  // a negative control of controls.h, or none
};

// One ceremony of a run; people are numbers in the run's list of them.
struct StageDraw {
  std::vector<std::size_t> committee;
  std::uint16_t threshold = 0;
  bool is_by_clock = false;                       // a refresh that nobody approves
  bool is_import = false;                         // the first one, of one member: its key exists before
  std::map<std::size_t, const Attack*> traitors;  // of the old committee too
  std::set<std::size_t> rolled_back;              // count as faulty
  std::map<std::size_t, Duration> late;           // count as faulty until they start
  std::map<std::size_t, MemberClock> clocks;
  Weather storm;
  Duration calm_from{};
  bool relays_whispers = true;
  bool loses_notarized = false;  // everybody restarts at the first notarization
  Duration end = 3h;
  std::optional<Schedule::Absence> absence;  // of a person
  std::optional<Schedule::Crash> crash;
  // No loss, crash or rollback: what is attributable must be attributed.
  bool is_fair() const;
};

struct Draw {
  std::uint64_t seed = 0;
  std::size_t people = 0;
  std::size_t keys = 1;
  std::vector<StageDraw> stages;
};

Draw draw_run(const Mode& mode, std::uint64_t seed);

}  // namespace kms::sim
