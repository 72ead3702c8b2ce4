// What Router does on its heartbeat: sweep what expired and announce recent messages.
#include <algorithm>

#include "net/router.h"

namespace kms::net {

PubsubEffects Router::tick(Now now) {
  PubsubEffects effects;
  if (now.instant < heartbeat_at_) return effects;
  heartbeat_at_ = now.instant + options_.heartbeat;
  heartbeat(now, effects);
  return finish(std::move(effects));
}

void Router::heartbeat(Now now, PubsubEffects& effects) {
  ++heartbeats_;
  seen_.expire(now.instant);
  std::erase_if(wanted_, [&](const auto& wanted) { return now.instant >= wanted.second.asked_at + options_.seen_ttl; });
  for (auto& [name, topic] : topics_) {
    std::erase_if(topic.backoff, [&](const auto& backoff) { return now.instant >= backoff.second; });
  }
  for (auto& [id, peer] : peers_) {
    peer.ihave_messages = peer.ihave_ids = peer.iwant_messages = peer.idontwant_messages = 0;
    std::erase_if(peer.unwanted, [&](const auto& unwanted) { return heartbeats_ >= unwanted.second; });
    for (const std::string& topic : peer.topics) graft_if_wanted(id, peer, topic, now, effects);
  }
  std::vector<MessageId> overdue;
  for (const auto& [id, message] : validating_) {
    if (now.instant >= message.deadline) overdue.push_back(id);
  }
  for (const MessageId& id : overdue) {
    auto found = validating_.extract(id);
    validating_bytes_ -= found.mapped().encoded->size();
    refuse(found.mapped().received_from, Refusal::no_verdict, *found.mapped().message->topic, "", effects);
  }
  ask_again(now, effects);
  announce(now, effects);
  cache_.shift();
}

// Turns to the next announcer of what did not come.
void Router::ask_again(Now now, PubsubEffects& effects) {
  std::map<PeerId, std::vector<MessageId>> ask;
  for (auto& [id, wanted] : wanted_) {
    if (wanted.others.empty() || now.instant < wanted.asked_at + options_.iwant_patience) continue;
    wanted.asked = wanted.others.front();
    wanted.asked_at = now.instant;
    wanted.others.erase(wanted.others.begin());
    auto& ids = ask[wanted.asked];
    if (ids.size() < options_.ihave_ids_max) ids.push_back(id);
  }
  for (const auto& [id, ids] : ask) {
    auto at = peers_.find(id);
    if (at != peers_.end() && at->second.version) ask_for(id, at->second, ids, effects);
  }
}

// Committee peers hear the ids of recent messages that they are not known to have, and pull what they missed.
void Router::announce(Now now, PubsubEffects& effects) {
  if (options_.forward != ForwardPolicy::grafted) return;
  for (auto& [id, peer] : peers_) {
    if (peer.peer_class != PeerClass::committee || !peer.version) continue;
    RpcWriter writer;
    std::size_t announced = 0;
    for (const auto& [name, topic] : topics_) {
      if (!peer.topics.contains(name) || announced >= options_.rpc_limits.ids) continue;
      auto ids = cache_.announceable(name, id, options_.gossip_windows, now.instant - options_.gossip_age_min);
      // Beyond the limit a random part, so that different neighbours announce different ones.
      std::size_t most = std::min(options_.ihave_ids_max, options_.rpc_limits.ids) - announced;
      if (ids.size() > most) {
        for (std::size_t i = 0; i < most; ++i) {
          std::swap(ids[i], ids[i + draw_below(ids.size() - i)]);
        }
        ids.resize(most);
      }
      if (ids.empty()) continue;
      writer.ihave(name, ids);
      announced += ids.size();
    }
    if (announced == 0) continue;
    if (!peer.outbox.gossip(writer.control_bytes(), Outbox::Urgency::normal)) {
      ++counters_.dropped_gossip;
      continue;
    }
    counters_.ihave_out += announced;
    note_writable(id, peer, effects);
  }
}

// Nearly uniform: the bounds are far below 2^64.
std::size_t Router::draw_below(std::size_t bound) {
  auto bytes = entropy_.array<8>();
  std::uint64_t value = 0;
  for (std::uint8_t byte : bytes) value = value << 8 | byte;
  return static_cast<std::size_t>(value % bound);
}

}  // namespace kms::net
