// The side of a repair that gives: permission, delta, column, sigma (PROTOCOL.md 4.8). A member that is known
// to have had a share needs a ticket, unless the plan waives it.
#pragma once

#include "dkg/activation.h"
#include "dkg/repair_prekeys.h"
#include "dkg/repair_session.h"
#include "dkg/ticket_book.h"

namespace kms::dkg {

class RepairGivers {
 public:
  RepairGivers(const SlotContext& slot, RepairPrekeys& prekeys, const TicketBook& tickets)
      : slot_(slot), prekeys_(prekeys), tickets_(tickets) {}

  void restore(const Records& records, Now now);

  // The signature is checked. A request that is known already makes this node repeat what it said in the session.
  void take(Position sender, const RepairRequest& request, const Envelope& envelope, const Activation& activation,
            Turn& turn);
  bool wants(const Rid& rid) const { return sessions_.contains(rid); }
  void take(Position sender, const RepairDelta& delta, const Envelope& envelope, const Activation& activation,
            Turn& turn);
  // Sigmas that have become possible, sessions that are over.
  void advance(const Activation& activation, Turn& turn);
  std::optional<Instant> wakes_at() const;

 private:
  struct Giving {
    RepairSession session;
    Position index = 0;
    std::uint32_t number = 0;  // own prekey
    std::uint64_t began = 0;   // Unix seconds
    Instant ends{};
    std::optional<crypto::Secret<32>> seed;
    std::map<Position, KeyScalars> parts;  // opened ones, by giver
    std::vector<std::string> said;         // names of what was said
    bool is_over = false;                  // the prekey is destroyed
    Instant shown_at{};
  };
  std::string refusal(Position sender, const RepairRequest& request, const Activation& activation,
                      std::uint64_t unix_s) const;
  // Shows the request whose session uses, or used up, an own prekey.
  void show_user(std::uint32_t number, Turn& turn);
  void begin(RepairTerms terms, const Envelope& envelope, const Activation& activation, Turn& turn);
  void open(Giving& giving, Position giver, Turn& turn);
  void finish(Giving& giving, Turn& turn);
  void note_holders(const Activation& activation, Turn& turn);
  void end(const Rid& rid, Giving& giving, Turn& turn);

  const SlotContext& slot_;
  RepairPrekeys& prekeys_;
  const TicketBook& tickets_;
  std::map<Rid, Giving> sessions_;
  std::set<Position> holders_;            // members known to have had a share
  std::map<Position, std::string> told_;  // refusals reported, so that each is reported once
};

}  // namespace kms::dkg
