// Whom to keep connected: the static peer list and what was found out since, each peer with its addresses and its next
// attempt. Exponential backoff with jitter; the first attempts come quickly, so that a local network is connected
// within a second.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/entropy.h"
#include "base/time.h"
#include "net/multiaddr.h"

namespace kms::net {

struct DialBookOptions {
  Duration first_delay = 100ms;  // doubles with every failure
  Duration delay_max = 60s;
  // A connection that lasted this long wipes the failures off. Less than it takes to find a silent peer dead: one that
  // comes and goes for want of CPU is no worse than one that did so once.
  Duration stable_after = 5s;
  // Of two peers that list each other the one with the larger PeerId waits this long before its first attempt, so that
  // usually only one connection comes up.
  Duration yield_delay = 200ms;
  std::size_t peers_max = 1024;
  std::size_t addresses_per_peer_max = 8;
  std::size_t dials_max = 16;  // at a time
};

class DialBook {
 public:
  // `entropy` outlives the book.
  DialBook(PeerId self, DialBookOptions options, Entropy& entropy)
      : self_(self), options_(options), entropy_(entropy) {}

  // Replaces the list. Every address ends in /p2p/ID and is one that TCP can dial; ours are skipped. Peers that stay
  // keep their state.
  Result<void> set_peers(const std::vector<Multiaddr>& addresses, Now now);
  // Where this peer is found, besides its addresses on the list; replaces what was found before, and none ends it.
  // Those that TCP cannot dial are left out, and those beyond `addresses_per_peer_max`. New ones are tried first, and
  // soon: what failed before failed elsewhere. Peers beyond `peers_max` are not taken.
  void set_found(const PeerId& peer, const std::vector<Multiaddr>& addresses, Now now);

  struct Attempt {
    PeerId peer;
    Multiaddr address;
  };
  // What is due, whoever waits longest first; each counts as dialling until `failed` or `connected`.
  std::vector<Attempt> take_due(Now now);
  std::optional<Instant> wakes_at() const;

  void connected(const PeerId& peer, Now now);  // whoever dialled
  void failed(const PeerId& peer, Now now);
  void disconnected(const PeerId& peer, Now now);
  // We stood still ourselves: whom we lack is tried again soon, and what failed says nothing about anybody.
  void start_over(Now now);

  bool contains(const PeerId& peer) const { return peers_.contains(peer); }
  std::vector<Attempt> addresses() const;  // all of everybody
  std::size_t size() const { return peers_.size(); }

 private:
  enum class State : std::uint8_t { waiting, dialling, connected };
  struct Entry {
    std::vector<Multiaddr> listed, found;
    std::vector<Multiaddr> addresses;  // found ones first
    std::size_t next_address = 0;
    std::uint32_t failures = 0;
    State state = State::waiting;
    Instant at;  // waiting: of the next attempt; connected: since
  };
  Instant first_attempt(const PeerId& peer, Now now);
  Duration delay_after(std::uint32_t failures);
  Duration jittered(Duration delay);

  PeerId self_;
  DialBookOptions options_;
  Entropy& entropy_;
  std::map<PeerId, Entry> peers_;
  std::size_t dialling_ = 0;
};

}  // namespace kms::net
