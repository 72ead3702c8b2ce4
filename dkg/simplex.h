// One-shot Simplex (PROTOCOL.md 4.5): deciders V agree on one value hash. The machine knows nothing of what the values
// are: it is told which hashes are externally valid and held (`admit`), and it never signs, stores or sends; `take`
// says what to sign, make durable and publish. Signatures given to it are already verified.
//
// Safe for b <= t - 1 Byzantine members of n (two quorums q = n - f share an honest one), live for b <= f after GST.
//
// Derived here, beyond the protocol's text: a Finalize for view v is by construction sent by members that have left v,
// so Finalize votes are taken from kFinalizeBehind views back; Notarize and Nullify only for current .. current + 2.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "dkg/messages.h"

namespace kms::dkg {

struct SimplexSettings {
  std::uint16_t members = 0;
  std::uint16_t quorum = 0;
  Position self = 0;            // 0: not a decider, follows by votes and certificates only
  std::uint16_t offset = 0;     // leader of view v is member (offset + v) mod members, counted from 0
  Duration view_base{};         // timer(v) = (what is left of the wait for Deals + view_base) * 2^min(v, 20)
  Duration view_max{};          // and at most this
  Duration stretch{};           // what each conviction adds to the running view
  std::uint16_t stretches = 0;  // and how often per view
};

struct OwnVote {
  std::uint32_t view = 0;
  VoteKind kind = VoteKind::notarize;
  ValueHash value;  // zero in a nullify
  bool operator==(const OwnVote&) const = default;
};
struct AgreementVote {
  Position voter = 0;
  OwnVote vote;
  Signature signature;
};

// q signatures for the same OwnVote: kind notarize = Notar(v, h), nullify = Null(v), finalize = FinalCert.
struct AgreementCertificate {
  OwnVote statement;
  std::vector<IndexedSignature> votes;  // strictly increasing by index
};

// Needs Notar(parent_view, value) unless parent_view is 0, and Null of every view between parent_view and view.
struct AgreementProposal {
  std::uint32_t view = 0;
  ValueHash value;
  std::uint32_t parent_view = 0;
  bool operator==(const AgreementProposal&) const = default;
};

// Two votes of one member that contradict each other.
struct AgreementConflict {
  AgreementVote first;
  AgreementVote second;
};

// What the machine asks for since the last `take`.
struct SimplexStep {
  std::vector<OwnVote> votes;                      // sign, store, publish, `add_vote` them
  std::optional<AgreementProposal> proposal;       // the same with `add_proposal`
  std::vector<AgreementCertificate> certificates;  // new here: store and forward
  std::vector<AgreementConflict> conflicts;        // evidence
  std::optional<std::uint32_t> entered;            // the view now current, if it changed
  bool decided = false;                            // once
};

class Simplex {
 public:
  static constexpr std::uint32_t kViewsAhead = 2;
  static constexpr std::uint32_t kFinalizeBehind = 8;
  static constexpr std::size_t kProposalsPerView = 2;
  static constexpr std::size_t kViewsKept = 1024;
  // Every Null since the last Notar is needed to go on: at an hour a view these are seven years.
  static constexpr std::size_t kNullsKept = 65536;
  static constexpr std::uint32_t kNullsRepeated = 32;

  explicit Simplex(const SimplexSettings& settings);

  // After a restart, before `start`: everything that was stored.
  void recall_vote(const OwnVote& vote);
  void recall_proposal(const AgreementProposal& proposal);

  // Enters view 1, or the one after the highest certificate recalled; until then votes and certificates are collected.
  void start(Instant now);
  bool is_started() const { return view_ > 0; }

  // Cheap questions before a signature is checked.
  bool wants_vote(Position voter, const OwnVote& vote) const;
  bool wants_proposal(Position from, std::uint32_t view) const;
  bool wants_certificate(const OwnVote& statement) const;

  void add_vote(const AgreementVote& vote, Instant now);
  void add_proposal(Position from, const AgreementProposal& proposal, Instant now);
  // Quorum, members and signatures are checked by the caller.
  void add_certificate(const AgreementCertificate& certificate, Instant now);
  // `value` is externally valid and held here durably (by the checkpoint that stores the next vote).
  void admit(const ValueHash& value, Instant now);
  // Once admitted it is what this node proposes if nothing binds it.
  void prefer(const ValueHash& value) { preferred_ = value; }
  // Deals are waited for until then; counts into the timer of views entered before.
  void wait_for_deals(Instant until) { deals_until_ = until; }
  void stretch_view();
  // From now on no Finalize for another value; the one vote of a lifetime was given elsewhere (PROTOCOL.md 4.14).
  void bind(const ValueHash& only) { bound_ = only; }
  // Whether this node has ever sent Finalize for another value, and for which.
  std::optional<ValueHash> finalized_other_than(const ValueHash& value) const;
  // Fewer signatures make a certificate from now on; votes held are counted anew.
  void lower_quorum(std::uint16_t quorum, Instant now);
  // Finalize votes of a member that are still held, for evidence.
  std::vector<AgreementVote> finalizes_of(Position voter) const;
  void tick(Instant now);
  std::optional<Instant> wakes_at() const;

  SimplexStep take();

  std::uint32_t view() const { return view_; }
  Position leader(std::uint32_t view) const;
  bool leads() const { return is_started() && leader(view_) == settings_.self; }
  const std::optional<AgreementCertificate>& decision() const { return decision_; }
  // The value a leader must propose again, if a Notar is known.
  std::optional<ValueHash> highest_notarized() const;
  const AgreementCertificate* find(VoteKind kind, std::uint32_t view) const;

  // What keeps a pending proposal (or the own one) from going on: values not admitted, and certificates not held.
  struct Missing {
    std::set<ValueHash> values;
    std::vector<OwnVote> certificates;
  };
  Missing missing() const;
  // What to publish again every 2 * Delta: the own votes of the current view and the last finalize, the own proposal
  // of the current view, and the certificates that bring others here.
  struct Repeat {
    std::vector<OwnVote> votes;
    std::optional<AgreementProposal> proposal;
    std::vector<AgreementCertificate> certificates;
  };
  Repeat repeat() const;

 private:
  struct OwnView {
    std::optional<ValueHash> notarized;
    std::optional<ValueHash> finalized;
    bool nullified = false;
    std::optional<AgreementProposal> proposed;
  };
  using Ballot = std::pair<std::uint32_t, VoteKind>;

  void enter(std::uint32_t view, Instant now);
  void act(Instant now);
  void propose();
  void vote_for_proposal();
  bool is_justified(const AgreementProposal& proposal) const;
  void cast(const OwnVote& vote);
  void hold(const AgreementCertificate& certificate, Instant now);
  void count(const OwnVote& statement, Instant now);
  void note_conflicts(const AgreementVote& vote);
  std::optional<std::uint32_t> first_gap(std::uint32_t after) const;
  void forget();

  SimplexSettings settings_;
  std::uint32_t view_ = 0;
  std::optional<Instant> deadline_;
  std::uint16_t stretched_ = 0;
  Instant deals_until_{};
  std::map<std::uint32_t, OwnView> own_;
  std::map<Ballot, std::map<Position, std::vector<AgreementVote>>> votes_;  // at most two per member
  std::map<std::uint32_t, std::vector<AgreementProposal>> proposals_;
  std::map<std::uint32_t, AgreementCertificate> notars_;
  std::map<std::uint32_t, AgreementCertificate> nulls_;
  std::optional<AgreementCertificate> decision_;
  std::vector<ValueHash> admitted_;
  std::optional<ValueHash> bound_;
  std::optional<ValueHash> preferred_;
  SimplexStep step_;
};

}  // namespace kms::dkg
