// What both sides of one session collect: the request and the deltas, each judged once.
#pragma once

#include <map>
#include <set>

#include "dkg/repair_parts.h"
#include "dkg/turn.h"

namespace kms::dkg {

constexpr Duration kRepairLife = 5min;      // of a request: until its expiry
constexpr Duration kRepairLifeMax = 10min;  // that a giver accepts
constexpr Duration kRepairDay = 24h;        // the period that sessions of one index are counted in
constexpr Duration kRepairHour = 1h;        // the same for a member that had a share, where no ticket is needed

// 2f + 2 sessions of one index and day (PROTOCOL.md 4.8).
inline std::size_t repair_sessions_max(const Threshold& threshold) {
  return 2u * threshold.f() + 2u;
}

class RepairSession {
 public:
  struct Held {
    RepairDelta delta;
    Envelope envelope;
    DeltaHash hash;
  };
  RepairSession(RepairTerms terms, Envelope request) : terms_(std::move(terms)), request_(std::move(request)) {}

  const RepairTerms& terms() const { return terms_; }
  const Envelope& request() const { return request_; }
  enum class Verdict { taken, ignored, bad, conflict };
  // The signature is checked. `bad` and `conflict` name the sender and are reported. On a conflict the delta that is
  // held is shown: others may hold the one that came now, and would doubt an honest giver's sum.
  Verdict add(Position sender, const RepairDelta& delta, const Envelope& envelope, const std::vector<KeyTable>& tables,
              Turn& turn);
  const Held* find(Position giver) const;
  // Again, to whoever asks again.
  void show_conflicts(Turn& turn) const;
  bool is_complete() const { return deltas_.size() == terms_.request.givers.size(); }
  // The session is over; only that it was counts still.
  void drop_deltas() { deltas_.clear(); }
  // Complete: in the request's order.
  std::vector<const RepairDelta*> in_order() const;
  std::vector<DeltaHash> hashes() const;
  // Request, deltas and `more`, for a blame.
  Bytes evidence(std::vector<const Envelope*> more) const;

 private:
  RepairTerms terms_;
  Envelope request_;
  std::map<Position, Held> deltas_;
  std::set<Position> bad_;
};

}  // namespace kms::dkg
