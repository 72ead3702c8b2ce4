// The entry's side of form A (PROTOCOL.md 5.2, 5.5): admits requests, asks the committee, opens and verifies sealed
// partials until t are good, answers. Sans-IO; expensive steps are jobs.
//
// Bounds: `pending_max` requests at a time, beyond them Overloaded; per request one sealed partial a member. Every
// request ends with a reply within `timeout` of its own admission, also one that joined an identical one before it.
#pragma once

#include <map>
#include <set>

#include "base/time.h"
#include "node/delegation/caution.h"
#include "node/delegation/effects.h"
#include "node/delegation/pending_limit.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/turnaround.h"

namespace kms::delegation {

struct CollectorLimits {
  Duration timeout = 2s;
  Duration hedge_delay = 50ms;
  std::size_t pending_max = 1024;  // and no more than are answered in half the timeout (pending_limit.h)
};

struct CollectorCounts {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;      // not authorised or malformed
  std::uint64_t unavailable = 0;  // too few partials in time
  std::uint64_t overloaded = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t bad_partials = 0;
  std::uint64_t needs_sent = 0;
};

class Collector {
 public:
  // `replay` outlives the collector; what it holds unsaved must be durable before any effect leaves the node.
  Collector(CredentialsPtr credentials, CollectorLimits limits, ReplayWindow& replay, Entropy& entropy);

  // Members other than this node that can answer now.
  void members_alive(std::set<dkg::NodeId> alive) { alive_ = std::move(alive); }
  // What to answer now to any request, before the work of reading it, if too many are pending.
  std::optional<Overloaded> refusal(Now now);
  // `allowed`: the chain's gateways. `salt`: of v0. A v1 authorisation is of form A, names this node, and its deadline
  // was checked.
  Effects start(Ticket ticket, Authorisation authorisation, const Hash32& salt, std::vector<crypto::Address> allowed,
                ServingKeyPtr key, Now now);
  // `from`: the batch's author; it must be the member at the message's index.
  Effects receive(const dkg::NodeId& from, const SealedA& sealed, Now now);
  Effects receive(const dkg::NodeId& from, const Refusal& refusal, Now now);
  // Admit, Open and Finish jobs, in any order.
  Effects computed(Job job, Now now);
  Effects tick(Now now);
  std::optional<Instant> wakes_at() const;

  std::size_t pending() const { return pending_; }
  const CollectorCounts& counts() const { return counts_; }

 private:
  struct Waiter {
    Ticket ticket = 0;
    AnswerTerms terms;
    Instant deadline;
  };
  // One rh being collected.
  struct Collection {
    crypto::Point ephemeral;
    ServingKeyPtr key;
    ReplyKeyPtr reply_key;
    std::vector<Waiter> waiters;                // without those whose FinishJob runs
    std::map<Position, Partial> good;           // verified, and the own one
    std::map<Position, std::uint64_t> opening;  // jobs in flight
    std::map<Position, SealedA> spare;          // arrived, not needed so far
    std::set<Position> bad;
    std::set<Position> heard;  // every index that sent something
    std::uint32_t round = 0;   // of Needs
    Instant ask_until;         // then the members are asked anew, if anybody still waits
    Instant need_at;
    // Of the newest waiter, which counts from the next `ask` on: it may name another reply key, and another epoch.
    DelegateRequest request;
    ReplyKeyPtr request_key;
    ServingKeyPtr next_key;
    std::optional<Partial> next_own;
    std::shared_ptr<const Quorum> complete;  // set once t are good
    std::size_t finishing = 0;               // FinishJobs in flight
    std::size_t wanted() const;
  };

  Effects admitted(std::uint64_t job_id, AdmitJob job, Now now);
  Effects opened(std::uint64_t job_id, OpenJob job, Now now);
  Effects finished(std::uint64_t job_id, FinishJob job);
  void open_spares(Collection& collection, Effects& effects);
  void finish_if_complete(const Hash32& rh, Collection& collection, Effects& effects);
  void start_finish(const Hash32& rh, Collection& collection, Effects& effects);
  DelegateRequest request_of(const AdmitJob& job, const Entry& entry, Now now) const;
  void ask(Collection& collection, Effects& effects, Now now);
  void need_more(const Hash32& rh, Collection& collection, Effects& effects, Now now);
  // Answers those whose time is over.
  void give_up(Collection& collection, Effects& effects, Now now);
  void reply(Effects& effects, Ticket ticket, Outcome outcome, const std::optional<Hash32>& rh = {});
  const ReplyKeyPtr& reply_key(Now now);
  void forget_reply_key();
  static Instant first_deadline(const Collection& collection);
  std::size_t usable_members_alive(const ServingKey& key) const;

  CredentialsPtr credentials_;
  CollectorLimits limits_;
  ReplayWindow& replay_;
  Entropy& entropy_;
  std::set<dkg::NodeId> alive_;
  std::uint64_t next_job_ = 1;
  std::size_t pending_ = 0;
  PendingLimit pending_limit_;
  std::map<std::uint64_t, std::pair<Ticket, Instant>> admitting_;  // by job; since when
  std::map<std::uint64_t, std::pair<Hash32, Ticket>> finishing_;   // by job
  std::map<Hash32, Collection> collections_;                       // by rh
  std::map<ByteArray<33>, OpeningSecretPtr> openings_;             // by U, of the current reply keys
  ReplyKeyPtr reply_key_;
  Instant reply_key_until_{};
  crypto::LagrangeCache weights_;
  Turnaround turnaround_;  // of AdmitJobs
  Caution caution_;
  CollectorCounts counts_;
};

}  // namespace kms::delegation
