// The announcements of a heartbeat: recent messages to some, and to those that may have missed something what they
// missed (LIBP2P.md 8.9).
#include <algorithm>

#include "net/draw.h"
#include "net/router.h"

namespace kms::net {

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

void Router::note_missed(Peer& peer, std::uint64_t from) {
  CatchUp& catch_up = peer.catch_up;
  from = std::max(from, cache_.begin());
  if (catch_up.from && *catch_up.from <= from) return;
  catch_up.from = from;
  catch_up.is_paid = false;
}

// Who follows only what we do not carry misses nothing of us.
bool Router::follows_ours(const Peer& peer) const {
  return std::any_of(topics_.begin(), topics_.end(),
                     [&](const auto& topic) { return peer.topics.contains(topic.first); });
}

void Router::Announcement::add(std::string_view topic, const std::vector<MessageId>& messages) {
  if (messages.empty()) return;
  writer.ihave(topic, messages);
  ids += messages.size();
}

// Those that missed something and can be told: members first, within a class those that waited longest.
std::vector<PeerId> Router::catch_up_order() const {
  std::vector<std::tuple<PeerClass, std::uint64_t, PeerId>> waiting;
  for (const auto& [id, peer] : peers_) {
    if (!peer.catch_up.from || !peer.version || !peer.outbox.has_room(0) || !may_gossip(id)) continue;
    if (follows_ours(peer)) waiting.emplace_back(peer.peer_class, peer.catch_up.served_at, id);
  }
  std::sort(waiting.begin(), waiting.end());
  std::vector<PeerId> out;
  for (auto& [peer_class, served_at, id] : waiting) out.push_back(std::move(id));
  return out;
}

// Going back further than the last announcements is paid for: some at once, then one in an interval.
bool Router::may_catch_up(Peer& peer, Now now) const {
  CatchUp& catch_up = peer.catch_up;
  if (catch_up.is_paid || *catch_up.from >= cache_.since_windows(options_.gossip_windows + 1)) return true;
  Duration ahead = (options_.catch_up_burst - 1) * options_.catch_up_interval;
  if (now.instant + ahead < catch_up.paid_until) return false;
  catch_up.paid_until = std::max(catch_up.paid_until, now.instant) + options_.catch_up_interval;
  catch_up.is_paid = true;
  return true;
}

// To those whose stream was lost, whose queue was full or who just joined a mesh. What is too much waits for the next
// heartbeat; the oldest go first, since they are forgotten first.
Router::Announcements Router::announce_missed(Now now) {
  Announcements out;
  std::size_t looks = options_.catch_up_looks_max;
  for (const PeerId& id : catch_up_order()) {
    if (looks == 0) break;
    Peer& peer = peers_.at(id);
    if (!may_catch_up(peer, now)) continue;
    peer.catch_up.served_at = heartbeats_;
    auto missed = cache_.missed(peer.topics, id, peer.outbox, *peer.catch_up.from, {announced_max(), looks});
    looks -= missed.end - missed.begin;
    counters_.caught_up += missed.end - missed.begin;
    Announcement& to = out[id];
    to.begin = missed.begin;
    to.end = missed.end;
    for (const auto& [topic, ids] : missed.ids) to.add(topic, ids);
  }
  return out;
}

// What is recent, without what the catch-up of this heartbeat holds. Beyond the limit a random part, so that different
// neighbours announce different ones.
void Router::announce_recent(const std::string& name, const PeerId& id, Announcement& to, Now now) {
  std::vector<MessageId> recent;
  for (auto& message : cache_.announceable(name, id, peers_.at(id).outbox, options_.gossip_windows,
                                           now.instant - options_.gossip_age_min)) {
    if (message.serial < to.begin || message.serial >= to.end) recent.push_back(std::move(message.id));
  }
  const std::size_t room = announced_max() - to.ids;
  if (recent.size() > room) recent = sample(entropy_, std::move(recent), room);
  to.add(name, recent);
}

// They hear what they are not known to have, and pull what they missed.
void Router::announce(Now now, PubsubEffects& effects) {
  Announcements out = announce_missed(now);
  for (const auto& [name, topic] : topics_) {
    for (const PeerId& id : gossip_targets(name, topic)) announce_recent(name, id, out[id], now);
  }
  for (const auto& [id, announcement] : out) {
    Peer& peer = peers_.at(id);
    if (announcement.ids > 0 && !peer.outbox.gossip(announcement.writer.control_bytes(), Outbox::Urgency::normal)) {
      ++counters_.dropped_gossip;
      continue;
    }
    if (announcement.ids > 0) note_writable(id, peer, effects);
    counters_.ihave_out += announcement.ids;
    auto& from = peer.catch_up.from;
    if (from) from = std::max(*from, announcement.end);
    if (from >= cache_.end()) from.reset();
  }
}

}  // namespace kms::net
