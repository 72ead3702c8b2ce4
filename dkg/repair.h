// Repair of one share (PROTOCOL.md 4.8), both sides: the machine that Ceremony drives. A member that never had a
// share of the decided T gets one from t others at once; one that lost its share needs a ticket, unless the plan waives
// it.
#pragma once

#include "dkg/repair_giver.h"
#include "dkg/repair_requester.h"

namespace kms::dkg {

class Repair {
 public:
  explicit Repair(const SlotContext& slot)
      : slot_(slot),
        tickets_(slot),
        prekeys_(slot),
        givers_(slot, prekeys_, tickets_),
        requester_(slot, prekeys_, tickets_) {}

  // After the outbox.
  void restore(const Records& records, const Outbox& outbox, Now now);

  bool wants(Position sender, const PreKeyAnnounce& announce) const { return prekeys_.wants(sender, announce); }
  void add(Position sender, const PreKeyAnnounce& announce, const Envelope& envelope, Turn& turn) {
    prekeys_.add(sender, announce, envelope, turn);
  }
  // Bounds before the signature is checked.
  bool wants(const RepairRequest& request, const Activation& activation) const;
  bool wants(const Rid& rid) const { return givers_.wants(rid) || requester_.wants(rid); }
  // Signatures are checked; the sender is the author.
  void take(Position sender, const RepairRequest& request, const Envelope& envelope, const Activation& activation,
            Turn& turn);
  void take(Position sender, const RepairDelta& delta, const Envelope& envelope, const Activation& activation,
            Turn& turn);
  void take(Position sender, const RepairSigma& sigma, const Envelope& envelope, Turn& turn) {
    requester_.take(sender, sigma, envelope, turn);
  }
  void take(Position sender, const RepairComplaint& complaint, const Envelope& envelope, Turn& turn) {
    requester_.take(sender, complaint, envelope, turn);
  }
  // A member says in NodeStatus that it needs repair, or which repair prekey is its next.
  void heard_need(Position member, const Activation& activation, Turn& turn);
  void heard_next(Position member, std::uint32_t number) { requester_.heard_next(member, number); }

  TicketBook& tickets() { return tickets_; }
  const TicketBook& tickets() const { return tickets_; }
  // On the operator's order: this node's approval of a repair.
  void approve(Position subject, std::uint64_t not_after, const Activation& activation, Turn& turn);

  // Announces prekeys once this node has its share, asks and gives. True if this node got its share in this call.
  bool advance(Activation& activation, const std::set<NodeId>& peers, Turn& turn);
  std::optional<Instant> wakes_at(const Activation& activation) const;
  // The epoch is over: no prekey of it is left, and no secret of a session.
  void erase(Turn& turn) {
    prekeys_.erase(turn);
    requester_.erase(turn);
  }
  std::uint32_t next() const { return prekeys_.next(); }
  std::string summary() const { return requester_.summary(); }

 private:
  static constexpr int kActiveRepeats = 4;
  const SlotContext& slot_;
  TicketBook tickets_;
  RepairPrekeys prekeys_;
  RepairGivers givers_;
  RepairRequester requester_;
  int repeats_left_ = 0;  // of ACTIVE and CONFIRM after a repair
  Instant repeat_at_{};
  std::map<Position, Instant> reminded_at_;  // members that need repair
};

}  // namespace kms::dkg
