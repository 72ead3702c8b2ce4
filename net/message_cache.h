// The accepted messages of the last heartbeats: what IHAVE announces and IWANT pulls. Bounded in bytes; the oldest go
// first.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "net/pubsub_message.h"

namespace kms::net {

struct CachedMessage {
  std::shared_ptr<const PubsubMessage> message;
  std::shared_ptr<const Bytes> encoded;
  Instant since;
  std::set<PeerId> known_by;                       // they sent it, announced it or wrote it: nothing to tell them
  std::map<PeerId, std::uint32_t> sent_on_demand;  // answers to IWANT
};

class MessageCache {
 public:
  MessageCache(std::size_t windows, std::size_t bytes_max) : windows_max_(windows), bytes_max_(bytes_max) {}
  void put(const MessageId& id, CachedMessage message);
  CachedMessage* find(const MessageId& id);
  // The ids of a topic in the newest `windows` windows that `peer` is not known to have and that are not newer than
  // `until`, newest first.
  std::vector<MessageId> announceable(std::string_view topic, const PeerId& peer, std::size_t windows,
                                      Instant until) const;
  // Opens a new window and drops what is older than the last ones.
  void shift();
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return messages_.size(); }

 private:
  void drop_oldest();

  std::size_t windows_max_, bytes_max_;
  std::size_t bytes_ = 0;
  std::map<MessageId, CachedMessage> messages_;
  std::deque<std::vector<MessageId>> windows_{{}};  // newest first
};

}  // namespace kms::net
