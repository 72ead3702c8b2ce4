#include "node/outbox.h"

namespace kms::node {
namespace {

// Bytes that an envelope adds to a batch beyond its body: header fields, signature and length prefixes, rounded up.
constexpr std::size_t kEnvelopeOverhead = 256;

}  // namespace

bool Outbox::add(Topic topic, const dkg::NodeId& entry, dkg::Envelope envelope) {
  // What fits no batch would reach nobody.
  if (items_ >= items_max_ || envelope.body.size() + kEnvelopeOverhead > dkg::Batch::kBytesMax) {
    ++dropped_;
    return false;
  }
  ++items_;
  waiting_[{topic, entry}].push_back(std::move(envelope));
  return true;
}

std::vector<Publish> Outbox::flush() {
  std::vector<Publish> out;
  for (auto& [destination, envelopes] : waiting_) {
    dkg::Batch batch;
    std::size_t bytes = 0;
    auto publish = [&, &to = destination] {
      if (!batch.items.empty()) out.push_back({to.first, to.second, batch.encode()});
      batch.items.clear();
      bytes = 0;
    };
    for (dkg::Envelope& envelope : envelopes) {
      std::size_t size = envelope.body.size() + kEnvelopeOverhead;
      if (batch.items.size() == dkg::Batch::kItemsMax || bytes + size > dkg::Batch::kBytesMax) publish();
      bytes += size;
      batch.items.push_back(std::move(envelope));
    }
    publish();
  }
  waiting_.clear();
  items_ = 0;
  return out;
}

}  // namespace kms::node
