#include "dkg/ticket_book.h"

#include <algorithm>

namespace kms::dkg {

Approval TicketBook::form(const EpochRecord& record, Position subject, std::uint64_t not_after) const {
  Approval approval;
  approval.purpose = ApprovalPurpose::repair;
  approval.key_set = slot_.plan.key_set;
  approval.epoch = slot_.epoch();
  approval.transcript = record.transcript;
  approval.subject = subject;
  approval.not_after = not_after;
  approval.index = slot_.receiver;
  return approval;
}

std::optional<std::uint64_t> TicketBook::pending_end(Position subject, std::uint64_t unix_s) const {
  std::optional<std::uint64_t> latest;
  const auto found = approvals_.find(subject);
  if (found == approvals_.end()) return std::nullopt;
  for (const auto& [member, ends] : found->second) {
    if (ends.rbegin()->first >= unix_s) latest = std::max(latest.value_or(0), ends.rbegin()->first);
  }
  return latest;
}

bool TicketBook::wants(Position member, const Approval& approval, const EpochRecord& record) const {
  if (approval.purpose != ApprovalPurpose::repair || member == 0 || approval.index != member) return false;
  if (approval.key_set != slot_.plan.key_set || approval.epoch != slot_.epoch()) return false;
  if (approval.transcript != record.transcript || !slot_.receivers().has(approval.subject)) return false;
  const auto subject = approvals_.find(approval.subject);
  if (subject == approvals_.end()) return true;
  const auto ends = subject->second.find(member);
  if (ends == subject->second.end()) return true;
  return ends->second.size() < kEndsPerMember && !ends->second.contains(approval.not_after);
}

bool TicketBook::is_signed(const Approval& approval) const {
  return crypto::verify(slot_.receivers().at(approval.index).key, approval.signature,
                        approval.approval_digest(slot_.plan.network_id));
}

void TicketBook::add(const Approval& approval) {
  approvals_[approval.subject][approval.index].emplace(approval.not_after, approval);
}

std::set<Position> TicketBook::approvers(Position subject, std::uint64_t unix_s) const {
  std::set<Position> out;
  const auto found = approvals_.find(subject);
  if (found == approvals_.end()) return out;
  for (const auto& [member, ends] : found->second) {
    if (ends.rbegin()->first >= unix_s) out.insert(member);
  }
  return out;
}

std::optional<Ticket> TicketBook::ticket(Position subject, std::uint64_t unix_s) const {
  Ticket out;
  const auto found = approvals_.find(subject);
  if (found == approvals_.end()) return std::nullopt;
  for (const auto& [member, ends] : found->second) {
    const auto& [end, approval] = *ends.rbegin();
    if (end >= unix_s && out.size() < slot_.receiving().q()) out.push_back(approval);
  }
  if (out.size() < slot_.receiving().q()) return std::nullopt;
  return out;
}

std::string TicketBook::fault(const RepairRequest& request, std::uint64_t unix_s) const {
  if (request.ticket.size() < slot_.receiving().q()) {
    return "its ticket holds " + std::to_string(request.ticket.size()) + " of " +
           std::to_string(slot_.receiving().q()) + " approvals";
  }
  for (const auto& approval : request.ticket) {  // by distinct members: strictly increasing
    const bool fits = approval.purpose == ApprovalPurpose::repair && approval.key_set == request.key_set &&
                      approval.epoch == request.epoch && approval.transcript == request.transcript &&
                      approval.subject == request.index && slot_.receivers().has(approval.index);
    if (!fits) return "its ticket is for another repair";
    if (approval.not_after < unix_s) return "its ticket is over";
    if (!is_signed(approval)) return "an approval in its ticket does not verify";
  }
  return {};
}

std::uint64_t TicketBook::name_of(const Ticket& ticket) {
  std::uint64_t name = 0;
  for (const auto& approval : ticket) name = name == 0 ? approval.not_after : std::min(name, approval.not_after);
  return name;
}

}  // namespace kms::dkg
