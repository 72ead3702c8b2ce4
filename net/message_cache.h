// The accepted messages of the last heartbeats: what IHAVE announces and IWANT pulls. Bounded in bytes; the oldest go
// first, each in constant time. Nothing that light peers say or ask makes it forget a message sooner.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "net/outbox.h"
#include "net/peer_class.h"
#include "net/pubsub_message.h"

namespace kms::net {

struct CachedMessage {
  std::shared_ptr<const PubsubMessage> message;
  std::shared_ptr<const Bytes> encoded;
  Instant since;
  std::set<PeerId> known_by;    // they sent it, announced it or wrote it: nothing to tell them
  std::size_t light_known = 0;  // of `known_by`
  std::uint64_t serial = 0;     // given by the cache, in the order of `put`
};

class MessageCache {
 public:
  static constexpr std::size_t kPeerBytes = 128;    // each peer in `known_by`
  static constexpr std::size_t kLightKnownMax = 4;  // of them; paid for with the entry
  // What a message costs beside its bytes, which are held twice: the owned form and its encoding.
  static constexpr std::size_t kEntryBytes = 512 + kLightKnownMax * kPeerBytes;

  // A window ends with each `shift`.
  MessageCache(std::size_t windows, std::size_t bytes_max) : windows_max_(windows), bytes_max_(bytes_max) {}
  // Messages come in the order of their time.
  void put(const MessageId& id, CachedMessage message);
  const CachedMessage* find(const MessageId& id) const;
  // `peer` has it. No effect on a message that is not here, nor for more light peers than kLightKnownMax.
  void note_known(const MessageId& id, const PeerId& peer, PeerClass peer_class);

  // Serials: the oldest message here, the one that comes next, the first one not older than a time, and the first one
  // of the newest windows.
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return begin_ + order_.size(); }
  std::uint64_t since(Instant time) const;
  std::uint64_t since_windows(std::size_t windows) const;

  struct Missed {
    std::map<std::string_view, std::vector<MessageId>> ids;  // by topic
    std::size_t count = 0;                                   // of them
    std::uint64_t begin = 0, end = 0;                        // of the serials looked at
  };
  struct WalkLimits {
    std::size_t ids, looks;  // found; looked at
  };
  // Of `topics`, from a serial on, oldest first: what `peer` is not known to have and `outbox`, which is its queue,
  // does not hold. One walk over the cache, whatever the number of topics.
  Missed missed(const std::set<std::string, std::less<>>& topics, const PeerId& peer, const Outbox& outbox,
                std::uint64_t from, WalkLimits limits) const;
  struct Announced {
    MessageId id;
    std::uint64_t serial;
  };
  // The same of one topic and the newest `windows` windows, until a time. Newest first.
  std::vector<Announced> announceable(std::string_view topic, const PeerId& peer, const Outbox& outbox,
                                      std::size_t windows, Instant until) const;
  // Opens a new window and drops what is older than the last ones.
  void shift();
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return messages_.size(); }

 private:
  using Messages = std::map<MessageId, CachedMessage>;
  struct Place {
    Messages::iterator message;
    std::uint64_t window = 0;
  };
  void bound();
  void drop_oldest();

  std::size_t windows_max_, bytes_max_;
  std::size_t bytes_ = 0;
  Messages messages_;
  std::deque<Place> order_;  // oldest first
  std::uint64_t begin_ = 0, window_ = 0;
};

// How often cached messages were sent to one peer that asked for them: a byte for each message, so that no request
// costs the cache anything.
class Answers {
 public:
  std::size_t of(std::uint64_t serial) const;
  // `oldest`: MessageCache::begin(); what was counted for older ones is forgotten.
  void add(std::uint64_t serial, std::uint64_t oldest);
  std::size_t size() const { return counts_.size(); }

 private:
  std::uint64_t begin_ = 0;
  std::deque<std::uint8_t> counts_;
};

}  // namespace kms::net
