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
    // Answers that came while we were away are read after this.
    Duration late = now.instant - heartbeat_at_;
    if (late > options_.heartbeat) promises_.postpone(late);
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
  std::erase_if(departed_, [&](const auto& entry) { return now.instant >= entry.second.at + cache_age(); });
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

void Router::Announcement::add(std::string_view topic, const std::vector<MessageCache::Announced>& messages) {
  if (messages.empty()) return;
  std::vector<MessageId> list;
  for (const auto& message : messages) list.push_back(message.id);
  writer.ihave(topic, list);
  ids += list.size();
}

// To those whose stream was lost, whose queue was full or who just joined a mesh. Too many wait for the next heartbeat;
// the oldest go first, since they are forgotten first.
Router::Announcements Router::announce_missed(Now now) {
  Announcements out;
  for (const auto& [id, peer] : peers_) {
    if (!peer.missed_since || !peer.version || peer.topics.empty() || !may_gossip(id)) continue;
    Announcement& to = out[id];
    for (const std::string& name : peer.topics) {
      auto missed = cache_.announceable(name, id, peer.outbox, *peer.missed_since, now.instant);
      const std::size_t room = announced_max() - to.ids;
      if (missed.size() > room) {
        missed.erase(missed.begin(), missed.end() - static_cast<std::ptrdiff_t>(room));
        Instant rest = missed.empty() ? *peer.missed_since : missed.front().since;
        to.rest_since = std::min(to.rest_since.value_or(rest), rest);
      }
      to.add(name, missed);
    }
  }
  return out;
}

// They hear what they are not known to have, and pull what they missed.
void Router::announce(Now now, PubsubEffects& effects) {
  Announcements out = announce_missed(now);
  for (const auto& [name, topic] : topics_) {
    for (const PeerId& id : gossip_targets(name, topic)) {
      const Peer& peer = peers_.at(id);
      Announcement& to = out[id];
      auto recent =
          cache_.announceable(name, id, peer.outbox, options_.gossip_windows, now.instant - options_.gossip_age_min);
      if (peer.missed_since) {
        std::erase_if(recent, [&](const auto& message) { return message.since >= *peer.missed_since; });
      }
      // Beyond the limit a random part, so that different neighbours announce different ones.
      const std::size_t room = announced_max() - to.ids;
      if (recent.size() > room) recent = sample(entropy_, std::move(recent), room);
      to.add(name, recent);
    }
  }
  for (const auto& [id, announcement] : out) {
    Peer& peer = peers_.at(id);
    if (announcement.ids > 0) {
      if (!peer.outbox.gossip(announcement.writer.control_bytes(), Outbox::Urgency::normal)) {
        ++counters_.dropped_gossip;
        continue;
      }
      counters_.ihave_out += announcement.ids;
      note_writable(id, peer, effects);
    }
    peer.missed_since = announcement.rest_since;
  }
}

}  // namespace kms::net
