// What a seed decides about a run of delegations before it begins.
#pragma once

#include "tests/sim/program/draw.h"
#include "tests/sim/program/errand.h"

namespace kms::sim {

struct ServiceDraw {
  std::uint64_t seed = 0;
  std::uint16_t members = 0;
  std::uint16_t threshold = 0;
  std::size_t keys = 1;
  std::map<std::size_t, const Attack*> traitors;  // by place; at most t - 1, and t others are left
  std::set<std::size_t> unlisted;                 // not on form_a_entries
  std::map<std::size_t, MemberClock> clocks;
  Weather storm;
  Duration storm_from{};
  Duration calm_from{};
  bool relays_whispers = true;
  std::vector<Schedule::Fall> falls;
  std::optional<Schedule::Absence> absence;
  bool rewinds_entropy = false;  // at each restart the random source is as it was at the first start
  std::optional<std::chrono::seconds> refresh_every;
  std::vector<ErrandDraw> errands;
  // No loss, fall or delay: an honest node answers the first time it is asked, and who lies is named.
  bool is_fair() const;
};

ServiceDraw draw_service(const Mode& mode, std::uint64_t seed);

}  // namespace kms::sim
