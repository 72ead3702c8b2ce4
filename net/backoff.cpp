#include "net/backoff.h"

#include <algorithm>
#include <vector>

namespace kms::net {

void Backoffs::Topic::erase(const PeerId& peer) {
  auto at = peers.find(peer);
  auto group = groups.find(at->second.group);
  group->second.erase({at->second.end, peer});
  if (group->second.empty()) groups.erase(group);
  peers.erase(at);
}

void Backoffs::Topic::drop_first_of(const std::string& group) {
  PeerId first = groups.at(group).begin()->second;
  erase(first);
}

void Backoffs::Topic::make_room() {
  auto largest = groups.end();
  for (auto at = groups.begin(); at != groups.end(); ++at) {
    if (at->first.empty()) continue;
    if (largest == groups.end() || at->second.size() > largest->second.size()) largest = at;
  }
  std::string group = largest == groups.end() ? std::string() : largest->first;
  drop_first_of(group);
}

void Backoffs::add(std::string_view name, const PeerId& peer, Instant end, const std::string& group) {
  auto at = topics_.find(name);
  if (at == topics_.end()) at = topics_.emplace(std::string(name), Topic()).first;
  Topic& topic = at->second;
  if (auto known = topic.peers.find(peer); known != topic.peers.end()) {
    end = std::max(end, known->second.end);
    topic.erase(peer);
  }
  auto of_group = topic.groups.find(group);
  if (!group.empty() && of_group != topic.groups.end() && of_group->second.size() >= kPerGroupMax) {
    topic.drop_first_of(group);
  } else if (topic.peers.size() >= per_topic_max_) {
    topic.make_room();
  }
  topic.peers.emplace(peer, Entry{end, group});
  topic.groups[group].emplace(end, peer);
}

std::optional<Instant> Backoffs::end(std::string_view topic, const PeerId& peer) const {
  auto at = topics_.find(topic);
  if (at == topics_.end()) return std::nullopt;
  auto entry = at->second.peers.find(peer);
  if (entry == at->second.peers.end()) return std::nullopt;
  return entry->second.end;
}

void Backoffs::sweep(Instant now, Duration slack) {
  for (auto& [name, topic] : topics_) {
    std::vector<PeerId> over;
    for (const auto& [peer, entry] : topic.peers) {
      if (entry.end + slack < now) over.push_back(peer);
    }
    for (const PeerId& peer : over) topic.erase(peer);
  }
  std::erase_if(topics_, [](const auto& entry) { return entry.second.peers.empty(); });
}

std::size_t Backoffs::size(std::string_view topic) const {
  auto at = topics_.find(topic);
  return at == topics_.end() ? 0 : at->second.peers.size();
}

}  // namespace kms::net
