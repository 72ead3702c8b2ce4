// EMERGENCY votes of the old committee's members and the certificate that q_em of them make: a FinalCert without views
// (PROTOCOL.md 4.14). Which T a member may sign is the business of Ceremony::sign_emergency.
#pragma once

#include "dkg/turn.h"

namespace kms::dkg {

class EmergencyBook {
 public:
  explicit EmergencyBook(const SlotContext& slot) : slot_(slot) {}

  // This node's operator has ordered it: from then on q_em approvals open the slot. Durable by the caller.
  void order() { is_ordered_ = true; }
  bool is_ordered() const { return is_ordered_; }

  // Bounds before the signature is checked: one vote and one conflicting per member.
  bool wants(Position decider, const Emergency& vote) const;
  // A second vote for another T is evidence; it counts for nothing. The signature is checked.
  void add(const Emergency& vote, const Envelope& envelope, Turn& turn);
  // A verified EMERGENCY certificate; the first one is kept.
  void add_certificate(const Certificate& certificate, Turn& turn);

  const Certificate* certificate() const { return certificate_ ? &*certificate_ : nullptr; }
  std::vector<Position> signers(const TranscriptHash& transcript) const;
  // The first vote of a member and the envelope that carried it.
  struct HeldVote {
    Emergency vote;
    Envelope envelope;
    bool has_conflict = false;
  };
  const HeldVote* vote_of(Position decider) const;
  // Two T's have votes: operators have not named the same one.
  bool is_split() const;

 private:
  const SlotContext& slot_;
  bool is_ordered_ = false;
  std::map<Position, HeldVote> votes_;
  std::optional<Certificate> certificate_;
};

}  // namespace kms::dkg
