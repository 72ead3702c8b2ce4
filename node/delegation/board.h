// Forms B and C at one node (PROTOCOL.md 5.3 to 5.5): requests and partials that everybody may see. One record for each
// request serves all three sides: the node that a client asked, the member that owes a partial, and the node that keeps
// the result for whoever asks later. Sans-IO; curve and RSA operations are jobs.
//
// What others say under an rh is one candidate an author until one of them is verified here: a made-up request costs
// its author that candidate and nobody else anything.
//
// Bounds: `records_max` records and `bytes_max` bytes. Half of both is for what clients of this node asked, the rest is
// shared fairly among those who brought it; at the bound whoever holds the most loses what it left idle longest. A
// record that a client, a job or an answer to come needs is idle for nobody; only clients of this node may push out
// answers to come, those of the member that holds the most. Who finds no place is refused (Overloaded, BUSY).
// `pending_max` clients wait at a time, beyond them Overloaded. `jobs_max` partials in work for others, shared fairly.
// Whoever waits gets an answer within `timeout`.
#pragma once

#include <deque>
#include <list>
#include <set>

#include "base/time.h"
#include "node/delegation/caution.h"
#include "node/delegation/effects.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/shared_room.h"
#include "node/delegation/turnaround.h"

namespace kms::delegation {

struct BoardLimits {
  Duration timeout = 2s;
  Duration hedge_delay = 50ms;
  std::size_t pending_max = 1024;
  std::size_t records_max = 16'384;
  std::size_t bytes_max = std::size_t{64} << 20;
  std::size_t jobs_max = 2048;
};

struct BoardCounts {
  std::uint64_t asked = 0;  // by clients
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t unavailable = 0;
  std::uint64_t overloaded = 0;
  std::uint64_t bad_partials = 0;
  std::uint64_t needs_sent = 0;
  std::uint64_t seen = 0;  // requests of other nodes
  std::uint64_t partials_sent = 0;
  std::uint64_t hedged = 0;            // of these, after a wait or a Need
  std::uint64_t requests_refused = 0;  // of other nodes
  std::uint64_t busy = 0;
  std::uint64_t evicted = 0;
};

// A partial of form B or C that a member sent and that fails: what was sent, and why it is no good. Of form C anybody
// can check it with S_i; that it is the member's stands by the batch that carried it, which is not kept.
struct BadPartial {
  PublicPartial partial;
  dkg::NodeId node;
  std::string fault;
  std::int64_t at_ms = 0;  // Unix time
};

class Board {
 public:
  static constexpr std::size_t kBadPartialsKept = 8;  // of each member, the newest

  // `replay` outlives the board; what it holds unsaved must be durable before any effect leaves the node.
  Board(CredentialsPtr credentials, BoardLimits limits, ReplayWindow& replay);

  void members_alive(std::set<dkg::NodeId> alive) { alive_ = std::move(alive); }
  // What serves the key from now on, and who may ask for it. A request that waits for an older epoch is asked once for
  // this one if a member says STALE, or after half of its time.
  void serve_with(ServingKeyPtr key, std::vector<crypto::Address> allowed);
  // A client's request in form B or C; the deadline was checked.
  Effects start(Ticket ticket, V1Authorisation authorisation, std::vector<crypto::Address> allowed, ServingKeyPtr key,
                Now now);
  // Whether `look` can be asked for it.
  bool knows(const Hash32& rh) const;
  // Of a request that is known here: how many members its committee has.
  std::size_t members_of(const Hash32& rh) const { return records_.at(rh).key->members.size(); }
  // The result of a request that is known here. `first` waits for what is here or comes by itself: it makes no partial,
  // spends no quota and asks nobody. `more`: a client that has had one asks for another without partials of members in
  // `bad`, whom others who wait may still use; at most once per hedge delay.
  enum class Look : std::uint8_t { first, more };
  Effects look(Ticket ticket, const Hash32& rh, std::set<Position> bad, Look look, Now now);

  // `from`: the batch's author. `key`: what answers for the epoch that the message names; `allowed`: its gateways.
  Effects receive(const dkg::Member& from, PublicRequest request, std::vector<crypto::Address> allowed,
                  ServingKeyPtr key, Now now);
  Effects receive(const dkg::NodeId& from, PublicPartial partial, ServingKeyPtr key, Now now);
  Effects receive(const dkg::NodeId& from, const Need& need, Now now);
  Effects receive(const dkg::NodeId& from, const Done& done);
  Effects receive(const dkg::NodeId& from, const Refusal& refusal, Now now);
  // PartialJob, VerifyJob and CombineJob, in any order.
  Effects computed(Job job, Now now);
  Effects tick(Now now);
  std::optional<Instant> wakes_at() const;

  std::size_t pending() const { return pending_; }
  std::size_t size() const { return records_.size(); }
  const BoardCounts& counts() const { return counts_; }
  // By member; in memory only.
  const std::map<dkg::NodeId, std::deque<BadPartial>>& bad_partials() const { return bad_partials_; }

 private:
  static constexpr Duration kOrphanLife = 10s;  // of partials without a request

  enum class Wants : std::uint8_t { partials, what_comes };  // whether the members are asked for its sake
  struct Waiter {
    Ticket ticket = 0;
    Instant deadline;
    std::set<Position> bad;  // partials that this client does not want
    Wants wants = Wants::partials;
  };
  enum class State : std::uint8_t { unchecked, checking, good, bad };
  struct Held {
    PublicPartial partial;
    State state = State::unchecked;
  };
  struct Candidate {
    V1Authorisation authorisation;
    std::vector<crypto::Address> allowed;
  };
  // A node that asks for partials of one rh.
  struct Asker {
    ServingKeyPtr key;   // of the epoch that it names
    Position place = 0;  // in that committee, 0: in none
    std::uint32_t spare = 0;
    std::vector<crypto::Address> allowed = {};
    std::optional<V1Authorisation> says = {};  // none once a request of this rh is verified
    std::optional<Instant> due = {};           // this member's turn to answer it
    Instant late = {};
    bool is_owed = false;            // its turn has come
    std::uint32_t round = 0;         // of its newest Need
    std::set<Position> named_bad{};  // by its Needs
  };
  using Askers = std::map<dkg::NodeId, Asker>;
  // Why a record cannot go: `pressing` ones are needed by a client or a job, `owed` ones by an answer to come.
  enum class Use : std::uint8_t { idle, owed, pressing };
  struct Record {
    dkg::NodeId holder;  // whose place it takes
    Use use = Use::pressing;
    std::list<Hash32>::iterator age = {};  // unless pressing
    ServingKeyPtr key;                     // without `terms` a guess
    Instant forget_at;
    Instant wake;  // as in timers_
    // Once this node has verified the request:
    std::optional<Candidate> request = {};
    PublicTermsPtr terms = nullptr;
    std::map<Position, Held> partials = {};
    std::size_t bytes = 0;
    std::size_t jobs = 0;  // in work for it
    // The member's side.
    Askers askers = {};
    bool is_making = false;  // a request is being verified, or the own partial made
    std::optional<Instant> answered_at = {};
    // The asking side.
    std::vector<Waiter> waiters = {};
    bool has_asked = false;
    std::uint32_t round = 0;
    Instant need_at = {};
    std::set<Position> refused = {};
    std::optional<Instant> more_at = {};
    std::uint32_t moved_to = 0;        // the newest epoch that it was tried for
    PublicResultPtr result = nullptr;  // the newest
  };
  using Records = std::map<Hash32, Record>;

  // board_places.cpp: which records are kept.
  struct Share {
    std::list<Hash32> idle, owed;  // longest so first
    std::size_t records = 0;
    std::size_t bytes = 0;
  };
  using Shares = std::map<dkg::NodeId, Share>;
  Record* place(const Hash32& rh, const dkg::NodeId& holder, ServingKeyPtr key, Instant forget_at);
  bool make_room(const dkg::NodeId& holder);
  bool evict_one(Use at_most, std::size_t Share::*held, std::size_t own, std::size_t max);
  bool give_place(Record& record, const dkg::NodeId& holder);
  void leave_list(Record& record);
  void charge(Record& record, std::size_t bytes);
  void uncharge(Record& record, std::size_t bytes);
  void shrink();
  void forget(Records::iterator record);
  void drop(Records::iterator record);  // as soon as no job needs it
  static Use use_of(const Record& record);
  // After every change of a record: its timer and its place among those that may go.
  void settle(const Hash32& rh, Record& record);

  // board.cpp: what is known of a request, and time.
  bool adopt(Record& record, const Candidate& request, ServingKeyPtr key, PublicTermsPtr terms);
  void renew(Record& record, ServingKeyPtr key);
  void hold(Record& record, PublicPartial partial, State state);
  static bool wants_partials(const Record& record);
  void remember_candidate(Record& record, Asker& asker, V1Authorisation says);
  void forget_candidate(Record& record, Asker& asker);
  void tick_record(const Hash32& rh, Record& record, Effects& effects, Now now);
  Duration patience() const { return turnaround_.patience(limits_.hedge_delay); }

  // board_answer.cpp: the member's side.
  void rank(const Hash32& rh, Record& record, Askers::iterator asker, Effects& effects, Now now);
  void answer(const Hash32& rh, Record& record, Askers::iterator asker, Effects& effects, Now now);
  void answer_owed(const Hash32& rh, Record& record, Effects& effects, Now now);
  static Askers::iterator next_candidate(Record& record, Askers::iterator preferred);
  Asker* find_room_for(Record& record, const dkg::NodeId& node, const ServingKeyPtr& key);
  void check(const Hash32& rh, Record& record, Effects& effects, Now now);
  struct Work {
    Candidate request;
    ServingKeyPtr key;
    dkg::NodeId author;        // whose word it is
    dkg::NodeId charged = {};  // whose place in making_room_ it takes, taken already; zeros: nobody's
    PartialJob::Own own = PartialJob::Own::make;
  };
  void work_on(const Hash32& rh, Record& record, Work work, Effects& effects, Now now);
  void publish_own(Record& record, Effects& effects, Now now);
  void refuse(const Hash32& rh, Position self, RefusalCode code, Effects& effects);
  Effects made(std::uint64_t job_id, PartialJob job, Now now);
  void proved_false(Records::iterator record, const dkg::NodeId& author, const PartialJob& job, Effects& effects,
                    Now now);
  void take_partial(const Hash32& rh, Record& record, PartialJob job, Effects& effects, Now now);
  template <class PassedOver>
  std::size_t members_ahead(const Asker& asker, const Hash32& rh, PassedOver passed_over) const;
  bool is_recent(const Record& record, Now now) const;

  // board_collect.cpp: the asking side.
  Effects admitted(Ticket ticket, PartialJob job, Now now);
  void begin(const Hash32& rh, Record& record, Effects& effects, Now now);
  void ask(const Hash32& rh, Record& record, Effects& effects, Now now);
  void serve(const Hash32& rh, Record& record, Effects& effects);
  bool serve_one(const Hash32& rh, Record& record, const Waiter& waiter, Effects& effects);
  void need_more(const Hash32& rh, Record& record, Effects& effects, Now now);
  void give_up(const Hash32& rh, Record& record, Effects& effects, Now now);
  void move_on(const Hash32& rh, Record& record, Effects& effects, Now now);
  bool is_half_over(const Record& record, Now now) const;
  Effects verified(VerifyJob job, Now now);
  Effects combined(std::uint64_t job_id, CombineJob job);
  void reply(Effects& effects, Ticket ticket, Outcome outcome, const std::optional<Hash32>& rh);
  void answer_all(const Hash32& rh, Record& record, const Outcome& outcome, Effects& effects);
  std::size_t usable_members_alive(const ServingKey& key) const;

  CredentialsPtr credentials_;
  BoardLimits limits_;
  ReplayWindow& replay_;
  std::set<dkg::NodeId> alive_;
  struct Newest {
    ServingKeyPtr key;
    std::vector<crypto::Address> allowed;
  };
  std::map<dkg::KeyId, Newest> newest_;
  Records records_;
  SharedRoom places_;
  Shares shares_;  // by holder, none without a record
  std::set<std::pair<Instant, Hash32>> timers_;
  std::size_t bytes_ = 0;
  std::uint64_t next_job_ = 1;
  std::map<std::uint64_t, std::pair<Ticket, Instant>> admitting_;  // by job; since when
  struct Making {
    Hash32 rh{};
    dkg::NodeId author;   // whose candidate it is
    dkg::NodeId charged;  // whose place in making_room_ it takes; zeros: nobody's
    Instant since;
  };
  std::map<std::uint64_t, Making> making_;  // by job
  SharedRoom making_room_;
  std::map<std::uint64_t, std::tuple<Hash32, ServingKeyPtr, Waiter>> combining_;  // by job
  crypto::LagrangeCache weights_;
  std::size_t pending_ = 0;
  Turnaround turnaround_;  // of PartialJobs
  Caution caution_;
  std::map<dkg::NodeId, std::deque<BadPartial>> bad_partials_;
  BoardCounts counts_;
};

}  // namespace kms::delegation
