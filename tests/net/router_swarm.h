// Many routers in virtual time over links that delay and lose whole RPC frames, with real keys and signatures: how far
// a message comes, in how many hops, and what it costs. Used by tests and by `kms-bench mesh`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <vector>

#include "net/router.h"
#include "tests/sim/random.h"

namespace kms::net {

struct RouterSwarmOptions {
  std::size_t nodes = 100;
  std::size_t dials = 10;  // of each node, to random others; so a node has about twice as many neighbours
  std::uint64_t loss_per_mille = 50;
  Duration delay = 10ms, jitter = 10ms;
  RouterOptions router;  // what it leaves open follows from `swarm_router_options`
};
// All topics, no flood publishing: own messages take the mesh, too.
RouterOptions swarm_router_options();

class RouterSwarm {
 public:
  using Index = std::size_t;
  static constexpr std::string_view kTopic = "/kms/swarm/1";

  explicit RouterSwarm(RouterSwarmOptions options, std::uint64_t seed = 1);

  // Frames are lost only from here on: what a real stream carries before its first loss is the subscriptions.
  void start_losing() { loses_ = true; }
  void run(Duration time);
  MessageId publish(Index from, std::size_t bytes = 1024);
  // The neighbours notice it at once.
  void leave(Index node);
  // From now on it forwards and answers nothing, and otherwise behaves.
  void make_sybil(Index node) { nodes_[node]->is_sybil = true; }
  // Nothing passes between nodes below `border` and the others; nothing: healed.
  void set_partition(std::optional<Index> border) { border_ = border; }

  std::vector<Index> honest() const;                    // there, and no sybil
  std::size_t reached(const MessageId& message) const;  // of the honest
  // Over all honest receivers of all messages since `forget_counts`.
  std::vector<std::size_t> hops() const;
  // Share of sybils in the meshes of the honest.
  double sybil_share() const;
  struct Costs {
    double messages = 0;                                       // published
    double duplicates = 0, bytes = 0, checks = 0, pulled = 0;  // per message and node
  };
  Costs costs() const;
  void forget_counts();
  // One of the honest, drawn.
  Index any();

 private:
  struct Node {
    Node(Identity key, RouterOptions options, std::uint64_t seed, Now now)
        : identity(std::move(key)), random(seed), router(identity, std::move(options), random, now) {}
    Identity identity;
    sim::Random random;
    Router router;
    std::set<Index> neighbours;
    bool is_sybil = false, is_gone = false;
    PubsubCounters counters_before;
  };
  struct Event {
    Instant at;
    std::uint64_t number = 0;
    Index to = 0;
    std::optional<Index> from;  // nothing: the node's own clock
    std::shared_ptr<const Bytes> frame;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  void connect(Index dialler, Index listener);
  void absorb(Index node, PubsubEffects effects);
  void send_frames(Index from, Index to);
  bool is_lost(Index from, Index to, ByteView body);
  void wake(Index node);
  void arrive(const Event& event);

  RouterSwarmOptions options_;
  sim::Random random_;
  Now now_{Instant(Duration(1h)), 1'700'000'000'000};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<PeerId, Index> by_peer_;
  std::priority_queue<Event> events_;
  std::uint64_t next_event_ = 0;
  bool loses_ = false;
  std::optional<Index> border_;
  std::size_t published_ = 0;
  std::map<MessageId, std::map<Index, std::size_t>> hops_;  // the publisher has 0
};

}  // namespace kms::net
