// The links between two hosts: each direction keeps its order, may be cut anywhere and as late as the caller likes, and
// is reported as sent when the caller likes.
#pragma once

#include "net/host.h"
#include "tests/fuzz/net_script.h"

namespace kms::fuzz {

class Pipes {
 public:
  static constexpr std::size_t kMax = 3;  // at a time; further dials fail

  Pipes(std::array<net::Host*, 2> hosts, const Now& now) : hosts_(hosts), now_(now) {}

  static net::Multiaddr address_of(std::size_t host) {
    return net::Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, static_cast<std::uint8_t>(host + 1)}, 4001);
  }

  std::size_t size() const { return pipes_.size(); }

  void apply(std::size_t who, net::TransportEffect& effect) {
    if (auto* dial = std::get_if<net::DialSocket>(&effect)) {
      connect(who, dial->id);
    } else if (auto* write = std::get_if<net::WriteSocket>(&effect)) {
      if (Side* side = find(who, write->id)) {
        append(side->on_its_way, write->bytes);
        side->unreported += write->bytes.size();
      }
    } else if (auto* close = std::get_if<net::CloseSocket>(&effect)) {
      KMS_ASSERT(!close->cause.text.empty() && close->cause.text.size() < 2000);
      if (Side* side = find(who, close->id)) side->is_open = false;
    }
  }

  // The next bytes of direction `which`, two a pipe; the end of the link after the last of them.
  void deliver(std::size_t which, std::size_t size) {
    if (pipes_.empty()) return;
    Pipe& pipe = pipes_[which / 2 % pipes_.size()];
    Side& from = pipe.sides[which % 2];
    Side& to = pipe.sides[1 - which % 2];
    const auto end = from.on_its_way.begin() + static_cast<std::ptrdiff_t>(std::min(size, from.on_its_way.size()));
    const Bytes piece(from.on_its_way.begin(), end);
    from.on_its_way.erase(from.on_its_way.begin(), end);
    if (!to.is_open) return;
    const bool is_end = from.on_its_way.empty() && !from.is_open;
    if (is_end) to.is_open = false;
    net::Host& host = *hosts_[1 - which % 2];
    const net::ConnectionId id = to.id;
    if (!piece.empty()) host.received(id, piece, now_);
    if (is_end) host.closed(id, "the peer closed the connection", now_);
  }

  void report(std::size_t who, std::size_t size) {
    for (Pipe& pipe : pipes_) {
      Side& side = pipe.sides[who];
      const std::size_t sent = std::min(size, side.unreported);
      side.unreported -= sent;
      if (sent > 0 && side.is_open) hosts_[who]->sent(side.id, sent, now_);
    }
  }

  // Something is on its way, or not reported.
  bool is_busy() const {
    return std::any_of(pipes_.begin(), pipes_.end(), [](const Pipe& pipe) {
      const auto& [a, b] = pipe.sides;
      return !a.on_its_way.empty() || !b.on_its_way.empty() || a.unreported + b.unreported > 0 ||
             a.is_open != b.is_open;
    });
  }

  // The network tells this end that the link is gone.
  void cut(std::size_t who, std::size_t which) {
    Side& side = pipes_[which % pipes_.size()].sides[who];
    if (!side.is_open) return;
    side.is_open = false;
    hosts_[who]->closed(side.id, "the network broke", now_);
  }

  // One byte that this end wrote. False: there is none on its way.
  bool change(std::size_t who, std::size_t which, std::size_t at, std::uint8_t by) {
    Bytes& bytes = pipes_[which % pipes_.size()].sides[who].on_its_way;
    if (bytes.empty() || by == 0) return false;
    bytes[at % bytes.size()] ^= by;
    return true;
  }

  // Forgets links that ended at both ends; the others keep the bound of what the driver holds.
  void settle(std::size_t unreported_max) {
    std::erase_if(pipes_, [](const Pipe& pipe) { return !pipe.sides[0].is_open && !pipe.sides[1].is_open; });
    for (const Pipe& pipe : pipes_) {
      for (const Side& side : pipe.sides) KMS_ASSERT(side.unreported <= unreported_max);
    }
  }

  // A number that both ends have alike, and the other end's id.
  struct Link {
    std::uint64_t number = 0;
    net::ConnectionId theirs = 0;
  };
  std::optional<Link> link_of(std::size_t who, net::ConnectionId id) const {
    for (const Pipe& pipe : pipes_) {
      if (pipe.sides[who].id == id) return Link{pipe.number, pipe.sides[1 - who].id};
    }
    return std::nullopt;
  }

 private:
  struct Side {
    net::ConnectionId id = 0;
    Bytes on_its_way;
    std::size_t unreported = 0;
    bool is_open = true;  // for its host
  };
  struct Pipe {
    std::uint64_t number = 0;
    std::array<Side, 2> sides;
  };

  void connect(std::size_t who, net::ConnectionId id) {
    std::optional<net::ConnectionId> theirs;
    if (pipes_.size() < kMax) theirs = hosts_[1 - who]->accepted(address_of(who), now_);
    if (!theirs) {
      hosts_[who]->dial_failed(id, "Connection refused", now_);
      return;
    }
    Pipe& pipe = pipes_.emplace_back();
    pipe.number = ++last_number_;
    pipe.sides[who].id = id;
    pipe.sides[1 - who].id = *theirs;
    hosts_[who]->dialled(id, address_of(1 - who), now_);
  }

  Side* find(std::size_t who, net::ConnectionId id) {
    for (Pipe& pipe : pipes_) {
      if (pipe.sides[who].id == id && pipe.sides[who].is_open) return &pipe.sides[who];
    }
    return nullptr;
  }

  std::array<net::Host*, 2> hosts_;
  const Now& now_;
  std::uint64_t last_number_ = 0;
  std::deque<Pipe> pipes_;
};

}  // namespace kms::fuzz
