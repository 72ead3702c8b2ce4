// Golden scenarios: runs that are written down, not drawn, from which a reader learns the protocol. Their traces lie in
// tests/sim/golden and are compared line by line.
#pragma once

#include <iosfwd>

#include "tests/sim/program/draw.h"

namespace kms::sim {

struct Scenario {
  std::string name;
  std::string what;  // what there is to see
  Draw draw;
};

const std::vector<Scenario>& scenarios();
const Scenario* find_scenario(std::string_view name);

// Runs it and writes its trace, each saying once; false if something was violated or it did not end.
bool tell(const Scenario& scenario, std::ostream& out);

// Every scenario against FOLDER/NAME.txt; what differs is printed. `rewrite`: what is told is written there instead.
enum class Golden : std::uint8_t { compare, rewrite };
bool check_golden(const std::string& folder, Golden golden);

}  // namespace kms::sim
