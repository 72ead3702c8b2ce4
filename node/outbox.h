// Items for gossip between two flushes, batched by topic (PROTOCOL.md 5.6): at most 64 items or 256 KiB a batch.
#pragma once

#include <deque>
#include <map>

#include "dkg/envelope.h"
#include "node/node_core.h"

namespace kms::node {

class Outbox {
 public:
  explicit Outbox(std::size_t items_max) : items_max_(items_max) {}

  // `entry` only with Topic::partials. False when the outbox is full: the item is dropped and counted; what matters is
  // sent again by the machines' own timers.
  bool add(Topic topic, const dkg::NodeId& entry, dkg::Envelope envelope);
  bool is_empty() const { return items_ == 0; }
  std::uint64_t dropped() const { return dropped_; }
  // Everything collected, as batches in the order of the topics and of the items.
  std::vector<Publish> flush();

 private:
  using Destination = std::pair<Topic, dkg::NodeId>;
  std::size_t items_max_;
  std::size_t items_ = 0;
  std::uint64_t dropped_ = 0;
  std::map<Destination, std::vector<dkg::Envelope>> waiting_;
};

}  // namespace kms::node
