// What every part of a ceremony knows about its slot and never changes. The roles are kept apart: dealers D, receivers
// N, deciders V (PROTOCOL.md 3); in a DKG all three are the members of the plan.
#pragma once

#include <string>

#include "base/entropy.h"
#include "dkg/certificate.h"
#include "dkg/header.h"
#include "dkg/plan.h"
#include "dkg/prekeys.h"

namespace kms::dkg {

struct SlotContext {
  Plan plan;
  SlotId slot;
  const crypto::NodeKey* key;
  const crypto::Secret<32>* node_secret;
  Entropy* entropy;
  NodeId self;
  Position dealer = 0;  // own place in D, N, V; 0 = not in it
  Position receiver = 0;
  Position decider = 0;
  std::string prefix;  // of every record key: the slot in hex and a slash

  static Result<SlotContext> make(Plan plan, Self self, Entropy& entropy);

  const Committee& dealers() const { return plan.members; }
  const Committee& receivers() const { return plan.members; }
  const Committee& deciders() const { return plan.members; }
  const Threshold& dealing() const { return plan.threshold; }    // of D: n, t, f_D, q
  const Threshold& receiving() const { return plan.threshold; }  // of N: n', t', f', q'
  const Threshold& deciding() const { return plan.threshold; }   // of V
  // Every member of any role, for the edge.
  const Committee& everybody() const { return plan.members; }
  // How many Deals a candidate needs: q in a DKG.
  std::size_t deals_needed() const { return dealing().q(); }
  std::uint32_t epoch() const { return 0; }
  std::uint32_t branch() const { return 0; }
  Kind kind() const { return Kind::dkg; }

  KeySetTerms terms() const { return {Origin::generated, Decider::simplex, plan.key_set, plan.labels}; }
  PrekeyScope prekey_scope() const { return {plan.network_id, Series::ceremony, plan.key_set, epoch(), branch()}; }
  SlotCommittees committees() const { return {plan.network_id, deciders(), deciding(), receivers(), receiving()}; }
  Position leader(std::uint32_t attempt) const { return lead(slot, attempt, deciders().size()); }

  std::string kek_of_prekeys() const { return prefix + "prekeys"; }
  std::string kek_of_epoch() const { return prefix + "epoch"; }
};

}  // namespace kms::dkg
