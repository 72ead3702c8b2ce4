// What Router does on its heartbeat: count misconduct, keep the meshes, announce recent messages, sweep what expired.
#include <algorithm>

#include "net/draw.h"
#include "net/router.h"

namespace kms::net {

PubsubEffects Router::tick(Now now) {
  PubsubEffects effects;
  constexpr int kDecaysMax = 64;  // after a long sleep the rest is forgiven
  for (int i = 0; i < kDecaysMax && now.instant >= decay_at_; ++i) {
    scores_.decay(now.instant);
    decay_at_ += scores_.decay_interval();
  }
  if (now.instant >= decay_at_) decay_at_ = now.instant + scores_.decay_interval();
  if (now.instant >= heartbeat_at_) {
    heartbeat_at_ = now.instant + options_.heartbeat;
    heartbeat(now, effects);
  }
  return finish(std::move(effects));
}

void Router::heartbeat(Now now, PubsubEffects& effects) {
  ++heartbeats_;
  sweep(now, effects);
  for (const auto& [id, count] : promises_.broken(now.instant)) {
    counters_.broken_promises += count;
    // A committee that is short of time answers late; a member's other faults count.
    auto at = peers_.find(id);
    bool is_member = at != peers_.end() && at->second.peer_class == PeerClass::committee;
    if (!is_member) scores_.misbehaved(id, static_cast<double>(count));
  }
  keep_peers(now, effects);
  for (auto& [name, topic] : topics_) {
    if (topic.policy != TopicPolicy::mesh) continue;
    if (topic.subscribed) {
      keep_mesh(name, topic, now, effects);
    } else {
      keep_fanout(name, topic, now);
    }
  }
  ask_again(now, effects);
  announce(now, effects);
  cache_.shift();
}

void Router::sweep(Now now, PubsubEffects& effects) {
  seen_.expire(now.instant);
  decided_.expire(now.instant);
  // An id that nobody else has announced is given up with the promise; an announcement starts it anew.
  std::erase_if(wanted_, [&](const auto& entry) {
    const Wanted& wanted = entry.second;
    return wanted.others.empty() && now.instant >= wanted.asked_at + options_.iwant_followup;
  });
  if (heartbeats_ % options_.mesh.backoff_sweep_heartbeats == 0) {
    backoffs_.sweep(now.instant, options_.mesh.backoff_slack_heartbeats * options_.heartbeat);
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
}

void Router::keep_peers(Now now, PubsubEffects& effects) {
  for (auto& [id, peer] : peers_) {
    peer.ihave_messages = peer.ihave_ids = peer.iwant_messages = peer.idontwant_messages = 0;
    std::erase_if(peer.unwanted, [&](const auto& unwanted) { return heartbeats_ >= unwanted.second; });
    for (const std::string& topic : peer.topics) graft_as_leaf(id, peer, topic, now, effects);
    if (!peer.version && !peer.stream_missed) peer.stream_missed = now.instant;
    double score = scores_.score(id);
    bool is_graylisted = !peer.is_direct && score < options_.thresholds.graylist;
    if (is_graylisted && !peer.is_graylisted) effects.events.emplace_back(PeerGraylisted{id, score});
    peer.is_graylisted = is_graylisted;
  }
}

// Who hears the ids of recent messages: the committee, or some peers outside the mesh.
std::vector<PeerId> Router::gossip_targets(const std::string& name, const Topic& topic) {
  std::vector<PeerId> all;
  bool is_committee = topic.policy == TopicPolicy::committee;
  bool is_mesh = topic.policy == TopicPolicy::mesh && (topic.subscribed || !topic.fanout.empty());
  if (!is_committee && !is_mesh) return all;
  const std::set<PeerId>& hear_it_anyway = topic.subscribed ? topic.grafted : topic.fanout;
  for (const auto& [id, peer] : peers_) {
    if (!peer.version || !peer.topics.contains(name) || !may_gossip(id)) continue;
    if (is_committee ? peer.peer_class != PeerClass::committee : peer.is_direct || hear_it_anyway.contains(id)) {
      continue;
    }
    all.push_back(id);
  }
  if (is_committee) return all;
  auto share = static_cast<std::size_t>(options_.mesh.gossip_factor * static_cast<double>(all.size()));
  return sample(entropy_, std::move(all), std::max(options_.mesh.lazy, share));
}

// They hear what they are not known to have, and pull what they missed.
void Router::announce(Now now, PubsubEffects& effects) {
  struct Announcement {
    RpcWriter writer;
    std::size_t ids = 0;
  };
  std::map<PeerId, Announcement> out;
  const std::size_t most = std::min(options_.ihave_ids_max, options_.rpc_limits.ids);
  for (const auto& [name, topic] : topics_) {
    for (const PeerId& id : gossip_targets(name, topic)) {
      Announcement& to = out[id];
      auto ids = cache_.announceable(name, id, options_.gossip_windows, now.instant - options_.gossip_age_min);
      // Beyond the limit a random part, so that different neighbours announce different ones.
      if (ids.size() > most - to.ids) ids = sample(entropy_, std::move(ids), most - to.ids);
      if (ids.empty()) continue;
      to.writer.ihave(name, ids);
      to.ids += ids.size();
    }
  }
  for (const auto& [id, announcement] : out) {
    if (announcement.ids == 0) continue;
    Peer& peer = peers_.at(id);
    if (!peer.outbox.gossip(announcement.writer.control_bytes(), Outbox::Urgency::normal)) {
      ++counters_.dropped_gossip;
      continue;
    }
    counters_.ihave_out += announcement.ids;
    note_writable(id, peer, effects);
  }
}

}  // namespace kms::net
