// What ceremonies cost, beside what PROTOCOL.md 7 says they cost.
#pragma once

#include <cstdint>

namespace kms::sim {

struct CostQuestion {
  std::uint16_t members = 0;
  std::uint16_t threshold = 0;
};

// Runs a DKG and a reshare to the same committee, everybody honest, each message 50 ms on its way, nothing looked up in
// the memo; prints a line each: virtual time, bytes and processor time of a member, and the time that the operations of
// PROTOCOL.md 7 take on this machine now. False if an invariant broke.
void print_cost_head();
bool print_cost(const CostQuestion& question);

}  // namespace kms::sim
