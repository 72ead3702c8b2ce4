#include "net/promises.h"

#include "net/draw.h"

namespace kms::net {

void Promises::watch(const PeerId& peer, std::span<const MessageId> asked, Instant due, Entropy& entropy) {
  if (asked.empty()) return;
  const MessageId& id = asked[draw_below(entropy, asked.size())];
  if (due_.size() >= ids_max_ && !due_.contains(id)) return;
  due_[id].try_emplace(peer, due);  // an earlier promise stays due
}

void Promises::postpone(Duration time) {
  for (auto& [id, peers] : due_) {
    for (auto& [peer, due] : peers) due += time;
  }
}

std::map<PeerId, std::size_t> Promises::broken(Instant now) {
  std::map<PeerId, std::size_t> out;
  for (auto& [id, peers] : due_) {
    std::erase_if(peers, [&](const auto& promise) {
      if (now < promise.second) return false;
      ++out[promise.first];
      return true;
    });
  }
  std::erase_if(due_, [](const auto& entry) { return entry.second.empty(); });
  return out;
}

}  // namespace kms::net
