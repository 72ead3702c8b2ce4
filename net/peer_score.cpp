#include "net/peer_score.h"

#include <algorithm>
#include <cmath>

namespace kms::net {
namespace {

double square(double value) {
  return value * value;
}

}  // namespace

PeerScores::Peer* PeerScores::find(const PeerId& peer) {
  auto at = peers_.find(peer);
  return at == peers_.end() ? nullptr : &at->second;
}

PeerScores::Topic* PeerScores::find_topic(const PeerId& id, std::string_view topic) {
  Peer* peer = find(id);
  if (peer == nullptr) return nullptr;
  auto at = peer->topics.find(topic);
  if (at == peer->topics.end()) at = peer->topics.emplace(std::string(topic), Topic{}).first;
  return &at->second;
}

const TopicScoreOptions& PeerScores::options_of(std::string_view topic) const {
  auto at = options_.topics.find(topic);
  return at == options_.topics.end() ? options_.topic : at->second;
}

void PeerScores::connected(const PeerId& id) {
  auto [at, is_new] = peers_.try_emplace(id);
  if (!is_new && !std::exchange(at->second.is_connected, true)) --retained_;
}

void PeerScores::disconnected(const PeerId& id, Instant now) {
  Peer* peer = find(id);
  if (peer == nullptr || !peer->is_connected) return;
  for (auto& [name, topic] : peer->topics) {
    topic.first_deliveries = 0;
    keep_failure(topic, options_of(name));
    topic.is_in_mesh = false;
  }
  if (!counts_against(*peer)) {
    leave_group(id, peer->address_group);
    peers_.erase(id);
    return;
  }
  peer->is_connected = false;
  peer->forget_at = now + options_.retain;
  ++retained_;
  bound_retained();
}

// Its own doing, or a class that is not trusted. Neighbours in its address group are not: they would outlive each
// other.
bool PeerScores::counts_against(const Peer& peer) const {
  if (peer.p7() > 0 || conduct_of(peer) < 0) return true;
  return std::any_of(peer.topics.begin(), peer.topics.end(),
                     [](const auto& topic) { return topic.second.invalid > 0 || topic.second.mesh_failure > 0; });
}

void PeerScores::bound_retained() {
  if (retained_ <= options_.retained_max) return;
  auto oldest = peers_.end();
  for (auto at = peers_.begin(); at != peers_.end(); ++at) {
    if (at->second.is_connected) continue;
    if (oldest == peers_.end() || at->second.forget_at < oldest->second.forget_at) oldest = at;
  }
  leave_group(oldest->first, oldest->second.address_group);
  peers_.erase(oldest);
  --retained_;
}

void PeerScores::set_application_score(const PeerId& id, double value) {
  if (Peer* peer = find(id)) peer->application = value;
}

void PeerScores::set_address_group(const PeerId& id, std::string group) {
  Peer* peer = find(id);
  if (peer == nullptr || peer->address_group == group) return;
  leave_group(id, peer->address_group);
  if (!group.empty()) groups_[group].insert(id);
  peer->address_group = std::move(group);
}

void PeerScores::leave_group(const PeerId& id, const std::string& group) {
  auto at = groups_.find(group);
  if (at == groups_.end()) return;
  at->second.erase(id);
  if (at->second.empty()) groups_.erase(at);
}

void PeerScores::grafted(const PeerId& id, std::string_view name, Instant now) {
  Topic* topic = find_topic(id, name);
  if (topic == nullptr) return;
  topic->is_in_mesh = true;
  topic->is_active = false;
  topic->grafted_at = now;
  topic->time_in_mesh = {};
}

void PeerScores::pruned(const PeerId& id, std::string_view name) {
  Topic* topic = find_topic(id, name);
  if (topic == nullptr) return;
  keep_failure(*topic, options_of(name));
  topic->is_in_mesh = false;
}

void PeerScores::keep_failure(Topic& topic, const TopicScoreOptions& options) const {
  if (!topic.is_in_mesh || !topic.is_active) return;
  topic.mesh_failure += square(std::max(0.0, options.mesh_deliveries_threshold - topic.mesh_deliveries));
}

void PeerScores::first_delivery(const PeerId& id, std::string_view name) {
  Topic* topic = find_topic(id, name);
  if (topic == nullptr) return;
  topic->first_deliveries = std::min(topic->first_deliveries + 1, options_of(name).first_deliveries_cap);
  mesh_delivery(id, name);
}

void PeerScores::mesh_delivery(const PeerId& id, std::string_view name) {
  Topic* topic = find_topic(id, name);
  if (topic == nullptr || !topic->is_in_mesh) return;
  topic->mesh_deliveries = std::min(topic->mesh_deliveries + 1, options_of(name).mesh_deliveries_cap);
}

void PeerScores::invalid_message(const PeerId& id, std::string_view name) {
  if (Topic* topic = find_topic(id, name)) topic->invalid += 1;
}

void PeerScores::misbehaved(const PeerId& id, double count) {
  if (Peer* peer = find(id)) peer->misbehaviour += count;
}

void PeerScores::broke_promises(const PeerId& id, double count) {
  if (Peer* peer = find(id)) peer->broken_promises += count;
}

void PeerScores::redeemed_promise(const PeerId& id, Duration age) {
  Peer* peer = find(id);
  if (peer == nullptr) return;
  double left = std::pow(options_.misbehaviour_decay, static_cast<double>(age / options_.decay_interval));
  peer->broken_promises = std::max(0.0, peer->broken_promises - left);
}

void PeerScores::set_promises_max(const PeerId& id, double most) {
  if (Peer* peer = find(id)) peer->promises_max = most;
}

void PeerScores::decay_value(double& value, double factor) const {
  value *= factor;
  if (value < options_.decay_to_zero) value = 0;
}

// What is retained does not decay: staying away is no conduct.
void PeerScores::decay(Instant now) {
  for (auto at = peers_.begin(); at != peers_.end();) {
    auto& [id, peer] = *at;
    if (!peer.is_connected) {
      if (now < peer.forget_at) {
        ++at;
        continue;
      }
      leave_group(id, peer.address_group);
      at = peers_.erase(at);
      --retained_;
      continue;
    }
    for (auto& [name, topic] : peer.topics) {
      const TopicScoreOptions& options = options_of(name);
      decay_value(topic.first_deliveries, options.first_deliveries_decay);
      decay_value(topic.mesh_deliveries, options.mesh_deliveries_decay);
      decay_value(topic.mesh_failure, options.mesh_failure_decay);
      decay_value(topic.invalid, options.invalid_decay);
      if (!topic.is_in_mesh) continue;
      topic.time_in_mesh = now - topic.grafted_at;
      if (topic.time_in_mesh > options.mesh_deliveries_activation) topic.is_active = true;
    }
    decay_value(peer.misbehaviour, options_.misbehaviour_decay);
    decay_value(peer.broken_promises, options_.misbehaviour_decay);
    ++at;
  }
}

double PeerScores::topic_score(const Topic& topic, const TopicScoreOptions& options) const {
  double sum = options.first_deliveries_weight * topic.first_deliveries +
               options.mesh_failure_weight * topic.mesh_failure + options.invalid_weight * square(topic.invalid);
  if (topic.is_in_mesh) {
    auto quanta = static_cast<double>(topic.time_in_mesh / options.time_in_mesh_quantum);
    sum += options.time_in_mesh_weight * std::min(quanta, options.time_in_mesh_cap);
  }
  if (topic.is_active) {
    double deficit = std::max(0.0, options.mesh_deliveries_threshold - topic.mesh_deliveries);
    sum += options.mesh_deliveries_weight * square(deficit);
  }
  return sum * options.weight;
}

double PeerScores::conduct_of(const Peer& peer) const {
  double topics = 0;
  for (const auto& [name, topic] : peer.topics) topics += topic_score(topic, options_of(name));
  if (options_.topic_cap > 0) topics = std::min(topics, options_.topic_cap);
  double excess = std::max(0.0, peer.p7() - options_.misbehaviour_threshold);
  return topics + options_.application_weight * peer.application + options_.misbehaviour_weight * square(excess);
}

double PeerScores::score_of(const Peer& peer) const {
  double score = conduct_of(peer);
  if (auto group = groups_.find(peer.address_group); group != groups_.end()) {
    if (group->second.size() > options_.colocation_threshold) {
      auto surplus = static_cast<double>(group->second.size() - options_.colocation_threshold);
      score += options_.colocation_weight * square(surplus);
    }
  }
  return score;
}

double PeerScores::score(const PeerId& id) const {
  auto at = peers_.find(id);
  return at == peers_.end() ? 0 : score_of(at->second);
}

double PeerScores::misbehaviour(const PeerId& id) const {
  auto at = peers_.find(id);
  return at == peers_.end() ? 0 : at->second.p7();
}

}  // namespace kms::net
