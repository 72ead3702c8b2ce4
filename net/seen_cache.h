// Which messages were seen lately. 42 to 84 bytes an id: 64 MB or so at the bound of 1 M ids, which only authors with
// valid signatures can reach; then the oldest ids are forgotten before their time.
#pragma once

#include <deque>
#include <vector>

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
  // Open addressing: every message asks every window, and a tree of as many ids costs a cache miss a level. Keys are
  // hashes, so their bytes are the hash; a slow probe costs whoever wants one 2^16 hashes and more a step.
  class Ids {
   public:
    bool contains(const Key& key) const;
    void insert(const Key& key);  // one that is not there
    std::size_t size() const { return size_; }

   private:
    std::size_t slot_of(const Key& key) const;  // its own, or the free one it would take
    void grow();
    std::size_t size_ = 0;
    std::vector<Key> slots_;  // a power of two, at most half of them taken
    std::vector<std::uint8_t> taken_;
  };
  struct Window {
    Instant opened;
    Ids ids;
  };
  static Key key_of(const MessageId& id);

  Duration window_;
  std::size_t ids_max_;
  std::size_t size_ = 0;
  std::deque<Window> windows_;  // oldest first
};

}  // namespace kms::net
