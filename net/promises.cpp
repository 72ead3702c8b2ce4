#include "net/promises.h"

#include "net/draw.h"

namespace kms::net {

void Promises::watch(const PeerId& peer, std::span<const MessageId> asked, Instant due, Entropy& entropy) {
  if (asked.empty()) return;
  const MessageId& id = asked[draw_below(entropy, asked.size())];
  if (due_.size() >= ids_max_ && !due_.contains(id)) return;
  due_[id].try_emplace(peer, due);  // an earlier promise stays due
}

std::optional<Duration> Promises::redeemed(const MessageId& id, const PeerId& peer, Instant now) {
  auto at = broken_.find({id, peer});
  if (at == broken_.end()) return std::nullopt;
  Duration age = now - at->second;
  broken_.erase(at);
  return age;
}

void Promises::postpone(Duration time) {
  for (auto& [id, peers] : due_) {
    for (auto& [peer, due] : peers) due += time;
  }
}

std::map<PeerId, std::size_t> Promises::broken(Instant now) {
  std::erase_if(broken_, [now](const auto& promise) { return now >= promise.second + kRedeemable; });
  std::map<PeerId, std::size_t> out;
  for (auto& [id, peers] : due_) {
    for (auto at = peers.begin(); at != peers.end();) {
      if (now < at->second) {
        ++at;
        continue;
      }
      ++out[at->first];
      if (broken_.size() < ids_max_) broken_.try_emplace({id, at->first}, now);
      at = peers.erase(at);
    }
  }
  std::erase_if(due_, [](const auto& entry) { return entry.second.empty(); });
  return out;
}

}  // namespace kms::net
