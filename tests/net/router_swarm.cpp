#include "tests/net/router_swarm.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::net {

RouterOptions swarm_router_options() {
  RouterOptions options;
  options.topics.allows_all = true;
  options.mesh.flood_publish_bytes = 0;
  return options;
}

RouterSwarm::RouterSwarm(RouterSwarmOptions options, std::uint64_t seed) : options_(std::move(options)), random_(seed) {
  for (Index i = 0; i < options_.nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(Identity::generate(random_), options_.router, random_.next(), now_));
    by_peer_[nodes_[i]->identity.peer_id()] = i;
    wake(i);
  }
  for (Index i = 0; i < options_.nodes; ++i) {
    absorb(i, nodes_[i]->router.subscribe(kTopic, now_).value());
    for (std::size_t dials = 0; dials < options_.dials;) {
      const Index other = random_.below(options_.nodes);
      if (other == i || nodes_[i]->neighbours.contains(other)) continue;
      connect(i, other);
      ++dials;
    }
  }
}

void RouterSwarm::connect(Index dialler, Index listener) {
  for (const auto& [self, other] : {std::pair(dialler, listener), std::pair(listener, dialler)}) {
    Node& node = *nodes_[self];
    const PeerId& peer = nodes_[other]->identity.peer_id();
    node.neighbours.insert(other);
    absorb(self, node.router.peer_added(peer, PeerClass::registered, now_));
    node.router.set_peer_origin(peer, {.is_dialled = self == dialler, .address_group = ""});
    absorb(self, node.router.outbound_opened(peer, MeshsubVersion::v1_2, now_));
  }
}

void RouterSwarm::wake(Index node) {
  events_.push({std::max(now_.instant, nodes_[node]->router.wakes_at()), next_event_++, node, std::nullopt, nullptr});
}

void RouterSwarm::run(Duration time) {
  const Instant end = now_.instant + time;
  while (!events_.empty() && events_.top().at <= end) {
    const Event event = events_.top();
    events_.pop();
    now_.unix_ms += (event.at - now_.instant) / 1ms;
    now_.instant = event.at;
    Node& node = *nodes_[event.to];
    if (node.is_gone) continue;
    if (event.from) {
      arrive(event);
    } else {
      absorb(event.to, node.router.tick(now_));
      wake(event.to);
    }
  }
  now_.instant = end;
}

void RouterSwarm::arrive(const Event& event) {
  Uvarint size;
  KMS_ASSERT(parse_uvarint(*event.frame, size) == UvarintState::complete);
  const ByteView body = ByteView(*event.frame).subspan(size.size);
  absorb(event.to, nodes_[event.to]->router.received(nodes_[*event.from]->identity.peer_id(), body, now_));
}

void RouterSwarm::absorb(Index index, PubsubEffects effects) {
  Node& node = *nodes_[index];
  for (const auto& delivery : effects.deliver) {
    auto& hops = hops_[delivery.id];
    KMS_ASSERT(hops.emplace(index, hops[by_peer_.at(delivery.received_from)] + 1).second);  // never twice
    auto rest = node.router.validated(delivery.id, Verdict::accept, now_);
    for (const PeerId& peer : rest.writable) send_frames(index, by_peer_.at(peer));
  }
  for (const PeerId& peer : effects.writable) send_frames(index, by_peer_.at(peer));
}

void RouterSwarm::send_frames(Index from, Index to) {
  while (auto frame = nodes_[from]->router.next_frame(nodes_[to]->identity.peer_id())) {
    Uvarint size;
    KMS_ASSERT(parse_uvarint(*frame, size) == UvarintState::complete);
    if (is_lost(from, to, ByteView(*frame).subspan(size.size))) continue;
    const auto jitter = static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(options_.jitter.count())));
    events_.push({now_.instant + options_.delay + Duration(jitter), next_event_++, to, from,
                  std::make_shared<const Bytes>(std::move(*frame))});
  }
}

bool RouterSwarm::is_lost(Index from, Index to, ByteView body) {
  if (nodes_[to]->is_gone || !nodes_[to]->neighbours.contains(from)) return true;
  if (border_ && (from < *border_) != (to < *border_)) return true;
  const auto rpc = parse_rpc(body);
  KMS_ASSERT(rpc.has_value());
  if (nodes_[from]->is_sybil && !rpc->messages.empty()) return true;
  return loses_ && rpc->subscriptions.empty() && random_.chance(options_.loss_per_mille);
}

MessageId RouterSwarm::publish(Index from, std::size_t bytes) {
  Bytes payload(bytes);
  random_.fill(payload);
  auto published = nodes_[from]->router.publish(kTopic, std::move(payload), now_);
  KMS_ASSERT(published.has_value());
  ++published_;
  hops_[published->id][from] = 0;
  absorb(from, std::move(published->effects));
  return published->id;
}

void RouterSwarm::leave(Index index) {
  Node& node = *nodes_[index];
  node.is_gone = true;
  for (const Index other : node.neighbours) {
    nodes_[other]->neighbours.erase(index);
    nodes_[other]->router.peer_removed(node.identity.peer_id(), now_);
  }
  node.neighbours.clear();
}

std::vector<RouterSwarm::Index> RouterSwarm::honest() const {
  std::vector<Index> out;
  for (Index i = 0; i < nodes_.size(); ++i) {
    if (!nodes_[i]->is_gone && !nodes_[i]->is_sybil) out.push_back(i);
  }
  return out;
}

RouterSwarm::Index RouterSwarm::any() {
  const auto all = honest();
  return all[random_.below(all.size())];
}

std::size_t RouterSwarm::reached(const MessageId& message) const {
  const auto at = hops_.find(message);
  if (at == hops_.end()) return 0;
  const auto all = honest();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](Index node) { return at->second.contains(node); }));
}

std::vector<std::size_t> RouterSwarm::hops() const {
  std::vector<std::size_t> out;
  for (const auto& [message, of_node] : hops_) {
    for (const auto& [node, hops] : of_node) {
      if (hops > 0 && !nodes_[node]->is_sybil) out.push_back(hops);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

double RouterSwarm::sybil_share() const {
  double all = 0, sybils = 0;
  for (const Index node : honest()) {
    for (const PeerId& peer : nodes_[node]->router.grafted(kTopic)) {
      ++all;
      if (nodes_[by_peer_.at(peer)]->is_sybil) ++sybils;
    }
  }
  return sybils / all;
}

RouterSwarm::Costs RouterSwarm::costs() const {
  Costs costs{.messages = static_cast<double>(published_)};
  const auto all = honest();
  for (const Index node : all) {
    const PubsubCounters& now = nodes_[node]->router.counters();
    const PubsubCounters& before = nodes_[node]->counters_before;
    constexpr auto kDuplicate = static_cast<std::size_t>(Refusal::duplicate);
    costs.duplicates += static_cast<double>(now.refused[kDuplicate] - before.refused[kDuplicate]);
    costs.bytes += static_cast<double>(now.bytes_in - before.bytes_in);
    costs.checks += static_cast<double>(now.signatures_checked - before.signatures_checked);
    costs.pulled += static_cast<double>(now.pulled - before.pulled);
  }
  const double share = costs.messages * static_cast<double>(all.size());
  for (double* value : {&costs.duplicates, &costs.bytes, &costs.checks, &costs.pulled}) *value /= share;
  return costs;
}

void RouterSwarm::forget_counts() {
  published_ = 0;
  hops_.clear();
  for (auto& node : nodes_) node->counters_before = node->router.counters();
}

}  // namespace kms::net
