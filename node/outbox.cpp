#include "node/outbox.h"

#include "base/proto_wire.h"

namespace kms::node {

// Items are written into their batch as they come: each is encoded once, and the batch's size is exact.
bool Outbox::add(Topic topic, const dkg::NodeId& entry, const dkg::Envelope& envelope) {
  ProtoWriter element;
  element.bytes(1, envelope.encode());
  const Bytes& bytes = element.view();
  // What fits no batch would reach nobody.
  if (items_ >= items_max_ || bytes_ + bytes.size() > bytes_max_ || bytes.size() > dkg::Batch::kBytesMax) {
    ++dropped_;
    return false;
  }
  const Destination destination{topic, entry};
  Open& open = open_[destination];
  if (open.batch.size() + bytes.size() > dkg::Batch::kBytesMax) close(destination, open);
  append(open.batch, bytes);
  ++open.items;
  ++items_;
  bytes_ += bytes.size();
  if (open.items == dkg::Batch::kItemsMax) close(destination, open);
  return true;
}

void Outbox::close(const Destination& destination, Open& open) {
  if (open.items == 0) return;
  ++batches_;
  items_sent_ += open.items;
  closed_.push_back({destination.first, destination.second, std::exchange(open.batch, {})});
  open.items = 0;
}

std::vector<Publish> Outbox::take_closed() {
  std::vector<Publish> out = std::exchange(closed_, {});
  items_ = 0;
  bytes_ = 0;
  for (const auto& [destination, open] : open_) {
    items_ += open.items;
    bytes_ += open.batch.size();
  }
  return out;
}

std::vector<Publish> Outbox::flush() {
  for (auto& [destination, open] : open_) close(destination, open);
  open_.clear();
  return take_closed();
}

}  // namespace kms::node
