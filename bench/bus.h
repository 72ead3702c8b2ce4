// Nodes on an in-memory bus in virtual time: real routers, real batches, real signatures. A node handles what has
// arrived in one turn, as an event loop does, and is busy for as long as the signatures of that turn take.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>

#include "dkg/envelope.h"
#include "net/router.h"
#include "tests/sim/random.h"

namespace kms::bench {

enum class Batching { off, on };

struct BusOptions {
  net::TopicPolicy policy = net::TopicPolicy::flood;
  Batching batching = Batching::on;
  Duration link_delay = 1ms;
  Duration signature_made{45}, signature_checked{50};  // microseconds of the loop's thread
};

struct BusCounts {
  std::uint64_t rpcs = 0, messages = 0, bytes = 0, made = 0, checked = 0, duplicates = 0;
  BusCounts operator-(const BusCounts& other) const;
};

class Bus {
 public:
  using NodeIndex = std::size_t;
  // An item of a batch that arrived; the author is a node.
  using Deliver = std::function<void(NodeIndex at, NodeIndex author, const dkg::Envelope& item)>;

  Bus(std::size_t nodes, BusOptions options, Deliver deliver);

  void subscribe(NodeIndex node, const std::string& topic);
  // Connects all pairs and runs until everybody knows the subscriptions.
  void connect();
  // Leaves at the end of the node's turn.
  void publish(NodeIndex node, const std::string& topic, dkg::Envelope item);
  // Runs `action` in a turn of the node, `delay` from now.
  void after(Duration delay, NodeIndex node, std::function<void()> action);
  // Runs until nothing is due any more before `until`.
  void run(Instant until);
  Instant now() const { return now_.instant; }
  const net::PeerId& peer_id(NodeIndex node) const { return nodes_[node]->identity.peer_id(); }
  BusCounts counts() const;

 private:
  struct Frame {
    NodeIndex from = 0;
    Bytes bytes;
  };
  struct Node {
    Node(net::Identity key, BusOptions options, Entropy& entropy, Now now);
    net::Identity identity;
    net::Router router;
    std::vector<Frame> frames;
    std::vector<std::function<void()>> actions;
    std::map<std::string, std::vector<dkg::Envelope>> outbox;
    bool has_turn = false;
    Instant busy_until;
  };
  struct Event {
    Instant at;
    std::uint64_t number = 0;
    std::function<void()> run;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : number > other.number; }
  };

  void schedule(Instant at, std::function<void()> run);
  void wake(NodeIndex node);
  void turn(NodeIndex node);
  void take_in(NodeIndex node, net::PubsubEffects effects);
  void flush(NodeIndex node);
  void send_frames(NodeIndex node);
  void beat(NodeIndex node);

  BusOptions options_;
  Deliver deliver_;
  Now now_{Instant(Duration(1h)), 1'700'000'000'000};
  sim::Random entropy_{1};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<net::PeerId, NodeIndex> by_peer_;
  std::priority_queue<Event> events_;
  std::uint64_t next_event_ = 0;
};

}  // namespace kms::bench
