// Items for gossip, batched by topic so that many share one signature (PROTOCOL.md 5.6): a batch closes at 64 items or
// 256 KiB, whatever comes first, and at the latest when the turn of the event loop ends.
#pragma once

#include <map>

#include "dkg/envelope.h"
#include "node/node_core.h"

namespace kms::node {

class Outbox {
 public:
  // Bounds on what waits, closed batches included; what goes beyond them is dropped and counted.
  Outbox(std::size_t items_max, std::size_t bytes_max) : items_max_(items_max), bytes_max_(bytes_max) {}

  // `entry` only with Topic::partials. False when the outbox is full or the item larger than a batch: it is dropped and
  // counted; what matters is sent again by the machines' own timers.
  bool add(Topic topic, const dkg::NodeId& entry, const dkg::Envelope& envelope);
  bool is_empty() const { return items_ == 0; }
  // A batch is closed: no reason to wait for the end of the turn.
  bool has_closed() const { return !closed_.empty(); }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t batches() const { return batches_; }
  std::uint64_t items_sent() const { return items_sent_; }
  // The closed batches, in the order in which they closed.
  std::vector<Publish> take_closed();
  // Everything collected: the closed batches, then the others in the order of the topics. Items of one topic and entry
  // keep their order.
  std::vector<Publish> flush();

 private:
  using Destination = std::pair<Topic, dkg::NodeId>;
  struct Open {
    Bytes batch;
    std::size_t items = 0;
  };
  void close(const Destination& destination, Open& open);

  std::size_t items_max_, bytes_max_;
  std::size_t items_ = 0;  // waiting
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0, batches_ = 0, items_sent_ = 0;
  std::map<Destination, Open> open_;
  std::vector<Publish> closed_;
};

}  // namespace kms::node
