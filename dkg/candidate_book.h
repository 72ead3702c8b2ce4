// Candidates, READYs and the CandidateCerts made of them (PROTOCOL.md 4.4); also the values (sid, T, list) known here.
#pragma once

#include <deque>
#include <set>

#include "dkg/turn.h"

namespace kms::dkg {

// What a value hash of the agreement stands for.
struct AgreedValue {
  Sid sid;
  TranscriptHash transcript;
  DealList list;                               // instance SLOT
  std::optional<Fate> fate;                    // instance FATE
  const Certificate* justification = nullptr;  // CandidateCert or ActivationCert, if it is held
};

class CandidateBook {
 public:
  static constexpr std::size_t kListsMax = 512;
  static constexpr std::size_t kReadysPerMember = 32;  // different T; the oldest goes

  explicit CandidateBook(const SlotContext& slot) : slot_(slot) {}

  // Lists come from Candidates, Proposals and fetched Values; each is proven by its T. At the bound the oldest goes
  // that neither has a certificate nor belongs to a Candidate of these views; false if there is none.
  bool learn(const Sid& sid, const DealList& list);
  const Value* find(const TranscriptHash& transcript) const;
  const Value* find(const ValueHash& value) const;
  std::optional<AgreedValue> agreed(const ValueHash& value) const;

  // One sid per (view, leader), f_D + 1 rounds, rounds rising.
  bool wants(const Candidate& candidate) const;
  void add(const Candidate& candidate);
  // The newest Candidate of a view, or nullptr.
  const Candidate* newest(std::uint32_t view) const;
  // View 0 is that of an emergency: the initiator's Candidates, counted by sid.
  const Candidate* newest_of(const Sid& sid) const;
  // The one of the same view that this node has answered with READY last.
  const Candidate* answered_before(const Candidate& candidate) const;
  std::uint32_t rounds_of(const Sid& sid) const;
  void mark_answered(const Candidate& candidate);
  std::uint32_t rounds(std::uint32_t view) const;
  void forget_below(std::uint32_t view);

  bool wants_ready(Position member, const TranscriptHash& transcript) const;
  // True if it completed a CandidateCert.
  bool add_ready(const Ready& ready, const Signature& signature);
  std::size_t readys(const TranscriptHash& transcript) const;
  std::vector<Position> ready_members(const TranscriptHash& transcript) const;

  // A verified CANDIDATE certificate.
  void add_certificate(const Certificate& certificate) {
    certificates_.try_emplace(certificate.transcript, certificate);
  }
  // One that counts a member which its header marks as absent; another one may come.
  void drop_certificate(const TranscriptHash& transcript) { certificates_.erase(transcript); }
  const Certificate* certificate(const TranscriptHash& transcript) const;
  const std::map<TranscriptHash, Certificate>& certificates() const { return certificates_; }

 private:
  struct ViewCandidates {
    std::optional<Candidate> newest;
    std::optional<Candidate> answered;
    std::uint32_t rounds = 0;
  };
  static constexpr std::size_t kSidsMax = 64;  // with Candidates of view 0
  const ViewCandidates* track_of(const Candidate& candidate) const;
  bool is_in_use(const TranscriptHash& transcript) const;
  bool forget_oldest_list();
  void forget_oldest_ready(Position member);

  const SlotContext& slot_;
  std::map<TranscriptHash, Value> lists_;
  std::deque<TranscriptHash> lists_order_;  // as learnt
  std::map<ValueHash, TranscriptHash> values_;
  std::map<std::uint32_t, ViewCandidates> views_;
  std::map<Sid, ViewCandidates> by_sid_;  // view 0
  std::map<std::pair<Sid, TranscriptHash>, std::map<Position, Signature>> readys_;
  struct ReadyName {
    Sid sid;
    TranscriptHash transcript;
  };
  std::map<Position, std::deque<ReadyName>> readied_;  // as they came
  std::map<TranscriptHash, Certificate> certificates_;
};

}  // namespace kms::dkg
