// The accepted messages of the last heartbeats: what IHAVE announces and IWANT pulls. Bounded in bytes; the oldest go
// first, each in constant time.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "net/outbox.h"
#include "net/pubsub_message.h"

namespace kms::net {

struct CachedMessage {
  std::shared_ptr<const PubsubMessage> message;
  std::shared_ptr<const Bytes> encoded;
  Instant since;
  std::set<PeerId> known_by;                     // they sent it, announced it or wrote it: nothing to tell them
  std::map<PeerId, std::size_t> sent_on_demand;  // answers to IWANT
};

class MessageCache {
 public:
  // What a message costs beside its bytes, which are held twice: the owned form and its encoding.
  static constexpr std::size_t kEntryBytes = 512;
  static constexpr std::size_t kPeerBytes = 128;  // and each peer in its sets

  // A window ends with each `shift`.
  MessageCache(std::size_t windows, std::size_t bytes_max) : windows_max_(windows), bytes_max_(bytes_max) {}
  void put(const MessageId& id, CachedMessage message);
  const CachedMessage* find(const MessageId& id) const;
  // `peer` has it. No effect on a message that is not here.
  void note_known(const MessageId& id, const PeerId& peer);
  // Whether `peer` may have it once more: not more than `most` times. Counts this one.
  bool take_answer(const MessageId& id, const PeerId& peer, std::size_t most);
  struct Announced {
    MessageId id;
    Instant since;
  };
  // Of a topic, from `from` to `until`: what `peer` is not known to have and `outbox`, which is its queue, does not
  // hold. Newest first.
  std::vector<Announced> announceable(std::string_view topic, const PeerId& peer, const Outbox& outbox, Instant from,
                                      Instant until) const;
  // The same of the newest `windows` windows.
  std::vector<Announced> announceable(std::string_view topic, const PeerId& peer, const Outbox& outbox,
                                      std::size_t windows, Instant until) const;
  // Opens a new window and drops what is older than the last ones.
  void shift();
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return messages_.size(); }

 private:
  struct Place {
    MessageId id;
    std::uint64_t window = 0;
  };
  void bound();
  void drop_oldest();

  std::size_t windows_max_, bytes_max_;
  std::size_t bytes_ = 0;
  std::map<MessageId, CachedMessage> messages_;
  std::deque<Place> order_;  // oldest first
  std::uint64_t window_ = 0;
};

}  // namespace kms::net
