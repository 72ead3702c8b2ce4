// Approvals of the plan by the operators of the old committee (PROTOCOL.md 4.1). Those of another plan count for
// nothing.
#pragma once

#include <map>

#include "dkg/turn.h"

namespace kms::dkg {

class ApprovalBook {
 public:
  explicit ApprovalBook(const SlotContext& slot) : slot_(slot) {}

  // This node's own, on its operator's order; unsigned.
  Approval form(std::uint64_t not_after) const;
  // The latest end that somebody has approved and that is not over, so that operators need not agree on one beforehand.
  std::optional<std::uint64_t> pending_end(std::uint64_t unix_s) const;

  // Bounds before the signature is checked: the plan's, by the member at that index, 4 ends a member that are not over.
  bool wants(Position decider, const Approval& approval, std::uint64_t unix_s) const;
  bool is_signed(const Approval& approval) const;
  // Ends of that member that are over make room, but for its newest.
  void add(const Approval& approval, std::uint64_t unix_s);

  bool empty() const { return approvals_.empty(); }
  // That many approvals (q, or q_em in an emergency) with one end that is not over; the latest such end.
  struct Quorum {
    std::uint64_t not_after = 0;
    std::vector<IndexedSignature> signatures;
  };
  std::optional<Quorum> quorum(std::uint16_t needed, std::uint64_t unix_s) const;
  bool has_approved(Position decider) const;

 private:
  static constexpr std::size_t kEndsPerMember = 4;
  const SlotContext& slot_;
  std::map<std::uint64_t, std::map<Position, Signature>> approvals_;  // by not_after
};

}  // namespace kms::dkg
