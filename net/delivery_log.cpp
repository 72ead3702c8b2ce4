#include "net/delivery_log.h"

#include <algorithm>
#include <iterator>

namespace kms::net {

void DeliveryLog::put(const MessageId& id, Outcome outcome, std::set<PeerId> senders, Instant now) {
  // Copies of an ignored message mean nothing, whoever sends them.
  if (outcome == Outcome::ignored) senders.clear();
  while (senders.size() > kSendersMax) senders.erase(std::prev(senders.end()));
  std::size_t count = senders.size();
  if (!records_.try_emplace(id, Record{outcome, now, std::move(senders)}).second) return;
  order_.push_back(id);
  senders_ += count;
  bound();
}

std::optional<DeliveryLog::Copy> DeliveryLog::copy(const MessageId& id, const PeerId& peer, Duration window,
                                                   Instant now) {
  auto at = records_.find(id);
  if (at == records_.end()) return std::nullopt;
  Record& record = at->second;
  Copy copy{record.outcome, now - record.decided_at};
  if (record.outcome == Outcome::ignored || record.senders.contains(peer)) return std::nullopt;
  if (record.outcome == Outcome::valid && copy.age > window) return std::nullopt;
  if (record.senders.size() >= kSendersMax) {
    return record.outcome == Outcome::invalid ? std::optional(copy) : std::nullopt;
  }
  record.senders.insert(peer);
  ++senders_;
  bound();
  return copy;
}

void DeliveryLog::expire(Instant now) {
  while (!order_.empty() && now >= records_.at(order_.front()).decided_at + ttl_) drop_oldest();
}

void DeliveryLog::bound() {
  std::size_t senders_max = std::max(kSendersMax, records_max_ * kSendersPerRecordMax);
  while (records_.size() > records_max_ || senders_ > senders_max) drop_oldest();
}

void DeliveryLog::drop_oldest() {
  auto at = records_.find(order_.front());
  senders_ -= at->second.senders.size();
  records_.erase(at);
  order_.pop_front();
}

}  // namespace kms::net
