#include "bench/bus.h"

#include "base/assert.h"

namespace kms::bench {
namespace {

net::RouterOptions router_options(const BusOptions& options) {
  net::RouterOptions out;
  out.policies.otherwise = options.policy;
  out.topics.allows_all = true;
  return out;
}

}  // namespace

BusCounts BusCounts::operator-(const BusCounts& other) const {
  return {rpcs - other.rpcs, messages - other.messages, bytes - other.bytes,
          made - other.made, checked - other.checked,   duplicates - other.duplicates};
}

Bus::Node::Node(net::Identity key, BusOptions options, Entropy& entropy, Now now)
    : identity(std::move(key)), router(identity, router_options(options), entropy, now), busy_until(now.instant) {}

Bus::Bus(std::size_t nodes, BusOptions options, Deliver deliver) : options_(options), deliver_(std::move(deliver)) {
  for (NodeIndex i = 0; i < nodes; ++i) {
    nodes_.push_back(std::make_unique<Node>(net::Identity::generate(entropy_), options_, entropy_, now_));
    by_peer_[peer_id(i)] = i;
  }
}

void Bus::subscribe(NodeIndex node, const std::string& topic) {
  take_in(node, nodes_[node]->router.subscribe(topic, now_).value());
}

void Bus::connect() {
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    for (NodeIndex k = 0; k < nodes_.size(); ++k) {
      if (i == k) continue;
      take_in(i, nodes_[i]->router.peer_added(peer_id(k), net::PeerClass::committee, now_));
      take_in(i, nodes_[i]->router.outbound_opened(peer_id(k), net::MeshsubVersion::v1_2, now_));
    }
  }
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    send_frames(i);
    beat(i);
  }
  run(now() + 100ms);
}

void Bus::publish(NodeIndex node, const std::string& topic, dkg::Envelope item) {
  nodes_[node]->outbox[topic].push_back(std::move(item));
  wake(node);
}

void Bus::after(Duration delay, NodeIndex node, std::function<void()> action) {
  schedule(now() + delay, [this, node, action = std::move(action)] {
    nodes_[node]->actions.push_back(action);
    wake(node);
  });
}

void Bus::run(Instant until) {
  while (!events_.empty() && events_.top().at <= until) {
    Event event = events_.top();
    events_.pop();
    now_.instant = event.at;
    event.run();
  }
  now_.instant = std::max(now(), until);
}

BusCounts Bus::counts() const {
  BusCounts out;
  for (const auto& node : nodes_) {
    const auto& counters = node->router.counters();
    out.rpcs += counters.rpcs_in;
    out.bytes += counters.bytes_in;
    out.made += counters.signatures_made;
    out.checked += counters.signatures_checked;
    for (const auto& topic : node->router.topics()) {
      out.messages += topic.counters.received;
      out.duplicates += topic.counters.duplicates;
    }
  }
  return out;
}

void Bus::schedule(Instant at, std::function<void()> run) {
  events_.push({at, next_event_++, std::move(run)});
}

void Bus::wake(NodeIndex index) {
  Node& node = *nodes_[index];
  if (std::exchange(node.has_turn, true)) return;
  schedule(std::max(now(), node.busy_until), [this, index] { turn(index); });
}

void Bus::turn(NodeIndex index) {
  Node& node = *nodes_[index];
  auto before = node.router.counters();
  for (Frame& frame : std::exchange(node.frames, {})) {
    Uvarint size;
    KMS_ASSERT(parse_uvarint(frame.bytes, size) == UvarintState::complete);
    take_in(index, node.router.received(peer_id(frame.from), ByteView(frame.bytes).subspan(size.size), now_));
  }
  for (auto& action : std::exchange(node.actions, {})) action();
  flush(index);
  const auto& after = node.router.counters();
  auto made = static_cast<Duration::rep>(after.signatures_made - before.signatures_made);
  auto checked = static_cast<Duration::rep>(after.signatures_checked - before.signatures_checked);
  node.busy_until = now() + made * options_.signature_made + checked * options_.signature_checked;
  node.has_turn = false;
  send_frames(index);
}

void Bus::take_in(NodeIndex index, net::PubsubEffects effects) {
  for (auto& delivery : effects.deliver) {
    auto batch = dkg::Batch::parse(delivery.payload());
    KMS_ASSERT(batch.has_value() && delivery.author);
    auto rest = nodes_[index]->router.validated(delivery.id, net::Verdict::accept, now_);
    KMS_ASSERT(rest.deliver.empty());
    for (const auto& item : batch->items) deliver_(index, by_peer_.at(*delivery.author), item);
  }
}

void Bus::flush(NodeIndex index) {
  Node& node = *nodes_[index];
  for (auto& [topic, items] : std::exchange(node.outbox, {})) {
    std::size_t items_max = options_.batching == Batching::on ? dkg::Batch::kItemsMax : 1;
    for (std::size_t at = 0; at < items.size(); at += items_max) {
      dkg::Batch batch;
      for (std::size_t i = at; i < std::min(at + items_max, items.size()); ++i) batch.items.push_back(items[i]);
      KMS_ASSERT(node.router.publish(topic, batch.encode(), now_).has_value());
    }
  }
}

// Frames leave when the turn's work is done.
void Bus::send_frames(NodeIndex index) {
  Node& node = *nodes_[index];
  for (NodeIndex to = 0; to < nodes_.size(); ++to) {
    if (to == index) continue;
    while (auto frame = node.router.next_frame(peer_id(to))) {
      auto arrive = [this, index, to, bytes = std::move(*frame)] {
        nodes_[to]->frames.push_back({index, bytes});
        wake(to);
      };
      schedule(std::max(now(), node.busy_until) + options_.link_delay, std::move(arrive));
    }
  }
}

void Bus::beat(NodeIndex index) {
  schedule(nodes_[index]->router.wakes_at(), [this, index] {
    take_in(index, nodes_[index]->router.tick(now_));
    send_frames(index);
    beat(index);
  });
}

}  // namespace kms::bench
