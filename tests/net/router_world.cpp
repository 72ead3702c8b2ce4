#include "tests/net/router_world.h"

#include "tests/net/fixtures.h"

namespace kms::net {
RouterNode::RouterNode(std::string_view seed, RouterOptions options, Now now)
    : identity(identity_named(seed)), random(1), router(identity, std::move(options), random, now) {}

void RouterNode::absorb(PubsubEffects effects) {
  for (auto& delivery : effects.deliver) delivered.push_back(std::move(delivery));
  for (auto& event : effects.events) events.emplace_back(std::move(event));
}

std::vector<std::string> RouterNode::payloads() const {
  std::vector<std::string> out;
  for (const auto& delivery : delivered) out.emplace_back(as_text(delivery.payload()));
  return out;
}

std::vector<Refusal> RouterNode::refusals() const {
  std::vector<Refusal> out;
  for (const auto& refused : pick<MessageRefused>()) out.push_back(refused.reason);
  return out;
}

TopicCounters RouterNode::counters_of(std::string_view topic) const {
  for (const TopicView& view : router.topics()) {
    if (view.name == topic) return view.counters;
  }
  return {};
}

RawPeer::RawPeer(std::string_view seed) : identity(identity_named(seed)) {}

RouterOptions RouterWorld::open_options() {
  RouterOptions options;
  options.topics.allows_all = true;
  options.policies.otherwise = TopicPolicy::flood;
  return options;
}

RouterNode& RouterWorld::add(std::string_view seed, RouterOptions options) {
  return *nodes.emplace_back(std::make_unique<RouterNode>(seed, std::move(options), now));
}

void RouterWorld::connect(RouterNode& a, RouterNode& b, PeerClass peer_class, MeshsubVersion version) {
  links[a.id()][b.id()] = links[b.id()][a.id()] = true;
  a.absorb(a.router.peer_added(b.id(), peer_class, now));
  b.absorb(b.router.peer_added(a.id(), peer_class, now));
  a.absorb(a.router.outbound_opened(b.id(), version, now));
  b.absorb(b.router.outbound_opened(a.id(), version, now));
}

void RouterWorld::settle() {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& from : nodes) {
      for (auto& to : nodes) {
        if (!links[from->id()][to->id()]) continue;
        while (auto frame = from->router.next_frame(to->id())) {
          moved = true;
          ++frames;
          RpcFrames cut;
          ASSERT_TRUE(cut.feed(*frame));
          Bytes body = *cut.next();
          auto rpc = *parse_rpc(body);
          messages += rpc.messages.size();
          if (loses && loses(*from, *to, rpc)) continue;
          to->absorb(to->router.received(from->id(), body, now));
        }
      }
      while (from->verdict && from->answered < from->delivered.size()) {
        MessageId id = from->delivered[from->answered++].id;
        from->absorb(from->router.validated(id, *from->verdict, now));
        moved = true;
      }
    }
  }
}

void RouterWorld::run(Duration time) {
  for (Instant end = now.instant + time;;) {
    Instant next = end;
    for (auto& node : nodes) next = std::min(next, node->router.wakes_at());
    now.unix_ms += std::chrono::duration_cast<std::chrono::milliseconds>(next - now.instant).count();
    now.instant = next;
    for (auto& node : nodes) node->absorb(node->router.tick(now));
    settle();
    if (next >= end) return;
  }
}

std::string RouterWorld::publish(RouterNode& node, std::string_view topic, std::string_view text) {
  auto published = node.router.publish(topic, to_bytes(as_bytes(text)), now);
  EXPECT_TRUE(published);
  node.absorb(published->effects);
  return to_hex(published->id);
}

}  // namespace kms::net
