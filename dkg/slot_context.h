// What every part of a ceremony knows about its slot and never changes. The roles are kept apart: dealers D, receivers
// N, deciders V (PROTOCOL.md 3); in a DKG all three are the members of the plan, in a reshare D and V are the old ones.
#pragma once

#include <string>

#include "base/entropy.h"
#include "dkg/certificate.h"
#include "dkg/header.h"
#include "dkg/plan.h"
#include "dkg/prekeys.h"

namespace kms::dkg {

// Places of one node; 0 = not in it.
struct Seat {
  Position member = 0;  // in everybody()
  Position dealer = 0;
  Position receiver = 0;
  Position decider = 0;
};

struct SlotContext {
  Plan plan;
  Committee old_members;  // O; in a DKG the members of the plan
  Committee everyone;     // O and N
  std::vector<Seat> seats;
  SlotId slot;
  const crypto::NodeKey* key;
  const crypto::Secret<32>* node_secret;
  const std::vector<crypto::SecretScalar>* old_shares;
  Entropy* entropy;
  NodeId self;
  // The own seat.
  Position member = 0;
  Position dealer = 0;
  Position receiver = 0;
  Position decider = 0;
  std::string prefix;  // of every record key: the slot in hex and a slash

  static Result<SlotContext> make(Plan plan, Self self, Entropy& entropy);

  const Committee& dealers() const { return old_members; }
  const Committee& receivers() const { return plan.members; }
  const Committee& deciders() const { return old_members; }
  const Threshold& dealing() const { return plan.old ? plan.old->header.threshold : plan.threshold; }  // n, t, f_D, q
  const Threshold& receiving() const { return plan.threshold; }  // of N: n', t', f', q'
  const Threshold& deciding() const { return dealing(); }        // of V
  // Every member of any role, for the edge.
  const Committee& everybody() const { return everyone; }
  const Seat& seat(Position place) const { return seats[place - 1u]; }
  Position member_of_dealer(Position dealing) const { return *everyone.position_of(dealers().at(dealing).node); }
  Position member_of_receiver(Position receiving) const {
    return *everyone.position_of(receivers().at(receiving).node);
  }
  Position member_of_decider(Position deciding) const { return *everyone.position_of(deciders().at(deciding).node); }
  // How many Deals a candidate has: at least q in a DKG, exactly t in a reshare.
  std::size_t deals_needed() const { return plan.old ? dealing().t() : dealing().q(); }
  std::size_t deals_max() const { return plan.old ? dealing().t() : dealers().size(); }
  // Whether this node has shares to deal with.
  bool can_deal() const;
  // As deal_terms wants them: S_j of the old tables, nothing in a DKG.
  std::vector<std::vector<crypto::Element>> old_points() const;
  const EpochRecord* previous() const { return plan.old.get(); }
  std::uint32_t epoch() const { return plan.old ? plan.old->header.epoch + 1 : 0; }
  std::uint32_t branch() const { return static_cast<std::uint32_t>(plan.voided.size()); }
  Kind kind() const { return plan.kind(); }

  KeySetTerms terms() const {
    if (plan.old) return plan.old->header.terms;
    const Origin origin = plan.imported.empty() ? Origin::generated : Origin::imported;
    return {origin, Decider::simplex, plan.key_set, plan.labels};
  }
  PrekeyScope prekey_scope() const { return {plan.network_id, Series::ceremony, plan.key_set, epoch(), branch()}; }
  SlotCommittees committees() const { return {plan.network_id, deciders(), deciding(), receivers(), receiving()}; }
  Position leader(std::uint32_t attempt) const { return lead(slot, attempt, deciders().size()); }

  std::string kek_of_prekeys() const { return prefix + "prekeys"; }
  std::string kek_of_epoch() const { return prefix + "epoch"; }
};

}  // namespace kms::dkg
