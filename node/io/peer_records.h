// The signed peer records of members in the node's store, so that a restarted node knows where they were.
#pragma once

#include "net/peer_book.h"
#include "node/store.h"

namespace kms::node::io {

class PeerRecords {
 public:
  // `store` may be null: then nothing is kept.
  explicit PeerRecords(Store* store) : store_(store) {}

  struct Kept {
    Bytes envelope;  // not verified
    Duration age{};  // since it was last known to be true
  };
  std::vector<Kept> load(Now now) const;

  // Whose record changed. What changed is due five seconds later, so that many changes make one commit; everything is
  // due every six hours, so that the age of records that never change stays true.
  void note(const std::set<net::PeerId>& changed, Now now);
  std::optional<Instant> due_at() const { return due_at_; }
  bool is_due(Now now) const { return due_at_ && *due_at_ <= now.instant; }
  // One commit.
  void save(const net::PeerBook& book, Now now);

 private:
  Store* store_;
  std::set<net::PeerId> changed_;
  std::optional<Instant> due_at_;
};

}  // namespace kms::node::io
