#include "net/message_cache.h"

#include <algorithm>

namespace kms::net {
namespace {

std::size_t size_of(const CachedMessage& message) {
  // The owned form and its encoding hold the payload twice.
  return 2 * message.encoded->size();
}

}  // namespace

void MessageCache::put(const MessageId& id, CachedMessage message) {
  std::size_t size = size_of(message);
  if (size > bytes_max_ || !messages_.emplace(id, std::move(message)).second) return;
  windows_.front().push_back(id);
  bytes_ += size;
  while (bytes_ > bytes_max_) drop_oldest();
}

CachedMessage* MessageCache::find(const MessageId& id) {
  auto at = messages_.find(id);
  return at == messages_.end() ? nullptr : &at->second;
}

std::vector<MessageId> MessageCache::announceable(std::string_view topic, const PeerId& peer, std::size_t windows,
                                                  Instant until) const {
  std::vector<MessageId> ids;
  for (std::size_t i = 0; i < std::min(windows, windows_.size()); ++i) {
    for (auto id = windows_[i].rbegin(); id != windows_[i].rend(); ++id) {
      const CachedMessage& cached = messages_.at(*id);
      if (cached.since <= until && *cached.message->topic == topic && !cached.known_by.contains(peer)) {
        ids.push_back(*id);
      }
    }
  }
  return ids;
}

void MessageCache::shift() {
  windows_.emplace_front();
  while (windows_.size() > windows_max_) {
    while (!windows_.back().empty()) drop_oldest();
    windows_.pop_back();
  }
}

void MessageCache::drop_oldest() {
  auto window = std::find_if(windows_.rbegin(), windows_.rend(), [](const auto& ids) { return !ids.empty(); });
  auto at = messages_.find(window->front());
  bytes_ -= size_of(at->second);
  messages_.erase(at);
  window->erase(window->begin());
}

}  // namespace kms::net
