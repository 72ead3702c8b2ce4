#include "net/backoff.h"

#include <algorithm>

namespace kms::net {

void Backoffs::add(std::string_view topic, const PeerId& peer, Instant end) {
  auto at = topics_.find(topic);
  if (at == topics_.end()) at = topics_.emplace(std::string(topic), std::map<PeerId, Instant>{}).first;
  auto& peers = at->second;
  if (peers.size() >= per_topic_max_ && !peers.contains(peer)) {
    peers.erase(
        std::min_element(peers.begin(), peers.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  auto [entry, is_new] = peers.emplace(peer, end);
  if (!is_new) entry->second = std::max(entry->second, end);
}

std::optional<Instant> Backoffs::end(std::string_view topic, const PeerId& peer) const {
  auto peers = topics_.find(topic);
  if (peers == topics_.end()) return std::nullopt;
  auto at = peers->second.find(peer);
  if (at == peers->second.end()) return std::nullopt;
  return at->second;
}

void Backoffs::sweep(Instant now, Duration slack) {
  for (auto& [topic, peers] : topics_) {
    std::erase_if(peers, [&](const auto& entry) { return entry.second + slack < now; });
  }
  std::erase_if(topics_, [](const auto& entry) { return entry.second.empty(); });
}

std::size_t Backoffs::size(std::string_view topic) const {
  auto at = topics_.find(topic);
  return at == topics_.end() ? 0 : at->second.size();
}

}  // namespace kms::net
