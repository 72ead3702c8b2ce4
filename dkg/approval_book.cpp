#include "dkg/approval_book.h"

#include <algorithm>

namespace kms::dkg {

Approval ApprovalBook::form(std::uint64_t not_after) const {
  Approval approval;
  approval.purpose = ApprovalPurpose::reshare;
  approval.key_set = slot_.plan.key_set;
  approval.epoch = slot_.epoch();
  approval.branch = slot_.branch();
  approval.root = slot_.previous()->root;
  approval.members = slot_.receivers().hash();
  approval.threshold = slot_.receiving().t();
  approval.file = slot_.plan.file;
  approval.not_after = not_after;
  approval.index = slot_.decider;
  return approval;
}

std::optional<std::uint64_t> ApprovalBook::pending_end(std::uint64_t unix_s) const {
  if (approvals_.empty() || approvals_.rbegin()->first < unix_s) return std::nullopt;
  return approvals_.rbegin()->first;
}

bool ApprovalBook::wants(Position decider, const Approval& approval, std::uint64_t unix_s) const {
  if (slot_.previous() == nullptr || decider == 0 || approval.index != decider) return false;
  auto expected = form(approval.not_after);
  if (approval.approval_digest(slot_.plan.network_id) != expected.approval_digest(slot_.plan.network_id)) return false;
  if (approval.purpose != ApprovalPurpose::reshare) return false;
  std::size_t ends = 0;
  for (const auto& [end, members] : approvals_) {
    if (!members.contains(decider)) continue;
    if (end == approval.not_after) return false;
    if (end >= unix_s) ++ends;
  }
  return ends < kEndsPerMember;
}

void ApprovalBook::add(const Approval& approval, std::uint64_t unix_s) {
  for (auto& [end, members] : approvals_) {
    if (end < unix_s && end < approval.not_after) members.erase(approval.index);
  }
  std::erase_if(approvals_, [](const auto& entry) { return entry.second.empty(); });
  approvals_[approval.not_after].emplace(approval.index, approval.signature);
}

bool ApprovalBook::is_signed(const Approval& approval) const {
  return crypto::verify(slot_.deciders().at(approval.index).key, approval.signature,
                        approval.approval_digest(slot_.plan.network_id));
}

std::optional<ApprovalBook::Quorum> ApprovalBook::quorum(std::uint16_t needed, std::uint64_t unix_s) const {
  for (auto entry = approvals_.rbegin(); entry != approvals_.rend(); ++entry) {
    if (entry->first < unix_s) break;
    if (entry->second.size() < needed) continue;
    Quorum out{entry->first, {}};
    for (const auto& [member, signature] : entry->second) {
      if (out.signatures.size() < needed) out.signatures.push_back({member, signature});
    }
    return out;
  }
  return std::nullopt;
}

bool ApprovalBook::has_approved(Position decider) const {
  return std::any_of(approvals_.begin(), approvals_.end(),
                     [&](const auto& entry) { return entry.second.contains(decider); });
}

}  // namespace kms::dkg
