#include "dkg/certificate.h"

#include <algorithm>

#include "base/assert.h"
#include "dkg/wire.h"

namespace kms::dkg {
namespace {

std::uint8_t number_of(std::optional<Instance> instance) {
  return instance ? static_cast<std::uint8_t>(*instance) : std::uint8_t{0};
}

// Which fields a kind uses (TRANSCRIPTS.md 6).
struct Shape {
  bool slot_instance;
  bool fate_instance;
  bool sid;
  bool transcript;
  bool view;
  bool value;
};

Shape shape_of(CertificateKind kind) {
  switch (kind) {
    case CertificateKind::candidate:
      return {false, false, true, true, false, false};
    case CertificateKind::notar:
      return {true, true, false, false, true, true};
    case CertificateKind::null:
      return {true, true, false, false, true, false};
    case CertificateKind::final:
      return {true, true, true, true, true, true};
    case CertificateKind::activation:
      return {false, false, false, true, false, true};
    case CertificateKind::emergency:
      return {true, false, true, true, false, false};
    case CertificateKind::void_approvals:
      return {false, true, true, true, false, false};
  }
  KMS_ASSERT(false);
}

void check_shape(BodyReader& in, const Certificate& certificate) {
  Shape shape = shape_of(certificate.kind);
  bool fits = certificate.instance == Instance::slot   ? shape.slot_instance
              : certificate.instance == Instance::fate ? shape.fate_instance
                                                       : !shape.slot_instance && !shape.fate_instance;
  in.check(fits, 2, "does not fit the kind");
  in.check(shape.sid == !is_zero(certificate.sid), 4, "does not fit the kind");
  in.check(shape.transcript == !is_zero(certificate.transcript), 5, "does not fit the kind");
  in.check(shape.view == (certificate.view != 0), 6, "does not fit the kind");
  in.check(shape.value == !is_zero(certificate.value), 7, "does not fit the kind");
  in.check(!certificate.signatures.empty(), 8, "is missing");
}

Signatures sorted(Signatures signatures) {
  KMS_ASSERT(!signatures.empty());
  std::sort(signatures.begin(), signatures.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  for (std::size_t i = 1; i < signatures.size(); ++i) KMS_ASSERT(signatures[i - 1].index < signatures[i].index);
  return signatures;
}

VoteKind signed_kind_of(CertificateKind kind) {
  if (kind == CertificateKind::notar) return VoteKind::notarize;
  return kind == CertificateKind::null ? VoteKind::nullify : VoteKind::finalize;
}

}  // namespace

Bytes Certificate::body() const {
  BodyWriter out;
  out.number(1, kind);
  out.number(2, number_of(instance));
  out.id(3, slot);
  out.id(4, sid);
  out.id(5, transcript);
  out.number(6, view);
  out.id(7, value);
  write_signatures(out, 8, signatures);
  out.id(9, emergency_cert);
  return out.take();
}

Result<Certificate> Certificate::parse(ByteView body) {
  BodyReader in("Certificate", body, 12 * 1024);
  Certificate out;
  out.kind = in.enumeration(1, CertificateKind::candidate, CertificateKind::void_approvals);
  if (in.has(2)) out.instance = in.enumeration(2, Instance::slot, Instance::fate);
  out.slot = in.id_set<SlotId>(3);
  out.sid = in.id<Sid>(4);
  out.transcript = in.id<TranscriptHash>(5);
  out.view = in.u32(6);
  out.value = in.id<ValueHash>(7);
  out.signatures = read_signatures(in, 8);
  out.emergency_cert = in.id<CertificateId>(9);
  check_shape(in, out);
  return in.finish(std::move(out));
}

CertificateId Certificate::id() const {
  crypto::Transcript out("KMS1/cert");
  out.u8(static_cast<std::uint8_t>(kind)).u8(number_of(instance)).id(slot).id(sid).id(transcript);
  return {out.u32(view).id(value).id(emergency_cert).hash()};
}

Hash32 Certificate::vote_digest(const NetworkId& network, const NodeId& signer, Position index) const {
  switch (kind) {
    case CertificateKind::candidate:
      return Ready{slot, sid, transcript, index}.signing_digest(network, signer);
    case CertificateKind::notar:
    case CertificateKind::null:
    case CertificateKind::final:
      KMS_ASSERT(instance.has_value());
      return Vote{*instance, slot, view, signed_kind_of(kind), value}.signing_digest(network, signer);
    case CertificateKind::activation:
      return Confirm{slot, transcript, root(), index}.signing_digest(network, signer);
    case CertificateKind::emergency:
      return Emergency{slot, sid, transcript, index}.signing_digest(network, signer);
    case CertificateKind::void_approvals:
      break;
  }
  return crypto::Transcript("KMS1/sig/void").id(network).id(slot).id(sid).id(transcript).hash();
}

Certificate candidate_certificate(const Ready& any_vote, Signatures signatures) {
  Certificate out;
  out.kind = CertificateKind::candidate;
  out.slot = any_vote.slot;
  out.sid = any_vote.sid;
  out.transcript = any_vote.transcript;
  out.signatures = sorted(std::move(signatures));
  return out;
}

Certificate view_certificate(const Vote& any_vote, const CertificateId& emergency, Signatures signatures) {
  KMS_ASSERT(any_vote.kind != VoteKind::finalize);
  Certificate out;
  out.kind = any_vote.kind == VoteKind::notarize ? CertificateKind::notar : CertificateKind::null;
  out.instance = any_vote.instance;
  out.slot = any_vote.slot;
  out.view = any_vote.view;
  out.value = any_vote.value;
  out.signatures = sorted(std::move(signatures));
  out.emergency_cert = emergency;
  return out;
}

Certificate final_certificate(const Vote& any_vote, const Sid& sid, const TranscriptHash& transcript,
                              const CertificateId& emergency, Signatures signatures) {
  KMS_ASSERT(any_vote.kind == VoteKind::finalize);
  Certificate out;
  out.kind = CertificateKind::final;
  out.instance = any_vote.instance;
  out.slot = any_vote.slot;
  out.sid = sid;
  out.transcript = transcript;
  out.view = any_vote.view;
  out.value = any_vote.value;
  out.signatures = sorted(std::move(signatures));
  out.emergency_cert = emergency;
  return out;
}

Certificate activation_certificate(const Confirm& any_vote, const CertificateId& emergency, Signatures signatures) {
  Certificate out;
  out.kind = CertificateKind::activation;
  out.slot = any_vote.slot;
  out.transcript = any_vote.transcript;
  out.value = id_cast<ValueHash>(any_vote.root);
  out.signatures = sorted(std::move(signatures));
  out.emergency_cert = emergency;
  return out;
}

Certificate emergency_certificate(const Emergency& any_vote, Signatures signatures) {
  Certificate out;
  out.kind = CertificateKind::emergency;
  out.instance = Instance::slot;
  out.slot = any_vote.slot;
  out.sid = any_vote.sid;
  out.transcript = any_vote.transcript;
  out.signatures = sorted(std::move(signatures));
  return out;
}

Certificate void_certificate(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript,
                             const CertificateId& emergency, Signatures approvals) {
  Certificate out;
  out.kind = CertificateKind::void_approvals;
  out.instance = Instance::fate;
  out.slot = slot;
  out.sid = sid;
  out.transcript = transcript;
  out.signatures = sorted(std::move(approvals));
  out.emergency_cert = emergency;
  return out;
}

Electorate SlotCommittees::electorate(CertificateKind kind, std::optional<Instance> instance, bool emergency) const {
  if (kind == CertificateKind::candidate) return {receivers, receivers_threshold.q(), absent};
  if (kind == CertificateKind::activation) return {receivers, receivers_threshold.q()};
  bool by_emergency = kind == CertificateKind::emergency || (emergency && instance == Instance::fate);
  return {deciders, by_emergency ? deciders_threshold.q_em() : deciders_threshold.q()};
}

Result<void> verify(const Certificate& certificate, const NetworkId& network, const Electorate& electorate) {
  if (certificate.signatures.size() < electorate.quorum) {
    return error("certificate holds " + std::to_string(certificate.signatures.size()) + " signatures, " +
                 std::to_string(electorate.quorum) + " are needed");
  }
  Position before = 0;
  for (const IndexedSignature& entry : certificate.signatures) {
    if (entry.index <= before || !electorate.committee.has(entry.index)) {
      return error("certificate names position " + std::to_string(entry.index) +
                   " twice, out of order or not in the committee");
    }
    before = entry.index;
    const auto& excluded = electorate.excluded;
    if (std::find(excluded.begin(), excluded.end(), entry.index) != excluded.end()) {
      return error("certificate counts position " + std::to_string(entry.index) + ", which is absent");
    }
    const Member& member = electorate.committee.at(entry.index);
    if (!crypto::verify(member.key, entry.signature, certificate.vote_digest(network, member.node, entry.index))) {
      return error("certificate: the signature of position " + std::to_string(entry.index) + " does not verify");
    }
  }
  return {};
}

Result<void> verify(const Certificate& certificate, const SlotCommittees& committees) {
  bool emergency = !is_zero(certificate.emergency_cert);
  return verify(certificate, committees.network,
                committees.electorate(certificate.kind, certificate.instance, emergency));
}

bool decides(const Certificate& certificate, const DealList& list) {
  return certificate.kind == CertificateKind::final && certificate.instance == Instance::slot &&
         certificate.transcript == transcript_hash(certificate.sid, list) &&
         certificate.value == value_hash(certificate.slot, certificate.sid, certificate.transcript, list);
}

std::optional<Fate> fate_of(const Certificate& certificate) {
  if (certificate.kind != CertificateKind::final || certificate.instance != Instance::fate) return std::nullopt;
  for (Fate fate : {Fate::release, Fate::voided}) {
    if (certificate.value == fate_hash(certificate.slot, certificate.sid, certificate.transcript, fate)) return fate;
  }
  return std::nullopt;
}

}  // namespace kms::dkg
