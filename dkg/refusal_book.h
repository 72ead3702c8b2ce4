// What others sent in vain: objects that did not verify are remembered by hash, so that they are checked once, and each
// member's work in vain is counted, so that it cannot keep this node busy (PROTOCOL.md 6). Work that led to something
// costs nobody anything here, and honest members send nothing that fails.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "base/time.h"
#include "dkg/envelope.h"

namespace kms::dkg {

class RefusalBook {
 public:
  static constexpr std::size_t kRefusedMax = 1024;  // the oldest goes
  // One unit is about one signature check, 50 us: a member costs 100 ms at once and half a per cent of a core in time.
  static constexpr std::int64_t kUnitsMax = 2000;
  static constexpr std::int64_t kUnitsPerSecond = 100;

  void refuse(const Envelope& envelope);
  bool has_refused(const Envelope& envelope) const;

  // Whether this member's messages are still looked at.
  bool may_cost(Position member, Instant now);
  // True if this used up what the member had.
  bool charge(Position member, std::int64_t units, Instant now);

 private:
  struct Account {
    std::int64_t units = kUnitsMax;  // below zero by one message's cost at most
    Instant filled_at;
  };
  Account& account(Position member, Instant now);

  std::set<Hash32> refused_;
  std::deque<Hash32> order_;
  std::map<Position, Account> accounts_;
};

}  // namespace kms::dkg
