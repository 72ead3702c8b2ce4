// Certificates: a quorum's signatures on one statement, transferable and checked by anybody (PROTOCOL.md 2, 4.4, 4.5,
// 4.6, 4.13, 4.14; TRANSCRIPTS.md 6, table "Certificates").
#pragma once

#include "dkg/committee.h"
#include "dkg/messages.h"

namespace kms::dkg {

enum class CertificateKind : std::uint8_t {
  candidate = 1,
  notar = 2,
  null = 3,
  final = 4,
  activation = 5,
  emergency = 6,
  void_approvals = 7,
};

// Fields that the kind does not use are zero and absent on the wire; `parse` refuses anything else, and indices that
// are not strictly increasing. Two certificates of one statement have one id, whatever quorum signed them.
struct Certificate {
  static constexpr MessageType kType = MessageType::certificate;
  CertificateKind kind = CertificateKind::candidate;
  std::optional<Instance> instance;  // NOTAR, NULL, FINAL: either; EMERGENCY: slot; VOID_APPROVALS: fate; others none
  SlotId slot;
  Sid sid;                                   // CANDIDATE, FINAL, EMERGENCY, VOID_APPROVALS
  TranscriptHash transcript;                 // the same and ACTIVATION
  std::uint32_t view = 0;                    // NOTAR, NULL, FINAL
  ValueHash value;                           // NOTAR, FINAL: h(x); ACTIVATION: the root
  std::vector<IndexedSignature> signatures;  // strictly increasing by index, at least one
  CertificateId emergency_cert;              // id of the EMERGENCY certificate that accompanies it, or zero
  Bytes body() const;
  static Result<Certificate> parse(ByteView body);
  CertificateId id() const;
  Root root() const { return id_cast<Root>(value); }  // ACTIVATION
  // What member `signer` has signed to be in it.
  Hash32 vote_digest(const NetworkId& network, const NodeId& signer, Position index) const;
};

// The statements, each with the signatures collected; sorts them. Signatures are those of the envelopes that carried
// the Ready, Vote, Confirm and Emergency, or of the Approvals; every index at most once, at least one (asserted).
using Signatures = std::vector<IndexedSignature>;
Certificate candidate_certificate(const Ready& any_vote, Signatures signatures);
// NOTAR, NULL; also FINAL, which then lacks sid and T: use final_certificate.
Certificate view_certificate(const Vote& any_vote, const CertificateId& emergency, Signatures signatures);
Certificate final_certificate(const Vote& any_vote, const Sid& sid, const TranscriptHash& transcript,
                              const CertificateId& emergency, Signatures signatures);
Certificate activation_certificate(const Confirm& any_vote, const CertificateId& emergency, Signatures signatures);
Certificate emergency_certificate(const Emergency& any_vote, Signatures signatures);
Certificate void_certificate(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript,
                             const CertificateId& emergency, Signatures approvals);

// Who may sign a certificate and how many of them must. A signature by an excluded position refuses the certificate.
struct Electorate {
  const Committee& committee;
  std::uint16_t quorum;
  std::vector<Position> excluded = {};
};

// The committees of one slot. CANDIDATE and ACTIVATION belong to the receivers N with q', everything else to the
// deciders V with q; EMERGENCY, and the fate of a slot that has one, with q_em.
struct SlotCommittees {
  NetworkId network;
  Committee deciders;
  Threshold deciders_threshold;
  Committee receivers;
  Threshold receivers_threshold;
  std::vector<Position> absent = {};  // of the header whose sid is meant: their READYs count for nothing (4.1)
  Electorate electorate(CertificateKind kind, std::optional<Instance> instance, bool emergency) const;
};

// Every signature by a distinct member of the electorate, at least its quorum. Cost: one ECDSA verification a
// signature.
Result<void> verify(const Certificate& certificate, const NetworkId& network, const Electorate& electorate);
// The same with the electorate of the certificate's kind. A certificate that names an EMERGENCY certificate is only as
// good as that one: the caller verifies it, too, and compares the ids.
Result<void> verify(const Certificate& certificate, const SlotCommittees& committees);

// FINAL of instance 1: whether sid, T and this list give its value hash. Only then sid and T are believed.
bool decides(const Certificate& final_certificate, const DealList& list);
// FINAL of instance 2: the fate whose hash it certifies, or nothing.
std::optional<Fate> fate_of(const Certificate& final_certificate);

}  // namespace kms::dkg
