// A decided slot whose new committee is dead: its old one gives it up, and the next branch begins (PROTOCOL.md 4.13).
#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

constexpr std::size_t kVoidCertsMax = 8;  // of the branch before, with one value and different views

}  // namespace

VoidState Ceremony::Impl::void_state() const {
  VoidState out;
  if (slot.previous() == nullptr) return out;
  out.may_be_voided = is_decided() && !activation.is_activated() && !voided && slot.branch() < kVoidsMax;
  out.needed = fate_quorum();
  out.by = fates.approvers();
  return out;
}

std::uint16_t Ceremony::Impl::fate_quorum() const {
  const bool by_emergency = is_decided() && activation.record()->final.kind == CertificateKind::emergency;
  return by_emergency ? slot.deciding().q_em() : slot.deciding().q();
}

Result<void> Ceremony::Impl::approve_void(Turn& turn) {
  if (slot.previous() == nullptr) return error("epoch 0 has no epoch before it that could go on; it cannot be voided");
  if (slot.decider == 0) return error("this node is not a member of the committee in charge");
  if (voided) return error("this branch is given up already");
  if (slot.branch() >= kVoidsMax) {
    return error("this is the last branch of epoch " + std::to_string(slot.epoch()) + ": " + std::to_string(kVoidsMax) +
                 " were given up before it, and a Link proves no more; bring its new committee back, its shares and "
                 "records serve as they are");
  }
  if (!is_decided()) return error("nothing is decided yet: there is nothing to give up, another attempt follows");
  if (activation.is_released()) return error("the epoch is released: it is in charge");
  if (activation.is_activated()) {
    return error("enough members of the new committee have confirmed their shares: the epoch is being released");
  }
  auto approval = fates.form();
  approval.signature = slot.key->sign(approval.approval_digest(slot.plan.network_id));
  turn.say_as_signed("void-approval", approval);
  turn.report(Event::Kind::phase, "the operator approves that this branch is given up");
  return {};
}

Ceremony::Impl::Taken Ceremony::Impl::judge_void_approval(const Approval& approval, const Envelope& envelope,
                                                          const Seat& sender, Source source, Turn& turn) {
  (void)envelope;
  if (activation.is_released() || sender.decider == 0 || approval.index != sender.decider) return Taken::no;
  if (slot.branch() >= kVoidsMax) return Taken::no;
  if (is_decided() && !fates.wants(sender.decider, approval)) return Taken::no;
  if (source == Source::peer || source == Source::fetched) {
    ++spent;
    is_refuted = !crypto::verify(slot.deciders().at(approval.index).key, approval.signature,
                                 approval.approval_digest(slot.plan.network_id));
    if (is_refuted) return Taken::no;
  }
  if (!is_decided()) return Taken::early;
  fates.add(approval);
  turn.report(Event::Kind::progress, "a member's operator gives this branch up", Culprit::decider(sender.decider));
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge_void_certificate(const Certificate& certificate, Source source,
                                                             Turn& turn) {
  if (activation.is_released() || fates.void_approvals() != nullptr) return Taken::no;
  if (!is_decided()) return is_valid(certificate, source) ? Taken::early : Taken::no;
  if (certificate.transcript != activation.record()->transcript || certificate.sid != activation.record()->sid) {
    return Taken::no;
  }
  if (!is_valid(certificate, source)) return Taken::no;
  fates.add_certificate(certificate);
  if (source != Source::stored) turn.put("void/approvals", certificate.body());
  return Taken::yes;
}

// The certificate says that a quorum has decided; who has not heard of the decision itself needs no more.
Ceremony::Impl::Taken Ceremony::Impl::judge_fate(const Certificate& certificate, Source source, Turn& turn) {
  if (certificate.kind == CertificateKind::final && fate_of(certificate) == Fate::voided) {
    if (activation.is_released() || voided || !is_valid(certificate, source)) return Taken::no;
    if (is_decided() && activation.record()->transcript != certificate.transcript) {
      turn.report(Event::Kind::misbehaviour, "a certificate gives up another dealing than the decided one");
      return Taken::no;
    }
    give_up(certificate, turn);
    return Taken::yes;
  }
  if (!fate.wants_certificate(certificate) || !is_valid(certificate, source)) return Taken::no;
  fate.add_certificate(certificate, turn);
  return Taken::yes;
}

// Key-encryption keys first, as at the end of an epoch.
void Ceremony::Impl::give_up(const Certificate& certificate, Turn& turn) {
  voided = VoidedBranch{certificate, std::nullopt};
  if (const auto* final = emergencies.certificate(); final != nullptr && final->id() == certificate.emergency_cert) {
    voided->emergency = *final;
    turn.put("void/emergency", final->body());
  }
  turn.put("fate/final", certificate.body());
  end_voided(turn);
  show_void(turn);
  turn.report(Event::Kind::phase, "voided: this branch is given up, its shares are destroyed");
}

void Ceremony::Impl::end_voided(Turn& turn) {
  activation.erase_shares();
  for (auto& [sid, round] : rounds) round.drop_secret();
  turn.destroy(slot.kek_of_epoch());
  turn.erase("share");
  prekeys.destroy(turn);
  repair.erase(turn);
  early = {};
}

void Ceremony::Impl::show_void(Turn& turn) const {
  if (voided->emergency) turn.show(*voided->emergency);
  turn.show(voided->fate);
}

void Ceremony::Impl::tell_void(const Envelope& envelope, Position member, Turn& turn) {
  const auto slot_of = [&](const auto& message) { return message && message->slot == slot.slot; };
  bool is_lagging = false;
  switch (envelope.type) {
    case MessageType::node_status: {
      const auto status = NodeStatus::parse(envelope.body);
      if (!status) return;
      for (const auto& entry : status->entries) {
        const bool is_here =
            entry.key_set == slot.plan.key_set && entry.epoch == slot.epoch() && entry.branch == slot.branch();
        is_lagging = is_lagging || (is_here && entry.state < static_cast<std::uint32_t>(Phase::voided));
      }
      break;
    }
    case MessageType::vote:
      is_lagging = slot_of(Vote::parse(envelope.body));
      break;
    case MessageType::active:
      is_lagging = slot_of(Active::parse(envelope.body));
      break;
    case MessageType::confirm:
      is_lagging = slot_of(Confirm::parse(envelope.body));
      break;
    default:
      return;
  }
  if (is_lagging && pulls.may_show(member, 2 * slot.plan.timing.delta, turn.instant())) show_void(turn);
}

// From the records, before anything else: nothing of a voided branch is used again.
bool Ceremony::Impl::restore_void(const Records& records, Turn& turn) {
  const auto read = [&](const char* name) -> std::optional<Certificate> {
    const auto body = records.find(slot.prefix + name);
    auto certificate = body ? Certificate::parse(*body) : Result<Certificate>(error("missing"));
    return certificate ? std::optional(std::move(*certificate)) : std::nullopt;
  };
  auto certificate = read("fate/final");
  if (slot.previous() == nullptr || !certificate || fate_of(*certificate) != Fate::voided) return false;
  voided = VoidedBranch{std::move(*certificate), read("void/emergency")};
  end_voided(turn);
  return true;
}

// FinalCerts of one fate may stand for different views; the header names one of them.
Ceremony::Impl::Taken Ceremony::Impl::judge_branch_before(const Certificate& certificate, Turn& turn) {
  const auto before = slot_id(slot.plan.key_set, slot.epoch(), slot.branch() - 1);
  if (certificate.slot != before || void_certs.size() >= kVoidCertsMax) return Taken::no;
  const bool is_emergency = certificate.kind == CertificateKind::emergency;
  const bool is_void = fate_of(certificate) == Fate::voided;
  if ((!is_emergency && !is_void) || void_certs.contains(certificate.id())) return Taken::no;
  if (is_emergency && emergency_before) return Taken::no;
  const auto* named = emergency_before ? &*emergency_before : nullptr;
  if (is_void && !is_zero(certificate.emergency_cert) &&
      (named == nullptr || named->id() != certificate.emergency_cert)) {
    if (wanted_void == certificate.id()) wanted_emergency = certificate.emergency_cert;
    return Taken::no;
  }
  spent += static_cast<std::int64_t>(certificate.signatures.size());
  if (is_emergency) {
    is_refuted = !verify(certificate, slot.committees()).has_value();
    if (is_refuted) return Taken::no;
    emergency_before = certificate;
    turn.put("before-emergency", certificate.body());
    return Taken::yes;
  }
  const VoidedBranch branch{certificate, is_zero(certificate.emergency_cert) ? std::nullopt : emergency_before};
  is_refuted = !verify_void(branch, before, slot.plan.network_id, *slot.previous());
  if (is_refuted) return Taken::no;
  void_certs.emplace(certificate.id(), branch);
  turn.put("before/" + to_hex(certificate.id().view()), certificate.body());
  has_news = true;
  return Taken::yes;
}

// Before the headers that name one of them.
void Ceremony::Impl::restore_branch_before(const Records& records) {
  const auto read = [&](const std::string& key) {
    const auto body = records.find(key);
    return body ? Certificate::parse(*body) : Result<Certificate>(error("missing"));
  };
  if (auto emergency = read(slot.prefix + "before-emergency"); emergency && !emergency_before) {
    emergency_before = std::move(*emergency);
  }
  for (const auto& key : records.list(slot.prefix + "before/")) {
    const auto certificate = read(key);
    if (!certificate) continue;
    VoidedBranch branch{*certificate, is_zero(certificate->emergency_cert) ? std::nullopt : emergency_before};
    void_certs.emplace(certificate->id(), std::move(branch));
  }
}

void Ceremony::Impl::show_branch(std::uint32_t branch, Turn& turn) const {
  const auto& ended = slot.plan.voided[branch];
  if (ended.emergency) turn.show(*ended.emergency);
  turn.show(ended.fate);
}

// With the certificate of the branch before that the header names.
std::vector<VoidedBranch> Ceremony::Impl::branches_of(const CeremonyHeader& header) const {
  auto out = slot.plan.voided;
  if (const auto named = void_certs.find(header.void_cert); named != void_certs.end()) out.back() = named->second;
  return out;
}

}  // namespace kms::dkg
