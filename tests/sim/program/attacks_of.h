// The attacks by what they are about; attack.cpp puts them together.
#pragma once

#include "tests/sim/program/scene.h"
#include "tests/sim/program/trick.h"

namespace kms::sim {

std::vector<Attack> fault_attacks();   // crashes, disks, clocks, networks
std::vector<Attack> deal_attacks();    // Deals and complaints
std::vector<Attack> header_attacks();  // headers, prekeys, approvals, old messages
std::vector<Attack> vote_attacks();    // leaders, votes, certificates, the end
std::vector<Attack> repair_attacks();  // repairs
std::vector<Attack> import_attacks();  // keys that exist already

std::vector<Attack> later_attacks();    // those that "mixed" does not draw
std::vector<Attack> partial_attacks();  // what members answer
std::vector<Attack> entry_attacks();    // what entries ask and give
std::vector<Attack> gossip_attacks();   // what disturbs others
std::vector<Attack> client_attacks();   // what clients ask

// For Attack::make.
template <class B>
std::unique_ptr<Behaviour> behaving() {
  return std::make_unique<B>();
}

// For Attack::trick.
template <class T>
std::unique_ptr<Trick> tricking() {
  return std::make_unique<T>();
}

}  // namespace kms::sim
