#include "net/seen_cache.h"

#include <algorithm>

#include "crypto/transcript.h"

namespace kms::net {

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
