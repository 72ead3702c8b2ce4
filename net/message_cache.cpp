#include "net/message_cache.h"

#include <algorithm>
#include <limits>

namespace kms::net {
namespace {

std::size_t size_of(const CachedMessage& message) {
  return 2 * message.encoded->size() + MessageCache::kEntryBytes +
         MessageCache::kPeerBytes * (message.known_by.size() - message.light_known);
}

bool is_news(const CachedMessage& cached, const PeerId& peer, const Outbox& outbox) {
  return !cached.known_by.contains(peer) && !outbox.holds(*cached.encoded);
}

}  // namespace

void MessageCache::put(const MessageId& id, CachedMessage message) {
  message.serial = end();
  std::size_t size = size_of(message);
  if (size > bytes_max_) return;
  auto [at, is_new] = messages_.emplace(id, std::move(message));
  if (!is_new) return;
  order_.push_back({at, window_});
  bytes_ += size;
  bound();
}

const CachedMessage* MessageCache::find(const MessageId& id) const {
  auto at = messages_.find(id);
  return at == messages_.end() ? nullptr : &at->second;
}

void MessageCache::note_known(const MessageId& id, const PeerId& peer, PeerClass peer_class) {
  auto at = messages_.find(id);
  if (at == messages_.end()) return;
  CachedMessage& message = at->second;
  bool is_light = peer_class == PeerClass::light;
  if (is_light && message.light_known >= kLightKnownMax) return;
  if (!message.known_by.insert(peer).second) return;
  if (is_light) {
    ++message.light_known;
    return;
  }
  bytes_ += kPeerBytes;
  bound();
}

std::uint64_t MessageCache::since(Instant time) const {
  auto at = std::partition_point(order_.begin(), order_.end(),
                                 [time](const Place& place) { return place.message->second.since < time; });
  return begin_ + static_cast<std::uint64_t>(at - order_.begin());
}

std::uint64_t MessageCache::since_windows(std::size_t windows) const {
  auto at = std::partition_point(order_.begin(), order_.end(),
                                 [&](const Place& place) { return place.window + windows <= window_; });
  return begin_ + static_cast<std::uint64_t>(at - order_.begin());
}

MessageCache::Missed MessageCache::missed(const std::set<std::string, std::less<>>& topics, const PeerId& peer,
                                          const Outbox& outbox, std::uint64_t from, WalkLimits limits) const {
  Missed out;
  out.begin = out.end = std::max(from, begin_);
  for (; out.end < end() && out.end - out.begin < limits.looks; ++out.end) {
    const auto& [id, cached] = *order_[out.end - begin_].message;
    const std::string& topic = *cached.message->topic;
    if (!topics.contains(topic) || !is_news(cached, peer, outbox)) continue;
    if (out.count >= limits.ids) break;
    out.ids[topic].push_back(id);
    ++out.count;
  }
  return out;
}

std::vector<MessageCache::Announced> MessageCache::announceable(std::string_view topic, const PeerId& peer,
                                                                const Outbox& outbox, std::size_t windows,
                                                                Instant until) const {
  std::vector<Announced> out;
  for (auto place = order_.rbegin(); place != order_.rend() && place->window + windows > window_; ++place) {
    const auto& [id, cached] = *place->message;
    if (*cached.message->topic != topic || cached.since > until || !is_news(cached, peer, outbox)) continue;
    out.push_back({id, cached.serial});
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
  auto oldest = order_.front().message;
  bytes_ -= size_of(oldest->second);
  messages_.erase(oldest);
  order_.pop_front();
  ++begin_;
}

std::size_t Answers::of(std::uint64_t serial) const {
  return serial < begin_ || serial - begin_ >= counts_.size() ? 0 : counts_[serial - begin_];
}

void Answers::add(std::uint64_t serial, std::uint64_t oldest) {
  while (begin_ < oldest && !counts_.empty()) {
    counts_.pop_front();
    ++begin_;
  }
  if (counts_.empty()) begin_ = oldest;
  if (serial < begin_) return;
  if (serial - begin_ >= counts_.size()) counts_.resize(serial - begin_ + 1);
  auto& count = counts_[serial - begin_];
  if (count < std::numeric_limits<std::uint8_t>::max()) ++count;
}

}  // namespace kms::net
