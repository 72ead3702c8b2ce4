// Peers, subscriptions and what a Router tells about itself.
#include "net/router.h"

#include <algorithm>

namespace kms::net {

bool TopicFilter::allows(std::string_view topic) const {
  return allows_all || names.contains(topic) ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [topic](const auto& prefix) { return topic.starts_with(prefix); });
}

TopicPolicy TopicPolicies::of(std::string_view topic) const {
  auto at = names.find(topic);
  return at == names.end() ? otherwise : at->second;
}

Router::Router(const Identity& self, RouterOptions options, Entropy& entropy, Now now)
    : self_(self),
      options_(std::move(options)),
      entropy_(entropy),
      seqno_(now),
      scores_(options_.scores),
      backoffs_(options_.mesh.backoffs_max),
      promises_(options_.wanted_ids_max),
      decided_(options_.seen_ttl, options_.decided_max),
      seen_(options_.seen_ttl, options_.seen_ids_max),
      cache_(options_.cache_windows, options_.cache_bytes_max),
      wanted_(options_.iwant_patience),
      heartbeat_at_(now.instant + options_.first_heartbeat),
      decay_at_(now.instant + options_.scores.decay_interval) {}

void Router::set_access(TopicAccess access) {
  access_ = std::move(access);
  std::erase_if(seqnos_taken_, [this](const auto& entry) { return !access_.classes.contains(entry.first); });
}

Router::Topic* Router::find_topic(std::string_view topic) {
  auto at = topics_.find(topic);
  return at == topics_.end() ? nullptr : &at->second;
}

Router::Topic& Router::topic_named(const std::string& name) {
  auto [at, is_new] = topics_.try_emplace(name);
  if (is_new) at->second.policy = options_.policies.of(name);
  return at->second;
}

void Router::note_writable(const PeerId& id, Peer& peer, PubsubEffects& effects) {
  if (!peer.version || peer.outbox.is_empty() || std::exchange(peer.is_noted, true)) return;
  effects.writable.push_back(id);
}

PubsubEffects Router::finish(PubsubEffects effects) {
  for (const PeerId& id : effects.writable) peers_.at(id).is_noted = false;
  return effects;
}

void Router::refuse(const PeerId& peer, Refusal reason, std::string_view topic, std::string detail,
                    PubsubEffects& effects) {
  ++counters_.refused[static_cast<std::size_t>(reason)];
  if (reason == Refusal::duplicate) return;
  bool is_to_blame = reason == Refusal::bad_fields || reason == Refusal::bad_signature || reason == Refusal::rejected;
  if (is_to_blame) {
    scores_.invalid_message(peer, topic);
    if (Topic* ours = find_topic(topic)) ++ours->counters.rejected;
  }
  effects.events.emplace_back(MessageRefused{peer, reason, std::string(topic), std::move(detail)});
}

PubsubEffects Router::peer_added(const PeerId& id, PeerClass peer_class, Now now) {
  auto [at, is_new] = peers_.try_emplace(id);
  if (is_new) {
    at->second.outbox = Outbox(options_.outbox_limits);
    scores_.connected(id);
    auto departed = departed_.extract(id);
    if (!departed.empty() && now.instant < departed.mapped().at + cache_age()) {
      at->second.catch_up.paid_until = departed.mapped().catch_ups_paid;
      note_missed(at->second, cache_.since(departed.mapped().at - cache_age()));
    }
  }
  at->second.peer_class = peer_class;
  apply_application_score(id, at->second);
  return {};
}

void Router::apply_application_score(const PeerId& id, const Peer& peer) {
  const ClassScores& of_class = options_.class_scores;
  double score = peer.peer_class == PeerClass::committee    ? of_class.committee
                 : peer.peer_class == PeerClass::registered ? of_class.registered
                 : peer.peer_class == PeerClass::light      ? of_class.light
                                                            : of_class.denied;
  scores_.set_application_score(id, peer.application_score.value_or(score));
  bool is_spared = peer.is_direct || peer.peer_class == PeerClass::committee;
  scores_.set_promises_max(id, is_spared ? options_.member_promises_max : std::numeric_limits<double>::infinity());
}

// Light ones give way first: there may be any number of them.
void Router::note_departed(const PeerId& id, const Peer& peer, Now now) {
  if (!peer.catch_up.from) return;
  if (departed_.size() >= options_.departed_max) {
    departed_.erase(std::min_element(departed_.begin(), departed_.end(), [](const auto& a, const auto& b) {
      return std::pair(!a.second.is_light, a.second.at) < std::pair(!b.second.is_light, b.second.at);
    }));
  }
  departed_[id] = {now.instant, peer.peer_class == PeerClass::light, peer.catch_up.paid_until};
}

void Router::peer_removed(const PeerId& id, Now now) {
  inbound_closed(id);
  for (auto& [name, topic] : topics_) topic.fanout.erase(id);
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  note_departed(id, at->second, now);
  peers_.erase(at);
  scores_.disconnected(id, now.instant);
  // What it was asked for is free to be asked of others at once.
  wanted_.left(id);
}

void Router::set_peer_origin(const PeerId& id, PeerOrigin origin) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  scores_.set_address_group(id, origin.address_group);
  at->second.origin = std::move(origin);
}

void Router::set_peer_record(const PeerId& id, Bytes signed_record) {
  auto at = peers_.find(id);
  if (at == peers_.end() || signed_record.size() > options_.rpc_limits.exchange_record_bytes) return;
  at->second.signed_record = std::move(signed_record);
}

void Router::set_application_score(const PeerId& id, double score) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  at->second.application_score = score;
  apply_application_score(id, at->second);
}

void Router::set_direct(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  at->second.is_direct = true;
  apply_application_score(id, at->second);
}

PubsubEffects Router::outbound_opened(const PeerId& id, MeshsubVersion version, Now now) {
  PubsubEffects effects;
  auto at = peers_.find(id);
  if (at == peers_.end()) return effects;
  Peer& peer = at->second;
  // What the stream before it had taken may be lost with its connection.
  if (std::exchange(peer.version, version) && follows_ours(peer)) note_missed(peer, cache_.begin());
  peer.stream_missed.reset();
  // What an earlier stream was to say of subscriptions and meshes is void: the remote starts from nothing.
  peer.outbox.keep_messages();
  for (auto& [name, topic] : topics_) {
    if (!topic.subscribed) continue;
    peer.outbox.subscription(name, true);
    graft_as_leaf(id, peer, name, now, effects);
    bool we_graft = topic.policy == TopicPolicy::mesh || topic.policy == TopicPolicy::leaf;
    if (we_graft && topic.grafted.contains(id)) peer.outbox.graft(name);
  }
  note_writable(id, peer, effects);
  return finish(std::move(effects));
}

void Router::outbound_closed(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  at->second.version.reset();
  at->second.outbox.clear();
  if (follows_ours(at->second)) note_missed(at->second, cache_.begin());
}

void Router::inbound_closed(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end()) return;
  if (follows_ours(at->second)) note_missed(at->second, cache_.begin());
  at->second.topics.clear();
  at->second.refused_topics.clear();
  at->second.unwanted.clear();
  for (auto& [name, topic] : topics_) {
    if (topic.grafted.erase(id) > 0) scores_.pruned(id, name);
  }
}

PubsubEffects Router::recheck(const PeerId& id, Now now) {
  PubsubEffects effects;
  auto at = peers_.find(id);
  if (at == peers_.end()) return effects;
  Peer& peer = at->second;
  auto asked_for = std::exchange(peer.refused_topics, {});
  std::erase_if(peer.topics, [&](const std::string& name) {
    if (access_.may_follow(id, name)) return false;
    peer.refused_topics.insert(name);
    if (Topic* ours = find_topic(name)) {
      leave(id, name, *ours, effects);
      ours->fanout.erase(id);
    }
    effects.events.emplace_back(PeerSubscription{id, name, false});
    return true;
  });
  for (const std::string& name : asked_for) {
    if (!access_.may_follow(id, name)) {
      if (peer.refused_topics.size() < options_.topics_per_peer_max) peer.refused_topics.insert(name);
    } else if (peer.topics.size() < options_.topics_per_peer_max) {
      peer.topics.insert(name);
      graft_as_leaf(id, peer, name, now, effects);
      effects.events.emplace_back(PeerSubscription{id, name, true});
    }
  }
  return finish(std::move(effects));
}

std::size_t Router::queued_bytes(const PeerId& id) const {
  auto at = peers_.find(id);
  return at == peers_.end() ? 0 : at->second.outbox.bytes();
}

Result<PubsubEffects> Router::subscribe(std::string_view topic, Now now) {
  if (!is_topic(as_bytes(topic))) return error("not a topic of 1 to 256 bytes of UTF-8");
  if (!options_.topics.allows(topic)) return error("topic " + std::string(topic) + " is not in the allow-list");
  PubsubEffects effects;
  std::string name(topic);
  Topic& ours = topic_named(name);
  if (std::exchange(ours.subscribed, true)) return effects;
  for (auto& [id, peer] : peers_) {
    if (!peer.version) continue;  // it hears all subscriptions when the stream opens
    peer.outbox.subscription(name, true);
    graft_as_leaf(id, peer, name, now, effects);
    note_writable(id, peer, effects);
  }
  if (ours.policy == TopicPolicy::mesh) start_mesh(name, ours, now, effects);
  return finish(std::move(effects));
}

PubsubEffects Router::unsubscribe(std::string_view name, Now now) {
  PubsubEffects effects;
  auto at = topics_.find(name);
  if (at == topics_.end() || !std::exchange(at->second.subscribed, false)) return effects;
  for (auto& [id, peer] : peers_) {
    if (peer.version) peer.outbox.subscription(at->first, false);
    note_writable(id, peer, effects);
  }
  for (const PeerId& id : std::exchange(at->second.grafted, {})) {
    scores_.pruned(id, at->first);
    prune(id, at->first, Exchange::offered, options_.mesh.unsubscribe_backoff, now, effects);
  }
  return finish(std::move(effects));
}

std::optional<Bytes> Router::next_frame(const PeerId& id) {
  auto at = peers_.find(id);
  if (at == peers_.end() || !at->second.version) return std::nullopt;
  auto frame = at->second.outbox.next_frame(*at->second.version);
  if (!frame) return std::nullopt;
  ++counters_.rpcs_out;
  counters_.bytes_out += frame->size();
  return frame;
}

bool Router::is_subscribed(std::string_view topic) const {
  auto at = topics_.find(topic);
  return at != topics_.end() && at->second.subscribed;
}

std::vector<PeerId> Router::subscribers(std::string_view topic) const {
  std::vector<PeerId> ids;
  for (const auto& [id, peer] : peers_) {
    if (peer.topics.contains(topic)) ids.push_back(id);
  }
  return ids;
}

std::vector<PeerId> Router::grafted(std::string_view topic) const {
  auto at = topics_.find(topic);
  if (at == topics_.end()) return {};
  return {at->second.grafted.begin(), at->second.grafted.end()};
}

std::optional<PeerClass> Router::class_of(const PeerId& id) const {
  auto at = peers_.find(id);
  if (at == peers_.end()) return std::nullopt;
  return at->second.peer_class;
}

std::vector<TopicView> Router::topics() const {
  std::vector<TopicView> out(1);
  for (const auto& [name, topic] : topics_) {
    if (topic.subscribed) {
      out.push_back({name, topic.counters, subscribers(name).size(), topic.grafted.size()});
    } else {
      out.front().counters += topic.counters;
    }
  }
  return out;
}

}  // namespace kms::net
