// What Router does on its heartbeat: count misconduct, keep the meshes, sweep what expired.
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
    scores_.broke_promises(id, static_cast<double>(count));
  }
  keep_peers(now, effects);
  for (auto& [name, topic] : topics_) {
    if (topic.policy != TopicPolicy::mesh) {
      drop_negative(name, topic, now, effects);
      continue;
    }
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
  wanted_.expire(options_.iwant_followup, now.instant);
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

}  // namespace kms::net
