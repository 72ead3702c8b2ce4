#include "dkg/fate_book.h"

#include "base/assert.h"

namespace kms::dkg {

ValueHash FateBook::hash(Fate fate) const {
  const auto* record = activation_.record();
  return record == nullptr ? ValueHash{} : fate_hash(slot_.slot, record->sid, record->transcript, fate);
}

std::optional<AgreedValue> FateBook::agreed(const ValueHash& value) const {
  const auto* record = activation_.record();
  if (record == nullptr) return std::nullopt;
  if (value == hash(Fate::voided)) {
    return AgreedValue{record->sid, record->transcript, {}, Fate::voided, void_approvals()};
  }
  if (value != release()) return std::nullopt;
  const auto* justification = record->activation ? &*record->activation : nullptr;
  return AgreedValue{record->sid, record->transcript, {}, Fate::release, justification};
}

Approval FateBook::form() const {
  const auto* record = activation_.record();
  KMS_ASSERT(record != nullptr);
  Approval approval;
  approval.purpose = ApprovalPurpose::voided;
  approval.key_set = slot_.plan.key_set;
  approval.epoch = slot_.epoch();
  approval.branch = slot_.branch();
  approval.sid = record->sid;
  approval.transcript = record->transcript;
  approval.index = slot_.decider;
  return approval;
}

bool FateBook::is_of_decision(const Approval& approval) const {
  const auto* record = activation_.record();
  return record != nullptr && approval.sid == record->sid && approval.transcript == record->transcript;
}

bool FateBook::wants(Position decider, const Approval& approval) const {
  if (slot_.previous() == nullptr || decider == 0 || approval.index != decider) return false;
  const bool is_of_slot = approval.key_set == slot_.plan.key_set && approval.epoch == slot_.epoch() &&
                          approval.branch == slot_.branch() && approval.purpose == ApprovalPurpose::voided;
  return is_of_slot && is_of_decision(approval) && !approvals_.contains(decider);
}

std::set<Position> FateBook::approvers() const {
  std::set<Position> out;
  for (const auto& [member, approval] : approvals_) out.insert(member);
  return out;
}

bool FateBook::complete(std::uint16_t needed, const CertificateId& emergency) {
  if (void_approvals_) return true;
  if (approvals_.size() < needed) return false;
  const auto* record = activation_.record();
  Signatures signatures;
  for (const auto& [member, approval] : approvals_) signatures.push_back({member, approval.signature});
  void_approvals_ = void_certificate(slot_.slot, record->sid, record->transcript, emergency, std::move(signatures));
  return true;
}

}  // namespace kms::dkg
