// The attacks by what they are about; attack.cpp puts them together.
#pragma once

#include "tests/sim/program/scene.h"

namespace kms::sim {

std::vector<Attack> fault_attacks();   // crashes, disks, clocks, networks
std::vector<Attack> deal_attacks();    // Deals and complaints
std::vector<Attack> header_attacks();  // headers, prekeys, approvals, old messages
std::vector<Attack> vote_attacks();    // leaders, votes, certificates, the end
std::vector<Attack> repair_attacks();  // repairs
std::vector<Attack> import_attacks();  // keys that exist already

// For Attack::make.
template <class B>
std::unique_ptr<Behaviour> behaving() {
  return std::make_unique<B>();
}

}  // namespace kms::sim
