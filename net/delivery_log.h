// Who brought which message, and what became of it: later copies count for or against their senders by it (P3, P4).
// Bounded: the oldest records are forgotten first.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "net/pubsub_message.h"

namespace kms::net {

class DeliveryLog {
 public:
  enum class Outcome : std::uint8_t { valid, ignored, invalid };

  DeliveryLog(Duration ttl, std::size_t records_max) : ttl_(ttl), records_max_(records_max) {}
  void put(const MessageId& id, Outcome outcome, std::set<PeerId> senders, Instant now);
  // Of a further copy by `peer`, once per peer: what was decided, and how long ago.
  struct Copy {
    Outcome outcome;
    Duration age;
  };
  std::optional<Copy> copy(const MessageId& id, const PeerId& peer, Instant now);
  void expire(Instant now);
  std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    Outcome outcome;
    Instant decided_at;
    std::set<PeerId> senders;
  };
  void drop_oldest();

  Duration ttl_;
  std::size_t records_max_;
  std::map<MessageId, Record> records_;
  std::deque<MessageId> order_;  // oldest first
};

}  // namespace kms::net
