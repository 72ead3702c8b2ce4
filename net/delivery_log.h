// Who brought which message, and what became of it: later copies count for or against their senders by it (P3, P4).
// Bounded in records, in senders of one record and in senders of all, whatever identities peers take on: the oldest
// records are forgotten first.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "net/pubsub_message.h"

namespace kms::net {

class DeliveryLog {
 public:
  enum class Outcome : std::uint8_t { valid, ignored, invalid };
  static constexpr std::size_t kSendersMax = 64;          // of one record
  static constexpr std::size_t kSendersPerRecordMax = 8;  // on average

  DeliveryLog(Duration ttl, std::size_t records_max) : ttl_(ttl), records_max_(records_max) {}
  void put(const MessageId& id, Outcome outcome, std::set<PeerId> senders, Instant now);
  // Of a further copy by `peer`: what was decided, and how long ago. Once per peer, for a valid message only up to
  // `window` after the decision; an invalid one that kSendersMax peers have sent counts each time from then on.
  struct Copy {
    Outcome outcome;
    Duration age;
  };
  std::optional<Copy> copy(const MessageId& id, const PeerId& peer, Duration window, Instant now);
  void expire(Instant now);
  std::size_t size() const { return records_.size(); }
  std::size_t senders() const { return senders_; }  // of all records

 private:
  struct Record {
    Outcome outcome;
    Instant decided_at;
    std::set<PeerId> senders;
  };
  void bound();
  void drop_oldest();

  Duration ttl_;
  std::size_t records_max_;
  std::size_t senders_ = 0;
  std::map<MessageId, Record> records_;
  std::deque<MessageId> order_;  // oldest first
};

}  // namespace kms::net
