// Forms B and C at one node (PROTOCOL.md 5.3 to 5.5): requests and partials that everybody may see. One record for each
// request serves all three sides: the node that a client asked, the member that owes a partial, and the node that keeps
// the result for whoever asks later. Sans-IO; curve and RSA operations are jobs.
//
// Bounds: `records_max` records and `bytes_max` bytes of partials, shared fairly among those who brought them; beyond
// that the oldest that nobody waits for goes. `pending_max` clients wait at a time, beyond them Overloaded. `jobs_max`
// partials in work for others, shared fairly. Whoever waits gets an answer within `timeout`.
#pragma once

#include <list>
#include <set>

#include "base/time.h"
#include "node/delegation/effects.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/shared_room.h"

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

class Board {
 public:
  // `replay` outlives the board; what it holds unsaved must be durable before any effect leaves the node.
  Board(CredentialsPtr credentials, BoardLimits limits, ReplayWindow& replay);

  void members_alive(std::set<dkg::NodeId> alive) { alive_ = std::move(alive); }
  // A client's request in form B or C; the deadline was checked.
  Effects start(Ticket ticket, V1Authorisation authorisation, std::vector<crypto::Address> allowed, ServingKeyPtr key,
                Now now);
  // Whether `look` can be asked for it.
  bool knows(const Hash32& rh) const;
  // The result of a request that is known here, without partials of members in `bad`. `more`: a client that has had one
  // asks for another, at most once per hedge delay.
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

 private:
  struct Waiter {
    Ticket ticket = 0;
    Instant deadline;
    std::set<Position> bad;  // partials that this client does not want
  };
  enum class State : std::uint8_t { unchecked, checking, good, bad };
  struct Held {
    PublicPartial partial;
    State state = State::unchecked;
  };
  struct Record {
    dkg::NodeId holder;  // whose place it takes
    std::list<Hash32>::iterator age;
    ServingKeyPtr key;
    Instant forget_at;
    Instant wake;  // as in timers_
    std::optional<PublicRequest> request = {};
    std::vector<crypto::Address> allowed = {};
    PublicTermsPtr terms = nullptr;  // once this node has verified the request
    std::map<Position, Held> partials = {};
    std::size_t bytes = 0;
    std::size_t jobs = 0;  // in work for it
    // The member's side.
    dkg::NodeId asker = {};
    Position asker_place = 0;
    bool is_making = false;  // the own partial is in work
    bool owes = false;       // and is to be published
    std::optional<Instant> due = {};
    Instant late = {};
    std::optional<Instant> answered_at = {};
    std::map<dkg::NodeId, std::uint32_t> rounds = {};  // of the newest Need of each node
    std::set<Position> named_bad = {};                 // by some Need
    // The asking side.
    std::vector<Waiter> waiters = {};
    bool has_asked = false;
    std::uint32_t round = 0;
    Instant need_at = {};
    std::set<Position> refused = {};
    std::optional<Instant> more_at = {};
    PublicResultPtr result = nullptr;  // the newest
  };
  using Records = std::map<Hash32, Record>;

  // board.cpp: places and time.
  Record* place(const Hash32& rh, const dkg::NodeId& holder, ServingKeyPtr key, Instant forget_at);
  bool evict_oldest(const dkg::NodeId& holder);
  void shrink();
  static bool is_busy(const Record& record);
  void forget(Records::iterator record);
  void drop(Records::iterator record);  // as soon as no job needs it
  void renew(Record& record, ServingKeyPtr key);
  void hold(Record& record, PublicPartial partial, State state);
  void set_wake(const Hash32& rh, Record& record);
  void tick_record(const Hash32& rh, Record& record, Effects& effects, Now now);

  // board_answer.cpp: the member's side.
  void rank(const Hash32& rh, Record& record, Effects& effects, Now now);
  void answer(const Hash32& rh, Record& record, Effects& effects, Now now);
  void make_partial(const Hash32& rh, Record& record, Effects& effects);
  void publish_own(Record& record, Effects& effects, Now now);
  void refuse(const Hash32& rh, Position self, RefusalCode code, Effects& effects);
  Effects made(std::uint64_t job_id, PartialJob job, Now now);
  template <class PassedOver>
  std::size_t members_ahead(const Record& record, const Hash32& rh, PassedOver passed_over) const;
  bool is_recent(const Record& record, Now now) const;

  // board_collect.cpp: the asking side.
  Effects admitted(Ticket ticket, PartialJob job, Now now);
  void begin(const Hash32& rh, Record& record, Effects& effects, Now now);
  void ask(const Hash32& rh, Record& record, Effects& effects, Now now);
  void serve(const Hash32& rh, Record& record, Effects& effects);
  bool serve_one(const Hash32& rh, Record& record, const Waiter& waiter, Effects& effects);
  void need_more(const Hash32& rh, Record& record, Effects& effects, Now now);
  void give_up(const Hash32& rh, Record& record, Effects& effects, Now now);
  Effects verified(VerifyJob job, Now now);
  Effects combined(std::uint64_t job_id, CombineJob job);
  void reply(Effects& effects, Ticket ticket, Outcome outcome, const std::optional<Hash32>& rh);
  void answer_all(const Hash32& rh, Record& record, const Outcome& outcome, Effects& effects);
  std::size_t usable_members_alive(const ServingKey& key) const;

  CredentialsPtr credentials_;
  BoardLimits limits_;
  ReplayWindow& replay_;
  std::set<dkg::NodeId> alive_;
  Records records_;
  SharedRoom places_;
  std::map<dkg::NodeId, std::list<Hash32>> ages_;  // of each holder's records, oldest first
  std::set<std::pair<Instant, Hash32>> timers_;
  std::size_t bytes_ = 0;
  std::uint64_t next_job_ = 1;
  std::map<std::uint64_t, Ticket> admitting_;                       // by job
  std::map<std::uint64_t, std::pair<Hash32, dkg::NodeId>> making_;  // own partials for others, by job
  SharedRoom making_room_;
  std::map<std::uint64_t, std::tuple<Hash32, ServingKeyPtr, Waiter>> combining_;  // by job
  crypto::LagrangeCache weights_;
  std::size_t pending_ = 0;
  std::optional<Instant> last_fault_;
  BoardCounts counts_;
};

}  // namespace kms::delegation
