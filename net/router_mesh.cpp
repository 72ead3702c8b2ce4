// GRAFT and PRUNE, joining and leaving, the upkeep of meshes and fanouts (LIBP2P.md 8.3).
#include <algorithm>

#include "net/draw.h"
#include "net/router.h"

namespace kms::net {
namespace {

// Strangers without an address that counts share one.
std::string backoff_group(PeerClass peer_class, const PeerOrigin& origin) {
  if (peer_class != PeerClass::light) return {};
  return origin.address_group.empty() ? "exempt" : origin.address_group;
}

std::uint64_t whole_seconds(Duration time) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

void Router::join(const PeerId& id, const std::string& name, Topic& topic, Now now, PubsubEffects& effects) {
  if (!topic.grafted.insert(id).second) return;
  scores_.grafted(id, name, now.instant);
  // What came since it was last announced to is not forwarded to it, and a member is not announced to.
  Duration announced = static_cast<int>(options_.gossip_windows) * options_.heartbeat;
  note_missed(peers_.at(id), cache_.since(now.instant - announced));
  effects.events.emplace_back(PeerGrafted{id, name});
}

void Router::leave(const PeerId& id, const std::string& name, Topic& topic, PubsubEffects& effects) {
  if (topic.grafted.erase(id) == 0) return;
  scores_.pruned(id, name);
  effects.events.emplace_back(PeerPruned{id, name});
}

void Router::graft(const PeerId& id, const std::string& name, Topic& topic, Now now, PubsubEffects& effects) {
  Peer& peer = peers_.at(id);
  join(id, name, topic, now, effects);
  peer.outbox.graft(name);
  ++counters_.grafts_out;
  note_writable(id, peer, effects);
}

void Router::prune(const PeerId& id, const std::string& name, Exchange exchange, Duration backoff, Now now,
                   PubsubEffects& effects) {
  Peer& peer = peers_.at(id);
  backoffs_.add(name, id, now.instant + backoff, backoff_group(peer.peer_class, peer.origin));
  if (!peer.version) return;
  std::vector<ExchangePeer> offered;
  if (exchange == Exchange::offered && *peer.version != MeshsubVersion::v1_0) offered = exchange_peers(id, name);
  peer.outbox.prune(name, whole_seconds(backoff), std::move(offered));
  ++counters_.prunes_out;
  note_writable(id, peer, effects);
}

// Addresses of light clients are nobody's business.
std::vector<ExchangePeer> Router::exchange_peers(const PeerId& except, const std::string& name) {
  std::vector<ExchangePeer> all;
  if (options_.mesh.exchange_peers == 0) return all;
  for (const auto& [id, peer] : peers_) {
    if (id == except || peer.signed_record.empty() || peer.peer_class == PeerClass::light) continue;
    if (!peer.topics.contains(name) || scores_.score(id) < 0) continue;
    all.push_back({to_bytes(id.bytes()), peer.signed_record});
  }
  return sample(entropy_, std::move(all), options_.mesh.exchange_peers);
}

// Why a GRAFT is refused: what the PRUNE may hold. Nothing: it is welcome.
std::optional<Router::Exchange> Router::refusal_of_graft(const PeerId& id, const Peer& peer, const std::string& name,
                                                         const Topic& topic, Now now) {
  const MeshOptions& mesh = options_.mesh;
  if (!access_.may_follow(id, name)) return Exchange::none;
  const bool has_mesh = topic.policy == TopicPolicy::mesh;
  if (has_mesh && peer.is_direct) return Exchange::none;
  if (auto end = backoffs_.end(name, id); end && now.instant < *end) {
    ++counters_.grafts_in_backoff;
    bool is_flood = now.instant < *end + mesh.graft_flood_threshold - mesh.prune_backoff;
    scores_.misbehaved(id, is_flood ? 2 : 1);
    return Exchange::none;
  }
  if (scores_.score(id) < 0) return Exchange::none;
  if (has_mesh && topic.grafted.size() >= mesh.high && !peer.origin.is_dialled) return Exchange::offered;
  const std::size_t light_max = has_mesh ? mesh.light : options_.light_listeners_max;
  return has_light_place(topic, peer, light_max) ? std::nullopt : std::optional(Exchange::offered);
}

// One that is not light needs none.
bool Router::has_light_place(const Topic& topic, const Peer& peer, std::size_t most) const {
  if (peer.peer_class != PeerClass::light) return true;
  auto light = std::count_if(topic.grafted.begin(), topic.grafted.end(),
                             [this](const PeerId& member) { return peers_.at(member).peer_class == PeerClass::light; });
  return static_cast<std::size_t>(light) < most;
}

void Router::receive_grafts(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  for (ByteView raw : rpc.grafts) {
    ++counters_.grafts_in;
    Topic* topic = find_topic(as_text(raw));
    if (topic == nullptr || !topic->subscribed || topic->grafted.contains(id)) continue;
    std::string name(as_text(raw));
    if (auto refusal = refusal_of_graft(id, peer, name, *topic, now)) {
      prune(id, name, *refusal, options_.mesh.prune_backoff, now, effects);
    } else {
      join(id, name, *topic, now, effects);
    }
  }
}

void Router::receive_prunes(const PeerId& id, const Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects) {
  for (const PruneView& view : rpc.prunes) {
    ++counters_.prunes_in;
    Topic* topic = find_topic(as_text(view.topic));
    if (topic == nullptr || !topic->subscribed) continue;
    Duration backoff = options_.mesh.prune_backoff;
    if (view.backoff_s) backoff = std::chrono::seconds(std::min(*view.backoff_s, kBackoffSecondsMax));
    std::string name(as_text(view.topic));
    backoffs_.add(name, id, now.instant + backoff, backoff_group(peer.peer_class, peer.origin));
    leave(id, name, *topic, effects);
    receive_offers(id, view, effects);
  }
}

void Router::receive_offers(const PeerId& id, const PruneView& prune, PubsubEffects& effects) {
  if (prune.peers.empty() || scores_.score(id) < options_.thresholds.accept_exchange) return;
  PeersOffered offered{id, std::string(as_text(prune.topic)), {}};
  for (const PruneView::Peer& view : prune.peers) {
    auto peer = PeerId::parse(view.id);
    if (!peer || view.signed_record.empty() || *peer == self_.peer_id() || peers_.contains(*peer)) continue;
    offered.offers.push_back({*peer, to_bytes(view.signed_record)});
  }
  if (!offered.offers.empty()) effects.events.emplace_back(std::move(offered));
}

void Router::graft_as_leaf(const PeerId& id, Peer& peer, const std::string& name, Now now, PubsubEffects& effects) {
  Topic* topic = find_topic(name);
  if (topic == nullptr || topic->policy != TopicPolicy::leaf || peer.peer_class != PeerClass::committee) return;
  if (!topic->subscribed || !peer.version || !peer.topics.contains(name) || topic->grafted.contains(id)) return;
  auto end = backoffs_.end(name, id);
  if (end && now.instant < *end) return;
  graft(id, name, *topic, now, effects);
}

MeshPeer Router::mesh_peer(const PeerId& id, const Peer& peer) const {
  return {id, scores_.score(id), peer.origin.is_dialled, peer.peer_class == PeerClass::light};
}

std::vector<MeshPeer> Router::graft_candidates(const std::string& name, const Topic& topic) const {
  std::vector<MeshPeer> out;
  for (const auto& [id, peer] : peers_) {
    if (!peer.version || peer.is_direct || !peer.topics.contains(name) || topic.grafted.contains(id)) continue;
    if (backoffs_.counts(name, id)) continue;
    if (MeshPeer candidate = mesh_peer(id, peer); candidate.score >= 0) out.push_back(std::move(candidate));
  }
  return out;
}

// JOIN: who heard our messages already, then others.
void Router::start_mesh(const std::string& name, Topic& topic, Now now, PubsubEffects& effects) {
  std::vector<MeshPeer> known, others, members;
  for (MeshPeer& peer : graft_candidates(name, topic)) {
    (topic.fanout.contains(peer.id) ? known : others).push_back(std::move(peer));
  }
  topic.fanout.clear();
  for (auto* from : {&known, &others}) {
    std::size_t missing = options_.mesh.target - members.size();
    for (MeshPeer& peer : choose_grafts(options_.mesh, members, std::move(*from), missing, entropy_)) {
      graft(peer.id, name, topic, now, effects);
      members.push_back(std::move(peer));
    }
  }
}

// Where there is no mesh: who misbehaved has no place among those that hear everything.
void Router::drop_negative(const std::string& name, Topic& topic, Now now, PubsubEffects& effects) {
  std::vector<PeerId> bad;
  for (const PeerId& id : topic.grafted) {
    if (!peers_.at(id).is_direct && scores_.score(id) < 0) bad.push_back(id);
  }
  for (const PeerId& id : bad) {
    leave(id, name, topic, effects);
    prune(id, name, Exchange::none, options_.mesh.prune_backoff, now, effects);
  }
}

void Router::keep_mesh(const std::string& name, Topic& topic, Now now, PubsubEffects& effects) {
  std::vector<PeerId> lost;
  for (const PeerId& id : topic.grafted) {
    const auto& missed = peers_.at(id).stream_missed;
    if (missed && now.instant >= *missed + options_.stream_lost_max) lost.push_back(id);
  }
  for (const PeerId& id : lost) leave(id, name, topic, effects);

  std::vector<MeshPeer> members;
  for (const PeerId& id : topic.grafted) members.push_back(mesh_peer(id, peers_.at(id)));
  std::optional<double> median_below;
  if (heartbeats_ % options_.mesh.opportunistic_heartbeats == 0) {
    median_below = options_.thresholds.opportunistic_graft;
  }
  auto change = maintain_mesh(options_.mesh, std::move(members), graft_candidates(name, topic), median_below, entropy_);
  for (const PeerId& id : change.graft) graft(id, name, topic, now, effects);
  for (const PeerId& id : change.drop) {
    leave(id, name, topic, effects);
    prune(id, name, Exchange::none, options_.mesh.prune_backoff, now, effects);
  }
  for (const PeerId& id : change.prune) {
    leave(id, name, topic, effects);
    prune(id, name, Exchange::offered, options_.mesh.prune_backoff, now, effects);
  }
}

void Router::fill_fanout(const std::string& name, Topic& topic) {
  if (topic.fanout.size() >= options_.mesh.target) return;
  std::vector<PeerId> others;
  for (const auto& [id, peer] : peers_) {
    if (!peer.version || peer.is_direct || !peer.topics.contains(name) || topic.fanout.contains(id)) continue;
    if (scores_.score(id) >= options_.thresholds.publish) others.push_back(id);
  }
  auto chosen = sample(entropy_, std::move(others), options_.mesh.target - topic.fanout.size());
  topic.fanout.insert(chosen.begin(), chosen.end());
}

void Router::keep_fanout(const std::string& name, Topic& topic, Now now) {
  if (topic.fanout.empty()) return;
  if (now.instant >= topic.fanout_used + options_.mesh.fanout_ttl) return topic.fanout.clear();
  std::erase_if(topic.fanout, [&](const PeerId& id) {
    return !peers_.at(id).topics.contains(name) || scores_.score(id) < options_.thresholds.publish;
  });
  fill_fanout(name, topic);
}

}  // namespace kms::net
