// Approvals of share repairs by the operators of the committee in charge (PROTOCOL.md 4.8): a member that lost its
// share gets it back with a ticket, q of them. Whoever stole a node key must not fetch new shares with it alone.
#pragma once

#include <map>

#include "dkg/activation.h"
#include "dkg/repair_messages.h"

namespace kms::dkg {

// q approvals of one repair, by distinct members, none of them over.
using Ticket = std::vector<Approval>;

class TicketBook {
 public:
  explicit TicketBook(const SlotContext& slot) : slot_(slot) {}

  // This node's own, on its operator's order; unsigned.
  Approval form(const EpochRecord& record, Position subject, std::uint64_t not_after) const;
  // The latest end that somebody has approved and that is not over.
  std::optional<std::uint64_t> pending_end(Position subject, std::uint64_t unix_s) const;

  // Bounds before the signature is checked: of the decided T, by the member at that index, 4 ends a member and subject.
  bool wants(Position member, const Approval& approval, const EpochRecord& record) const;
  bool is_signed(const Approval& approval) const;
  void add(const Approval& approval);

  // Who has approved the repair of a member's share, where it is not over.
  std::set<Position> approvers(Position subject, std::uint64_t unix_s) const;
  // Complete, or nothing.
  std::optional<Ticket> ticket(Position subject, std::uint64_t unix_s) const;
  // Empty if the ticket permits the request now, else why not.
  std::string fault(const RepairRequest& request, std::uint64_t unix_s) const;
  // What names a ticket where its sessions are counted: the earliest end.
  static std::uint64_t name_of(const Ticket& ticket);

 private:
  static constexpr std::size_t kEndsPerMember = 4;
  const SlotContext& slot_;
  std::map<Position, std::map<Position, std::map<std::uint64_t, Approval>>> approvals_;  // by subject, member, end
};

}  // namespace kms::dkg
