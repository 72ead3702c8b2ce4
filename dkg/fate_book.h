// The two values that instance FATE can decide on, RELEASE and VOID of the decided T, each with what justifies it: the
// ActivationCert, or the approvals of q operators (PROTOCOL.md 4.13).
#pragma once

#include "dkg/activation.h"
#include "dkg/candidate_book.h"

namespace kms::dkg {

class FateBook {
 public:
  FateBook(const SlotContext& slot, const Activation& activation) : slot_(slot), activation_(activation) {}

  // Zero before the decision.
  ValueHash hash(Fate fate) const;
  ValueHash release() const { return hash(Fate::release); }
  std::optional<AgreedValue> agreed(const ValueHash& value) const;

  // Approvals of VOID. Form gives this node's own, unsigned; the slot is decided.
  Approval form() const;
  // Bounds before the signature is checked: one of each member, for this slot and, once that is known, its decided T.
  bool wants(Position decider, const Approval& approval) const;
  void add(const Approval& approval) { approvals_.emplace(approval.index, approval); }
  std::set<Position> approvers() const;
  // True if the certificate is there, now or before; `emergency` is zero unless the fate has the quorum of one.
  bool complete(std::uint16_t needed, const CertificateId& emergency);
  // A verified VOID_APPROVALS of the decided T.
  void add_certificate(const Certificate& certificate) {
    if (!void_approvals_) void_approvals_ = certificate;
  }
  const Certificate* void_approvals() const { return void_approvals_ ? &*void_approvals_ : nullptr; }

 private:
  bool is_of_decision(const Approval& approval) const;

  const SlotContext& slot_;
  const Activation& activation_;
  std::map<Position, Approval> approvals_;
  std::optional<Certificate> void_approvals_;
};

}  // namespace kms::dkg
