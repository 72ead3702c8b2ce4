// Checks 2 to 6 of PROTOCOL.md 4.1.
#include "dkg/header.h"
#include "dkg/prekeys.h"

namespace kms::dkg {

std::string_view name_of(HeaderFault fault) {
  switch (fault) {
    case HeaderFault::key_set_terms_differ:
      return "key set, labels, decider or origin differ";
    case HeaderFault::epoch_does_not_follow:
      return "epoch does not follow the one held";
    case HeaderFault::void_certificate_differs:
      return "the branch does not name the certificate that voided the one before";
    case HeaderFault::threshold_too_low:
      return "threshold below 2";
    case HeaderFault::threshold_lowered:
      return "threshold lowered without allow_lower_threshold";
    case HeaderFault::refresh_changes_committee:
      return "a refresh changes members or threshold";
    case HeaderFault::committee_differs_from_file:
      return "committee, threshold or file hash differ from the network file";
    case HeaderFault::approvals_missing:
      return "too few approvals";
    case HeaderFault::approval_invalid:
      return "an approval does not verify";
    case HeaderFault::approvals_expired:
      return "approvals expired";
    case HeaderFault::old_epoch_differs:
      return "old committee, threshold, T or root differ from the epoch record";
    case HeaderFault::prekey_invalid:
      return "a prekey lacks a valid proof or signature";
    case HeaderFault::too_many_absent:
      return "more members absent than the committee tolerates";
    case HeaderFault::own_prekey_unknown:
      return "the own entry holds a prekey that this node does not have";
  }
  return "?";
}

HeaderVerdict check_terms(const CeremonyHeader& header, const KeySetTerms& known,
                          std::optional<std::uint32_t> last_epoch, const CertificateId& void_cert) {
  if (header.terms != known) return HeaderFault::key_set_terms_differ;
  std::uint64_t next = last_epoch ? std::uint64_t{*last_epoch} + 1 : 0;
  if (header.epoch != next) return HeaderFault::epoch_does_not_follow;
  if (header.void_cert != (header.branch > 0 ? void_cert : CertificateId{})) {
    return HeaderFault::void_certificate_differs;
  }
  if (header.branch > 0 && is_zero(void_cert)) return HeaderFault::void_certificate_differs;
  return std::nullopt;
}

HeaderVerdict check_threshold(const CeremonyHeader& header, LowerThreshold lower) {
  if (!header.old) return std::nullopt;  // Threshold holds 2 <= t' <= n', or 1 of 1 for DKG and IMPORT
  if (header.threshold.t() < 2) return HeaderFault::threshold_too_low;
  if (header.kind == Kind::refresh) {
    bool same = header.committee().hash() == header.old->committee && header.threshold == header.old->threshold;
    return same ? HeaderVerdict{} : HeaderFault::refresh_changes_committee;
  }
  if (header.threshold.t() < header.old->threshold.t() && lower == LowerThreshold::refused) {
    return HeaderFault::threshold_lowered;
  }
  return std::nullopt;
}

HeaderVerdict check_genesis(const CeremonyHeader& header, const Committee& committee, const Threshold& threshold,
                            const FileHash& file) {
  bool agrees = !header.old && header.committee() == committee && header.threshold == threshold && header.file == file;
  return agrees ? HeaderVerdict{} : HeaderFault::committee_differs_from_file;
}

HeaderVerdict check_approvals(const CeremonyHeader& header, const NetworkId& network, const Committee& old_committee) {
  if (!header.old) return HeaderFault::old_epoch_differs;
  if (header.kind == Kind::refresh && header.approvals.empty()) return std::nullopt;
  std::uint16_t needed = header.emergency ? header.old->threshold.q_em() : header.old->threshold.q();
  if (header.approvals.size() < needed) return HeaderFault::approvals_missing;
  Approval approval;
  approval.purpose = ApprovalPurpose::reshare;
  approval.key_set = header.terms.key_set;
  approval.epoch = header.epoch;
  approval.branch = header.branch;
  approval.root = header.old->root;
  approval.members = header.committee().hash();
  approval.threshold = header.threshold.t();
  approval.file = header.file;
  approval.not_after = header.not_after;
  Hash32 digest = approval.approval_digest(network);
  for (const IndexedSignature& entry : header.approvals) {  // indices are distinct: strictly increasing
    if (!old_committee.has(entry.index)) return HeaderFault::approval_invalid;
    if (!crypto::verify(old_committee.at(entry.index).key, entry.signature, digest)) {
      return HeaderFault::approval_invalid;
    }
  }
  return std::nullopt;
}

HeaderVerdict check_expiry(const CeremonyHeader& header, std::uint64_t unix_s) {
  if (header.approvals.empty() || unix_s <= header.not_after) return std::nullopt;
  return HeaderFault::approvals_expired;
}

HeaderVerdict check_old_epoch(const CeremonyHeader& header, const OldEpoch& own_record) {
  return header.old == own_record ? HeaderVerdict{} : HeaderFault::old_epoch_differs;
}

HeaderVerdict check_members(const CeremonyHeader& header, const NetworkId& network) {
  if (header.absent().size() > header.threshold.f()) return HeaderFault::too_many_absent;
  PrekeyScope scope{network, Series::ceremony, header.terms.key_set, header.epoch, header.branch};
  for (const HeaderMember& entry : header.members) {
    if (entry.prekey && !verify_prekey(*entry.prekey, entry.member, scope, header.attempt)) {
      return HeaderFault::prekey_invalid;
    }
  }
  return std::nullopt;
}

HeaderVerdict check_own_prekey(const CeremonyHeader& header, Position position,
                               const std::optional<crypto::Point>& own) {
  const auto& prekey = header.members.at(position - 1u).prekey;
  if (!prekey || (own && prekey->key == *own)) return std::nullopt;
  return HeaderFault::own_prekey_unknown;
}

}  // namespace kms::dkg
