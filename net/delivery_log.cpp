#include "net/delivery_log.h"

namespace kms::net {

void DeliveryLog::put(const MessageId& id, Outcome outcome, std::set<PeerId> senders, Instant now) {
  if (!records_.try_emplace(id, Record{outcome, now, std::move(senders)}).second) return;
  order_.push_back(id);
  if (records_.size() > records_max_) drop_oldest();
}

std::optional<DeliveryLog::Copy> DeliveryLog::copy(const MessageId& id, const PeerId& peer, Instant now) {
  auto at = records_.find(id);
  if (at == records_.end() || !at->second.senders.insert(peer).second) return std::nullopt;
  return Copy{at->second.outcome, now - at->second.decided_at};
}

void DeliveryLog::expire(Instant now) {
  while (!order_.empty() && now >= records_.at(order_.front()).decided_at + ttl_) drop_oldest();
}

void DeliveryLog::drop_oldest() {
  records_.erase(order_.front());
  order_.pop_front();
}

}  // namespace kms::net
