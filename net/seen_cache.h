// Which messages were seen lately. About 64 bytes an id: 64 MB at the bound of 1 M ids, which only authors with valid
// signatures can reach; then the oldest ids are forgotten before their time.
#pragma once

#include <deque>
#include <set>

#include "net/pubsub_message.h"

namespace kms::net {

class SeenCache {
 public:
  SeenCache(Duration ttl, std::size_t ids_max) : window_(ttl / kWindows), ids_max_(ids_max) {}
  bool contains(const MessageId& id) const;
  // False if it was there already.
  bool insert(const MessageId& id, Instant now);
  void expire(Instant now);
  std::size_t size() const { return size_; }

 private:
  static constexpr int kWindows = 8;  // an id lives for the TTL and up to an eighth more
  using Key = ByteArray<20>;
  struct Window {
    Instant opened;
    std::set<Key> ids;
  };
  static Key key_of(const MessageId& id);

  Duration window_;
  std::size_t ids_max_;
  std::size_t size_ = 0;
  std::deque<Window> windows_;  // oldest first
};

}  // namespace kms::net
