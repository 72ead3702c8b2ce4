// Routers on an in-memory bus with virtual time: every pair that is connected exchanges whole frames.
#pragma once

#include <functional>

#include <gtest/gtest.h>

#include "net/router.h"
#include "tests/sim/random.h"

namespace kms::net {

// One router with what came out of it; links deliver at once when `World::settle` runs.
struct RouterNode {
  RouterNode(std::string_view seed, RouterOptions options, Now now);
  void absorb(PubsubEffects effects);
  std::vector<std::string> payloads() const;
  template <class Event>
  std::vector<Event> pick() const {
    std::vector<Event> out;
    for (const auto& event : events) {
      if (const auto* match = std::get_if<Event>(&event)) out.push_back(*match);
    }
    return out;
  }
  std::vector<Refusal> refusals() const;
  TopicCounters counters_of(std::string_view topic) const;  // one that it subscribes
  const PeerId& id() const { return identity.peer_id(); }

  Identity identity;
  sim::Random random;
  Router router;
  std::vector<PubsubDelivery> delivered;
  std::vector<PubsubEvent> events;
  std::optional<Verdict> verdict = Verdict::accept;  // nothing: left open
  std::size_t answered = 0;                          // of `delivered`
};

// A raw peer of one router: sends what a test writes, and keeps what it gets.
struct RawPeer {
  explicit RawPeer(std::string_view seed);
  const PeerId& id() const { return identity.peer_id(); }
  Identity identity;
};

struct RouterWorld {
  RouterNode& add(std::string_view seed, RouterOptions options = open_options());
  void connect(RouterNode& a, RouterNode& b, PeerClass peer_class = PeerClass::committee,
               MeshsubVersion version = MeshsubVersion::v1_2);
  // Moves frames and answers verdicts until nothing moves.
  void settle();
  void run(Duration time);  // ticks every router when it is due
  std::string publish(RouterNode& node, std::string_view topic, std::string_view text);
  static RouterOptions open_options();

  Now now{Instant(Duration(1h)), 1'700'000'000'000};
  std::vector<std::unique_ptr<RouterNode>> nodes;
  std::map<PeerId, std::map<PeerId, bool>> links;
  // True: this frame is lost on its way.
  std::function<bool(const RouterNode& from, const RouterNode& to, const RpcView& rpc)> loses;
  std::size_t frames = 0, messages = 0;
};

}  // namespace kms::net
