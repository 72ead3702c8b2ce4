// A member's side of form A (PROTOCOL.md 5.2, 5.5): decides whether and when to answer a request that it saw on the
// requests topic, and seals its partial to the entry. Sans-IO; the partial itself is a job that verifies everything.
//
// Bounds: `tasks_max` requests remembered, `jobs_max` partials in work, both shared fairly among the entries
// (shared_room.h); an entry beyond its share gets Refusal(BUSY). A task is forgotten when its entry says Done, when its
// request turns out to be unauthorised, or after kTaskLife. A request that waits for its turn is not verified yet: that
// would cost every member what is meant to cost t of them.
#pragma once

#include <map>
#include <set>

#include "base/time.h"
#include "node/delegation/effects.h"
#include "node/delegation/replay_window.h"
#include "node/delegation/shared_room.h"
#include "node/delegation/turnaround.h"

namespace kms::delegation {

struct ResponderLimits {
  Duration hedge_delay = 50ms;
  std::size_t tasks_max = 8192;
  std::size_t jobs_max = 2048;
};

struct ResponderCounts {
  std::uint64_t requests = 0;
  std::uint64_t answered = 0;
  std::uint64_t hedged = 0;   // of these, after a wait or a Need
  std::uint64_t refused = 0;  // not authorised, unlisted entry, stale, clocks apart
  std::uint64_t busy = 0;
};

class Responder {
 public:
  // `replay` outlives the responder; what it holds unsaved must be durable before any effect leaves the node.
  Responder(CredentialsPtr credentials, ResponderLimits limits, ReplayWindow& replay);

  void members_alive(std::set<dkg::NodeId> alive) { alive_ = std::move(alive); }
  // `from`: the batch's author; the caller has found it on a list of form A entries. It may be a member of the
  // committee before that of `key`, or of the one after it. `allowed`: gateways of the key's chain.
  Effects receive(const dkg::Member& from, DelegateRequest request, std::vector<crypto::Address> allowed,
                  ServingKeyPtr key, Now now);
  Effects receive(const dkg::NodeId& from, const Need& need, Now now);
  Effects receive(const dkg::NodeId& from, const Done& done);
  Effects computed(Job job, Now now);
  Effects tick(Now now);
  std::optional<Instant> wakes_at() const;

  const ResponderCounts& counts() const { return counts_; }

 private:
  struct TaskId {
    dkg::NodeId entry;
    Hash32 rh{};
    auto operator<=>(const TaskId&) const = default;
  };
  struct Task {
    crypto::Point entry_key;
    Position entry = 0;  // in the key's committee; 0: in another
    DelegateRequest request;
    std::vector<crypto::Address> allowed;
    ServingKeyPtr key;
    std::optional<Instant> due;  // none: answered, or waiting for a job
    std::optional<Instant> answered_at;
    std::uint64_t job = 0;    // in work for it, 0: none
    std::uint32_t round = 0;  // of the newest Need
    Instant forget_at;
  };

  template <class PassedOver>
  std::size_t members_ahead(const ServingKey& key, const Hash32& rh, Position entry, PassedOver passed_over) const;
  Effects answer(const TaskId& id, Task& task, Now now);
  Effects refuse(const TaskId& id, const Task& task, RefusalCode code);
  std::optional<RefusalCode> fault(const DelegateRequest& request, const dkg::NodeId& from, const ServingKey& key,
                                   Now now) const;
  using Tasks = std::map<TaskId, Task>;
  Tasks::iterator forget(Tasks::iterator task);

  CredentialsPtr credentials_;
  ResponderLimits limits_;
  ReplayWindow& replay_;
  std::set<dkg::NodeId> alive_;
  std::uint64_t next_job_ = 1;
  std::map<std::uint64_t, std::pair<TaskId, Instant>> jobs_;  // since when
  Turnaround turnaround_;
  SharedRoom jobs_room_;
  Tasks tasks_;
  SharedRoom tasks_room_;
  std::map<ByteArray<33>, std::pair<SealingSecretPtr, Instant>> sealings_;  // by reply key
  ResponderCounts counts_;
};

}  // namespace kms::delegation
