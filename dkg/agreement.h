// Simplex with signatures: turns its votes, proposals and certificates into messages of one instance and back
// (PROTOCOL.md 4.5, 4.13). A vote is durable before it is sent, because Turn::say makes it so. What a value hash stands
// for is asked of a book: CandidateBook for instance SLOT, FateBook for instance FATE.
#pragma once

#include "dkg/fate_book.h"
#include "dkg/simplex.h"

namespace kms::dkg {

class Agreement {
 public:
  Agreement(const SlotContext& slot, Instance instance);

  bool is_started() const { return simplex_.is_started(); }
  void start(Instant now) { simplex_.start(now); }
  std::uint32_t view() const { return simplex_.view(); }
  Position leader(std::uint32_t view) const { return simplex_.leader(view); }
  bool leads() const { return simplex_.leads(); }
  // Whether a leader has anything to propose without a new Candidate.
  bool has_value() const { return is_admitted_ || simplex_.highest_notarized().has_value(); }
  void wait_for_deals(Instant until) { simplex_.wait_for_deals(until); }
  void stretch_view() { simplex_.stretch_view(); }
  // PROTOCOL.md 4.14: an EMERGENCY for that value excludes a Finalize for another one, in either order.
  void bind(const ValueHash& only) { simplex_.bind(only); }
  std::optional<ValueHash> finalized_other_than(const ValueHash& value) const {
    return simplex_.finalized_other_than(value);
  }
  // Envelopes of a member's Finalize votes for other values than this one.
  std::vector<Envelope> finalizes_against(Position member, const ValueHash& value) const;
  // The fate of a slot that has an EMERGENCY certificate: quorum q_em, and every certificate names it.
  void use_emergency(const CertificateId& certificate, Instant now);

  // Bounds, before signatures are checked.
  bool wants_vote(Position member, const Vote& vote) const;
  bool wants_proposal(Position member, const Proposal& proposal) const;
  bool wants_certificate(const Certificate& certificate) const;

  // Signatures are checked.
  void add_vote(Position member, const Vote& vote, const Signature& signature, Instant now);
  // False if the proposal contradicts itself.
  bool add_proposal(Position member, const Proposal& proposal, const Envelope& envelope, Turn& turn);
  void add_certificate(const Certificate& certificate, Turn& turn);
  // SLOT: (sid, T, list) has a valid header and a CandidateCert; FATE: the ActivationCert is held. Both are durable
  // with this turn.
  void admit(const ValueHash& value, Turn& turn);
  // The same; what this node proposes if it may choose.
  void admit_first(const ValueHash& value, Turn& turn);
  void tick(Turn& turn);
  std::optional<Instant> wakes_at() const { return simplex_.wakes_at(); }
  // Says, stores and forwards what Simplex asked for since the last call.
  template <class Book>
  void flush(const Book& book, Turn& turn);
  template <class Book>
  void repeat(const Book& book, Turn& turn, const Outbox& outbox) const;

  // The decision: the value hash as soon as a quorum finalized; the certificate once sid and T are known, too.
  std::optional<ValueHash> decided() const;
  template <class Book>
  std::optional<Certificate> final(const Book& book) const;

  // What to pull so that a pending proposal can be judged.
  std::vector<ObjectId> missing() const;
  // A certificate held here, by its id.
  std::optional<Certificate> find(const ObjectId& id) const;

  void restore(const Records& records, const Outbox& outbox, Instant now);

 private:
  Vote message_of(const OwnVote& vote) const;
  Envelope envelope_of(const AgreementVote& vote) const;
  Certificate certificate_of(const AgreementCertificate& certificate) const;
  CertificateId id_of(const OwnVote& statement) const;
  template <class Book>
  void say_proposal(const AgreementProposal& proposal, const Book& book, Turn& turn);
  std::string name_of(const OwnVote& vote) const;
  std::string name_of_proposal(std::uint32_t view) const;
  void report_conflict(const AgreementConflict& conflict, Turn& turn) const;

  const SlotContext& slot_;
  Instance instance_;
  std::string prefix_;  // of names and records
  Simplex simplex_;
  bool is_admitted_ = false;
  CertificateId emergency_;  // zero: none
  std::map<std::uint32_t, Envelope> proposals_;
  std::set<CertificateId> received_;  // by certificate: others have them, no need to forward
  std::map<CertificateId, OwnVote> held_;
};

}  // namespace kms::dkg
