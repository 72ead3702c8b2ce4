#include "net/seen_cache.h"

#include <algorithm>

#include "crypto/transcript.h"

namespace kms::net {

std::size_t SeenCache::Ids::slot_of(const Key& key) const {
  std::uint64_t hash;
  std::memcpy(&hash, key.data(), sizeof hash);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hash) & mask;
  while (taken_[slot] != 0 && slots_[slot] != key) slot = (slot + 1) & mask;
  return slot;
}

bool SeenCache::Ids::contains(const Key& key) const {
  return size_ > 0 && taken_[slot_of(key)] != 0;
}

void SeenCache::Ids::insert(const Key& key) {
  if (2 * (size_ + 1) > slots_.size()) grow();
  const std::size_t slot = slot_of(key);
  slots_[slot] = key;
  taken_[slot] = 1;
  ++size_;
}

void SeenCache::Ids::grow() {
  const auto keys = std::exchange(slots_, std::vector<Key>(std::max<std::size_t>(64, 2 * slots_.size())));
  const auto taken = std::exchange(taken_, std::vector<std::uint8_t>(slots_.size(), 0));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (taken[i] == 0) continue;
    const std::size_t slot = slot_of(keys[i]);
    slots_[slot] = keys[i];
    taken_[slot] = 1;
  }
}

// Content ids are hashes already; longer ones of the other modes are hashed here, so that memory is known.
SeenCache::Key SeenCache::key_of(const MessageId& id) {
  if (id.size() == sizeof(Key)) return to_array<sizeof(Key)>(id);
  Hash32 hash = crypto::sha256(id);
  return to_array<sizeof(Key)>(ByteView(hash));
}

bool SeenCache::contains(const MessageId& id) const {
  Key key = key_of(id);
  return std::any_of(windows_.rbegin(), windows_.rend(),
                     [&key](const Window& window) { return window.ids.contains(key); });
}

bool SeenCache::insert(const MessageId& id, Instant now) {
  expire(now);
  if (contains(id)) return false;
  bool is_full = !windows_.empty() && windows_.back().ids.size() >= ids_max_ / kWindows;
  if (windows_.empty() || is_full || now - windows_.back().opened >= window_) windows_.push_back({now, {}});
  windows_.back().ids.insert(key_of(id));
  ++size_;
  while (size_ > ids_max_) {
    size_ -= windows_.front().ids.size();
    windows_.pop_front();
  }
  return true;
}

// The newest id of a window is up to one window length younger than the window.
void SeenCache::expire(Instant now) {
  while (!windows_.empty() && now - windows_.front().opened >= window_ * (kWindows + 1)) {
    size_ -= windows_.front().ids.size();
    windows_.pop_front();
  }
}

}  // namespace kms::net
