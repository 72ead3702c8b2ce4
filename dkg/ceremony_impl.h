// The inside of Ceremony: its parts, and how messages and time move them. ceremony_edge.cpp, ceremony_header.cpp and
// ceremony_repair.cpp take messages in, ceremony_steps.cpp and ceremony_end.cpp do what has become possible,
// ceremony_emergency.cpp is the way out for an old committee below its quorum, ceremony_pull.cpp serves and asks for
// objects, ceremony_status.cpp tells.
#pragma once

#include "dkg/agreement.h"
#include "dkg/approval_book.h"
#include "dkg/attempt_clock.h"
#include "dkg/ceremony.h"
#include "dkg/early_book.h"
#include "dkg/emergency_book.h"
#include "dkg/forwarder.h"
#include "dkg/prekey_book.h"
#include "dkg/pull_book.h"
#include "dkg/refusal_book.h"
#include "dkg/repair.h"

namespace kms::dkg {

struct Ceremony::Impl {
  enum class Source : std::uint8_t {
    own,      // said in this turn: no signature to check
    peer,     // from the topic
    checked,  // from a peer, the signature was checked when it came too early
    fetched,  // asked for by its hash
    stored,   // own records
  };
  enum class Taken : std::uint8_t { yes, no, early };

  explicit Impl(SlotContext context);
  // ceremony_restore.cpp
  void restore(const Records& records, Now now);
  void restore_words(const Records& records, Now now);

  Effects receive(const Envelope& envelope, const NodeId& from, Now now);
  Effects advance(Now now);  // time passed, or an input other than a message came
  Effects finish(Turn& turn);
  std::optional<Instant> wakes_at() const;

  // ceremony_edge.cpp
  void take_in(const Envelope& envelope, Source source, Turn& turn);
  // Who pays for a message: the member that sent it here, not the one that signed it.
  bool is_heard(const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  void note_questions(const Envelope& envelope, Turn& turn);
  void settle_cost(const Envelope& envelope, Taken taken, Turn& turn);
  template <class M>
  bool is_authentic(const M& message, const Envelope& envelope, const Seat& sender, Source source) {
    if (source == Source::own || source == Source::checked || source == Source::stored) return true;
    ++spent;
    const bool is_signed = verify_sender(envelope, message, slot.everybody().at(sender.member).key);
    is_refuted = is_refuted || !is_signed;
    return is_signed;
  }
  bool is_valid(const Certificate& certificate, Source source);
  Taken judge(const Approval& approval, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const PreKeyAnnounce& announce, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const CeremonyHeader& header, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Deal& deal, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Complaint& complaint, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Candidate& candidate, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Ready& ready, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Certificate& certificate, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Proposal& proposal, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Vote& vote, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Active& active, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Confirm& confirm, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Emergency& vote, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const EpochChain& chain, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Value& value, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const Fetch& fetch, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const FetchReply& reply, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const NodeStatus& status, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const RepairRequest& request, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const RepairDelta& delta, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const RepairSigma& sigma, const Envelope& envelope, const Seat& sender, Source source, Turn& turn);
  Taken judge(const RepairComplaint& complaint, const Envelope& envelope, const Seat& sender, Source source,
              Turn& turn);
  Taken judge_ticket(const Approval& approval, const Seat& sender, Source source, Turn& turn);
  template <class M>
  Taken judge(const M&, const Envelope&, const Seat&, Source, Turn&) {
    return Taken::no;
  }
  bool serves_decision(const DealRound& round, const DealHash& hash) const;

  // ceremony_header.cpp
  // `void_cert`: the id of a certificate that gave up the branch before, known to be one.
  HeaderVerdict judge_header(const CeremonyHeader& header, const CertificateId& void_cert) const;
  bool may_open(const CeremonyHeader& header, const Turn& turn) const;
  bool may_join(const CeremonyHeader& header, const Turn& turn) const;
  void open(Turn& turn);
  void initiate(Turn& turn);
  void approve(std::uint64_t not_after, Turn& turn);
  // Approvals that open the slot at this node.
  std::uint16_t approvals_needed() const {
    return emergencies.is_ordered() ? slot.deciding().q_em() : slot.deciding().q();
  }

  // ceremony_emergency.cpp
  Result<void> order_emergency(Turn& turn);
  Result<void> sign_emergency(const TranscriptHash& transcript, Turn& turn);
  EmergencyState emergency_state() const;
  bool is_joinable_here(const CeremonyHeader& header) const;
  Taken judge_view_zero(const Candidate& candidate, const Envelope& envelope, const Seat& sender, Source source);
  Taken judge_emergency_certificate(const Certificate& certificate, Source source, Turn& turn);
  void aggregate_emergency(Turn& turn);
  void settle_emergency(Turn& turn);
  void restore_emergency(const Records& records, Now now);
  bool has_emergency_candidate() const;
  // Evidence: an EMERGENCY for one T beside a Finalize for another one.
  void compare_with_finalize(Position decider, Turn& turn);

  // ceremony_void.cpp
  Result<void> approve_void(Turn& turn);
  VoidState void_state() const;
  std::uint16_t fate_quorum() const;
  Taken judge_void_approval(const Approval& approval, const Envelope& envelope, const Seat& sender, Source source,
                            Turn& turn);
  Taken judge_void_certificate(const Certificate& certificate, Source source, Turn& turn);
  Taken judge_fate(const Certificate& certificate, Source source, Turn& turn);
  Taken judge_branch_before(const Certificate& certificate, Turn& turn);
  void restore_branch_before(const Records& records);
  // How that branch of this epoch ended, with all that its certificate needs.
  void show_branch(std::uint32_t branch, Turn& turn) const;
  void give_up(const Certificate& certificate, Turn& turn);
  void end_voided(Turn& turn);
  void show_void(Turn& turn) const;
  // Somebody still works on the branch: once per 2 * Delta.
  void tell_void(const Envelope& envelope, Position member, Turn& turn);
  bool restore_void(const Records& records, Turn& turn);
  std::vector<VoidedBranch> branches_of(const CeremonyHeader& header) const;

  // ceremony_end.cpp
  void settle_fate(Turn& turn);
  bool void_is_approved(Turn& turn);
  void retire(Turn& turn);
  void restore_end(const Records& records);

  // ceremony_steps.cpp
  void settle(Turn& turn);
  void step(Turn& turn);
  void raise_attempt(Turn& turn);
  void aggregate(Turn& turn);
  void answer_candidate(const Candidate& candidate, Turn& turn);
  void admit_values(Turn& turn);
  void conclude(Turn& turn);
  void clean(Turn& turn);
  void forget_rounds();
  void repeat(Turn& turn);
  bool is_repeated(const Envelope& envelope) const;
  DealRound* find_round(const Sid& sid);
  const DealRound* aggregated_round(Instant now) const;
  bool has_enough_deals(const DealRound& round, Instant now) const;

  // ceremony_pull.cpp
  void collect_wants(Turn& turn);
  std::optional<Envelope> find_object(const ObjectId& id) const;
  void show_decision(MessageType type, Position member, Phase phase, Turn& turn);

  Phase phase() const;
  // The value is decided; is_decided: and its list and header are here.
  bool has_decision() const {
    return agreement.decided().has_value() || emergencies.certificate() != nullptr || is_decided();
  }
  bool is_decided() const { return activation.is_decided(); }
  void adopt(const EpochRecord& record, Turn& turn);
  bool is_finished() const {
    if (is_erased || voided) return true;
    const bool has_settled = slot.receiver == 0 || activation.is_active() || activation.needs_repair();
    return activation.is_released() && has_settled;
  }
  std::size_t connected() const;
  CeremonyStatus status() const;
  void await_quorum(CeremonyStatus& status) const;
  bool is_there(const NodeId& node) const { return node == slot.self || peers.contains(node); }

  SlotContext slot;
  Outbox outbox;
  AttemptClock attempts;
  PrekeyBook prekeys;
  ApprovalBook approvals;
  CandidateBook candidates;
  Agreement agreement;
  Activation activation;
  FateBook fates;
  Agreement fate;
  EmergencyBook emergencies;
  Repair repair;
  Forwarder forwarder;
  EarlyBook early;
  PullBook pulls;
  RefusalBook refusals;
  bool is_charged = false;  // the input in hand is a message of somebody
  Position author = 0;      // who sent it; strangers to both committees have one account, that of 0
  std::int64_t spent = 0;   // on the message in hand, in units of RefusalBook
  bool is_refuted = false;  // a check of the message in hand failed for good
  std::map<Sid, DealRound> rounds;
  // An attempt, and whether its header is one of an emergency: pads bind sid, so that both may use its prekeys.
  using AttemptName = std::pair<std::uint32_t, bool>;
  static AttemptName attempt_of(const CeremonyHeader& header) { return {header.attempt, header.emergency}; }
  std::map<AttemptName, Sid> joined;
  std::map<AttemptName, std::size_t> headers;  // pushed ones
  std::set<ValueHash> admitted;
  std::set<NodeId> peers;
  std::uint32_t stored_attempt = 0;
  std::optional<VoidedBranch> voided;
  std::map<CertificateId, VoidedBranch> void_certs;  // of the branch before this one
  std::optional<Certificate> emergency_before;
  std::optional<CertificateId> wanted_void;       // named by a header, not held
  std::optional<CertificateId> wanted_emergency;  // named by that one, not held
  std::set<Position> emergency_liars;             // reported
  bool is_ordered = false;
  bool has_news = false;  // something that early messages may have waited for
  bool is_cleaned = false;
  std::optional<std::uint64_t> retires_at;  // Unix seconds: end of the grace period
  bool is_erased = false;
  std::uint64_t repeats = 0;
  Instant repeat_at{};
  Instant seen_at{};  // of the last input
  std::uint64_t seen_unix = 0;
  Instant decided_at{};
  std::optional<Instant> released_at;
  Effects restored;  // what the restoration asks for; given out with the first input
};

}  // namespace kms::dkg
