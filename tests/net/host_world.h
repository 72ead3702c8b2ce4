// Hosts on an in-memory network with virtual time: channels cut what they carry into random pieces, delay it, and
// report it as sent only when the other end took it. Every closed connection is checked to have a reason.
#pragma once

#include <array>
#include <deque>
#include <memory>

#include <gtest/gtest.h>

#include "net/host.h"
#include "tests/sim/random.h"

namespace kms::net {

struct HostNode {
  HostNode(std::string_view name, HostOptions options, Now now);
  const PeerId& id() const { return identity.peer_id(); }
  Multiaddr address() const { return Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, ip}, 4001).with_peer_id(id()); }
  template <class Event>
  std::vector<Event> pick() const {
    std::vector<Event> out;
    for (const auto& event : events) {
      if (const auto* match = std::get_if<Event>(&event)) out.push_back(*match);
    }
    return out;
  }
  std::vector<std::string> payloads() const;
  std::vector<CloseReason> close_reasons() const;

  Identity identity;
  sim::Random random;
  Host host;
  std::uint8_t ip = 0;
  std::vector<HostEvent> events;
  // What runs on top of the host, if anything.
  std::function<void(const HostEvent&)> sees;
  std::function<void()> ticks;
  std::function<std::optional<Instant>()> wakes;
  std::optional<Verdict> verdict = Verdict::accept;  // nothing: left open
  bool is_up = true;                                 // false: dials to it fail
  bool reads = true;
  bool is_stopped = false;  // see HostWorld::stop
};

// The end of a channel that the test plays itself.
struct RawEnd {
  Bytes received;
  bool is_closed = false;
};

class HostWorld {
 public:
  explicit HostWorld(std::uint64_t seed = 1) : random_(seed) {}

  HostNode& add(std::string_view name, HostOptions options = open_options());
  void connect(HostNode& from, HostNode& to);
  // A raw TCP connection from 10.9.9.`ip` to the node.
  struct Raw {
    std::size_t channel = 0;
    RawEnd* end = nullptr;
  };
  Raw connect_raw(HostNode& to, std::uint8_t ip = 9);
  Raw connect_raw(HostNode& to, const Multiaddr& from);
  void write_raw(const Raw& raw, ByteView bytes);
  void close_raw(const Raw& raw);
  // Cuts every channel of the node without telling it anything, as a pulled plug does.
  void unplug(HostNode& node);
  // The node gets no time, as a process does after SIGSTOP: what is sent to it waits, and who dials it finds its socket
  // open and hears nothing.
  void stop(HostNode& node) { node.is_stopped = true; }
  void go_on(HostNode& node);
  // The node is found at 10.0.0.`ip` from now on, and says so. Connections stay, unless it is unplugged.
  void move(HostNode& node, std::uint8_t ip);

  void run(Duration time);
  // Hands over what a call of the test caused.
  void settle();

  static HostOptions open_options();

  Now now{Instant(Duration(1h)), 1'700'000'000'000};
  Duration delay = 2ms;
  std::size_t piece_max = 0;  // 0: whole chunks
  std::size_t undelivered_max = 0;
  // Called with every chunk before it travels.
  std::function<void(Bytes&)> tampers;

 private:
  struct Chunk {
    Instant at;
    Bytes bytes;
  };
  struct End {
    HostNode* node = nullptr;
    ConnectionId id = 0;
    std::unique_ptr<RawEnd> raw;
    std::deque<Chunk> incoming;
    std::optional<Instant> eof;
    bool is_open = true;
    bool waits = false;  // to be accepted
  };
  struct Channel {
    std::array<End, 2> ends;
    bool is_cut = false;
  };
  struct Dial {
    Instant at;
    HostNode* from;
    ConnectionId id;
    TcpTarget target;
  };

  void apply(HostNode& node);
  void finish_dial(const Dial& dial);
  void accept(Channel& channel);
  bool deliver_due();
  bool deliver(Channel& channel, std::size_t to);
  std::optional<Instant> next_instant() const;
  HostNode* find(const TcpTarget& target);

  sim::Random random_;
  std::vector<std::unique_ptr<HostNode>> nodes_;
  std::deque<Channel> channels_;
  std::vector<Dial> dials_;
};

}  // namespace kms::net
