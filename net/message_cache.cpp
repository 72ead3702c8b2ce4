#include "net/message_cache.h"

namespace kms::net {
namespace {

std::size_t size_of(const CachedMessage& message) {
  return 2 * message.encoded->size() + MessageCache::kEntryBytes +
         MessageCache::kPeerBytes * (message.known_by.size() + message.sent_on_demand.size());
}

bool is_news(const CachedMessage& cached, std::string_view topic, const PeerId& peer, const Outbox& outbox) {
  return *cached.message->topic == topic && !cached.known_by.contains(peer) && !outbox.holds(*cached.encoded);
}

}  // namespace

void MessageCache::put(const MessageId& id, CachedMessage message) {
  std::size_t size = size_of(message);
  if (size > bytes_max_ || !messages_.emplace(id, std::move(message)).second) return;
  order_.push_back({id, window_});
  bytes_ += size;
  bound();
}

const CachedMessage* MessageCache::find(const MessageId& id) const {
  auto at = messages_.find(id);
  return at == messages_.end() ? nullptr : &at->second;
}

void MessageCache::note_known(const MessageId& id, const PeerId& peer) {
  auto at = messages_.find(id);
  if (at == messages_.end() || !at->second.known_by.insert(peer).second) return;
  bytes_ += kPeerBytes;
  bound();
}

bool MessageCache::take_answer(const MessageId& id, const PeerId& peer, std::size_t most) {
  auto at = messages_.find(id);
  if (at == messages_.end() || most == 0) return false;
  auto [sent, is_new] = at->second.sent_on_demand.try_emplace(peer, 0);
  if (sent->second >= most) return false;
  ++sent->second;
  if (is_new) bytes_ += kPeerBytes;
  bound();
  return true;
}

std::vector<MessageCache::Announced> MessageCache::announceable(std::string_view topic, const PeerId& peer,
                                                                const Outbox& outbox, Instant from,
                                                                Instant until) const {
  std::vector<Announced> out;
  for (auto place = order_.rbegin(); place != order_.rend(); ++place) {
    const CachedMessage& cached = messages_.at(place->id);
    if (cached.since < from) break;
    if (cached.since <= until && is_news(cached, topic, peer, outbox)) out.push_back({place->id, cached.since});
  }
  return out;
}

std::vector<MessageCache::Announced> MessageCache::announceable(std::string_view topic, const PeerId& peer,
                                                                const Outbox& outbox, std::size_t windows,
                                                                Instant until) const {
  std::vector<Announced> out;
  for (auto place = order_.rbegin(); place != order_.rend() && place->window + windows > window_; ++place) {
    const CachedMessage& cached = messages_.at(place->id);
    if (cached.since <= until && is_news(cached, topic, peer, outbox)) out.push_back({place->id, cached.since});
  }
  return out;
}

void MessageCache::shift() {
  ++window_;
  while (!order_.empty() && order_.front().window + windows_max_ <= window_) drop_oldest();
}

void MessageCache::bound() {
  while (bytes_ > bytes_max_) drop_oldest();
}

void MessageCache::drop_oldest() {
  auto at = messages_.find(order_.front().id);
  bytes_ -= size_of(at->second);
  messages_.erase(at);
  order_.pop_front();
}

}  // namespace kms::net
