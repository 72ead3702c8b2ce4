// net/: two whole hosts over links that cut, delay and overtake each other as the fuzzer says, and may change bytes or
// end. Always: bounded queues, no message twice, streams that carry a beginning of what was sent, one reason for every
// connection. As long as nothing is changed, nobody is blamed, and what was published to a peer that follows the topic
// arrives unless its link ended first.
#include <map>
#include <set>

#include "tests/fuzz/net_pipes.h"

using namespace kms;
using namespace kms::net;
using fuzz::identity;
using fuzz::Pipes;

namespace {

constexpr std::size_t kOutstandingMax = 100'000;
constexpr std::size_t kQueuedMax = 1 << 20;
const std::array<std::string, 2> kPairTopics{"/t/1", "/t/2"};
const std::string kService = "/echo/1";

struct Node {
  Node(std::size_t number, HostOptions options, Now now)
      : entropy(number + 40), host(identity(number), std::move(options), entropy, now) {}
  struct Sending {
    std::uint64_t content = 0;
    std::size_t sent = 0;
    bool is_finished = false;
  };
  struct Receiving {
    std::size_t received = 0, held_back = 0;
  };
  sim::Random entropy;
  Host host;
  std::set<std::string> follows;
  std::set<ConnectionId> open;  // upgraded
  bool is_connected = false;
  std::map<StreamKey, Sending> sending;  // streams of both ends: each sends on its half
  std::map<StreamKey, Receiving> receiving;
  std::set<Bytes> expected, delivered;  // payloads
};

class HostPairWorld {
 public:
  explicit HostPairWorld(std::uint8_t form)
      : nodes_{Node(0, options(form), now_), Node(1, options(form >> 4), now_)},
        pipes_({&nodes_[0].host, &nodes_[1].host}, now_) {
    for (std::size_t i = 0; i < 2; ++i) {
      nodes_[i].host.add_service({kService}, now_);
      nodes_[i].host.set_listen_addresses({Pipes::address_of(i)}, now_);
    }
    settle();
    follow(1, 0);
    if ((form & 8) != 0) follow(0, 0);
    if ((form & 0x80) != 0) {
      KMS_ASSERT(nodes_[0].host.set_peers({named_address_of(1)}, now_).has_value());
    } else {
      (void)nodes_[0].host.dial(named_address_of(1), now_);
    }
    settle();
  }

  void step(fuzz::Input& in) {
    const std::uint8_t choice = in.byte();
    const std::size_t who = choice >> 7;
    Node& node = nodes_[who];
    switch (choice & 15) {
      case 0:
        publish(who, in);
        break;
      case 1:
        follow(who, in.byte() % kPairTopics.size());
        break;
      case 2:
        use_stream(who, in);
        break;
      case 3:
        (void)node.host.open_service(other(who).host.peer_id(), kService, now_);
        break;
      case 4:
        consume(who, in.word());
        break;
      case 5:
        (void)node.host.ping(other(who).host.peer_id(), now_);
        break;
      case 6:
        pass(in);
        break;
      case 7:
        disturb(who, in);
        break;
      case 8:
        (void)node.host.dial(named_address_of(1 - who), now_);
        break;
      case 9:
        pipes_.report(who, in.word());
        break;
      case 10:
        calm(4);
        break;
      default:
        pipes_.deliver(choice >> 4 & 7, in.word());
    }
    settle();
  }

  void finish() {
    calm(3000);
    for (Node& node : nodes_) KMS_ASSERT(is_changed_ || node.expected.empty());
    if (!is_changed_) check_streams();
    for (Node& node : nodes_) node.host.close_all({CloseReason::requested, "done"}, now_);
    settle();
    calm(3000);
    for (const Node& node : nodes_) {
      KMS_ASSERT(node.host.connection_count() == 0 && node.host.peers().empty() && node.host.queued_bytes() == 0);
      KMS_ASSERT(node.open.empty() && !node.is_connected);
    }
  }

 private:
  static HostOptions options(std::uint8_t form) {
    HostOptions options;
    options.router.topics.allows_all = true;
    options.unlisted = (form & 1) != 0 ? PeerClass::light : PeerClass::committee;
    options.early_muxer = (form & 2) != 0 ? EarlyMuxer::withheld : EarlyMuxer::offered;
    options.meshsub_max = (form & 4) != 0 ? MeshsubVersion::v1_1 : MeshsubVersion::v1_2;
    options.router.policies.otherwise = (form & 4) != 0 ? TopicPolicy::committee : TopicPolicy::mesh;
    options.outstanding_bytes_max = kOutstandingMax;
    options.service_unsent_max = 100'000;
    options.session_bytes_max = kQueuedMax;
    options.queued_bytes_max = kQueuedMax;
    return options;
  }

  static Multiaddr named_address_of(std::size_t host) {
    return Pipes::address_of(host).with_peer_id(identity(host).peer_id());
  }
  Node& other(std::size_t who) { return nodes_[1 - who]; }

  // ---- what hosts are asked to do

  void publish(std::size_t who, fuzz::Input& in) {
    const std::string& topic = kPairTopics[in.byte() % kPairTopics.size()];
    const std::size_t size = in.word();
    Bytes payload(size % 8 == 0 ? size : size % 400);
    for (int i = 0; i < 4; ++i) payload.push_back(static_cast<std::uint8_t>(published_ >> (8 * i)));
    ++published_;
    const auto published = nodes_[who].host.publish(topic, payload, now_);
    KMS_ASSERT(published.has_value());
    // Queued for the peer; it may not follow the topic any more.
    if (published->peers > 0 && other(who).follows.contains(topic)) other(who).expected.insert(std::move(payload));
  }

  void follow(std::size_t who, std::size_t topic) {
    Node& node = nodes_[who];
    const std::string& name = kPairTopics[topic];
    if (node.follows.insert(name).second) {
      KMS_ASSERT(node.host.subscribe(name, now_).has_value());
    } else {
      node.follows.erase(name);
      node.host.unsubscribe(name, now_);
      node.expected.clear();  // some may be of this topic
    }
  }

  void use_stream(std::size_t who, fuzz::Input& in) {
    Node& node = nodes_[who];
    if (node.sending.empty()) return;
    auto at = node.sending.begin();
    std::advance(at, in.byte() % node.sending.size());
    auto& [key, sending] = *at;
    const std::uint8_t way = in.byte();
    if (way == 255) {
      node.host.service_reset(key, now_);
      forget_stream(who, key);
    } else if (way >= 250) {
      node.host.service_finish(key, now_);
      sending.is_finished = true;
    } else {
      const ByteView bytes = fuzz::content(sending.content, sending.sent, way > 200 ? in.word() : way);
      if (sending.is_finished || !node.host.service_send(key, bytes, now_)) return;
      sending.sent += bytes.size();
    }
  }

  void consume(std::size_t who, std::size_t size) {
    Node& node = nodes_[who];
    std::vector<std::pair<StreamKey, std::size_t>> some;
    for (auto& [key, receiving] : node.receiving) {
      const std::size_t taken = std::min(size, receiving.held_back);
      receiving.held_back -= taken;
      if (taken > 0) some.emplace_back(key, taken);
    }
    for (const auto& [key, taken] : some) node.host.service_consumed(key, taken, now_);
  }

  // Faults of the world, rarely.
  void disturb(std::size_t who, fuzz::Input& in) {
    const std::uint8_t way = in.byte();
    Node& node = nodes_[who];
    if (way == 1) node.host.disconnect(other(who).host.peer_id(), {CloseReason::requested, "script"}, now_);
    if (way == 2) {
      node.host.set_peer_classes({{other(who).host.peer_id(), PeerClass(in.byte() % 4)}}, now_);
      give_up();
    }
    if (pipes_.size() == 0) return;
    if (way == 3) pipes_.cut(who, in.byte());
    if (way == 4) {
      const std::uint8_t which = in.byte(), by = in.byte();
      is_changed_ = pipes_.change(who, which, in.word(), by) || is_changed_;
    }
  }

  void pass(fuzz::Input& in) {
    const std::size_t time = in.word();
    fuzz::pass(now_, std::chrono::milliseconds(time % 16 == 0 ? time : time % 1000));
    for (Node& node : nodes_) {
      node.host.tick(now_);
      settle();
    }
  }

  // Everything moves on, until nothing does or `turns_max` is over.
  void calm(int turns_max) {
    for (int turn = 0; turn < turns_max; ++turn) {
      bool moves = pipes_.is_busy();
      for (std::size_t i = 0; i < 2 * pipes_.size(); ++i) {
        pipes_.deliver(i, 1 << 20);
        settle();
      }
      for (std::size_t who = 0; who < 2; ++who) {
        for (const auto& [key, receiving] : nodes_[who].receiving) moves = moves || receiving.held_back > 0;
        pipes_.report(who, SIZE_MAX);
        consume(who, SIZE_MAX);
      }
      settle();
      if (!moves) return;
    }
    KMS_ASSERT(turns_max < 3000);
  }

  // ---- what hosts want and say

  void settle() {
    for (bool moves = true; moves;) {
      moves = false;
      for (std::size_t who = 0; who < 2; ++who) {
        auto effects = nodes_[who].host.take_effects();
        moves = moves || !effects.transport.empty() || !effects.events.empty();
        for (auto& effect : effects.transport) pipes_.apply(who, effect);
        for (auto& event : effects.events) see(who, event);
      }
    }
    pipes_.settle(kOutstandingMax + 2 * kNoiseFrameBytesMax);
    for (const Node& node : nodes_) {
      // A frame more than the bound may be on its way into a full queue.
      KMS_ASSERT(node.host.queued_bytes() <= kQueuedMax + 2 * kOutstandingMax);
      KMS_ASSERT(node.host.peers().size() <= 1 && node.host.connection_count() <= 2 * Pipes::kMax);
    }
  }

  void see(std::size_t who, HostEvent& event) {
    Node& node = nodes_[who];
    if (auto* opened = std::get_if<ConnectionOpened>(&event)) {
      KMS_ASSERT(node.open.insert(opened->id).second && opened->peer == identity(1 - who).peer_id());
    } else if (auto* closed = std::get_if<ConnectionClosed>(&event)) {
      node.open.erase(closed->id);
      note_closed(*closed);
    } else if (std::holds_alternative<PeerConnected>(event)) {
      KMS_ASSERT(!std::exchange(node.is_connected, true));
    } else if (std::holds_alternative<PeerDisconnected>(event)) {
      KMS_ASSERT(std::exchange(node.is_connected, false));
    } else if (auto* delivery = std::get_if<PubsubDelivery>(&event)) {
      KMS_ASSERT(delivery->author == identity(1 - who).peer_id() && node.follows.contains(delivery->topic()));
      KMS_ASSERT(node.delivered.insert(to_bytes(delivery->payload())).second);
      node.expected.erase(to_bytes(delivery->payload()));
      node.host.validated(delivery->id, Verdict::accept, now_);
    } else if (auto* pubsub = std::get_if<PubsubEvent>(&event)) {
      KMS_ASSERT(is_changed_ || !std::holds_alternative<PeerBrokeWire>(*pubsub));
    } else if (auto* stream = std::get_if<ServiceOpened>(&event)) {
      node.sending[stream->stream].content = content_of(who, stream->stream);
      node.receiving[stream->stream];
    } else if (auto* bytes = std::get_if<ServiceBytes>(&event)) {
      receive(who, *bytes);
    } else if (auto* gone = std::get_if<ServiceGone>(&event)) {
      // A clean end comes after everything was sent and received.
      if (!gone->reason.empty()) forget_stream(who, gone->stream);
    }
  }

  void note_closed(const ConnectionClosed& closed) {
    KMS_ASSERT(!closed.cause.text.empty() && closed.cause.text.size() < 2000);
    const CloseReason reason = closed.cause.reason;
    KMS_ASSERT(is_changed_ || (reason != CloseReason::protocol_violation && reason != CloseReason::security_failed &&
                               reason != CloseReason::muxer_failed));
    if (reason != CloseReason::dial_failed) give_up();
  }

  // What is on its way may be lost now.
  void give_up() {
    for (Node& node : nodes_) node.expected.clear();
  }

  // ---- streams: what each end of a stream sends follows from the link, the stream and the end

  std::uint64_t content_of(std::size_t who, StreamKey key) const {
    const auto link = pipes_.link_of(who, key.connection);
    return link ? link->number * 10'000 + key.stream * 2 + who : 0;
  }

  void receive(std::size_t who, const ServiceBytes& bytes) {
    const auto at = nodes_[who].receiving.find(bytes.stream);
    const auto link = pipes_.link_of(who, bytes.stream.connection);
    if (at == nodes_[who].receiving.end() || !link) return;
    const std::uint64_t content = link->number * 10'000 + bytes.stream.stream * 2 + (1 - who);
    KMS_ASSERT(fuzz::is_content(content, at->second.received, bytes.bytes));
    at->second.received += bytes.bytes.size();
    at->second.held_back += bytes.bytes.size();
  }

  // Neither end is held to what it sent on it.
  void forget_stream(std::size_t who, StreamKey key) {
    nodes_[who].sending.erase(key);
    nodes_[who].receiving.erase(key);
    const auto link = pipes_.link_of(who, key.connection);
    if (!link) return;
    const StreamKey theirs{link->theirs, key.stream};
    other(who).sending.erase(theirs);
    other(who).receiving.erase(theirs);
  }

  void check_streams() {
    for (std::size_t who = 0; who < 2; ++who) {
      for (const auto& [key, sending] : nodes_[who].sending) {
        const auto link = pipes_.link_of(who, key.connection);
        if (!link || !nodes_[who].open.contains(key.connection) || sending.sent == 0) continue;
        const auto& received = other(who).receiving;
        const auto at = received.find({link->theirs, key.stream});
        KMS_ASSERT(at != received.end() && at->second.received == sending.sent);
      }
    }
  }

  Now now_ = fuzz::kScriptBegins;
  bool is_changed_ = false;
  std::uint64_t published_ = 0;
  std::array<Node, 2> nodes_;
  Pipes pipes_;
};

}  // namespace

KMS_FUZZER(net_hosts) {
  fuzz::run_script<HostPairWorld>(input, 300);
}
