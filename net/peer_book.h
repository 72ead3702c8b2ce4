// Where the members of a network are: the newest signed record of each, and nobody else's. The member list says who is
// in the book; the records, signed by their owners, say where (LIBP2P.md 9.1).
//
// Bounded by the member list: one envelope of at most 4 KiB each. A record replaces another one only with a higher seq.
// It is forgotten `expires_after` it was last known to be true: when its owner was connected, or when whoever passed it
// on says so.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/time.h"
#include "net/peer_record.h"

namespace kms::net {

enum class LoopbackUse : std::uint8_t { refused, accepted };

struct PeerBookOptions {
  std::size_t peers_max = 1024;
  std::size_t addresses_max = 8;  // of one record; further ones are not used
  std::size_t envelope_bytes_max = 4096;
  Duration expires_after = 7 * 24h;
  // New records of one peer: this many at once, then one in `update_every`; more are refused until later.
  std::uint32_t updates_burst = 4;
  Duration update_every = 10s;
  // A record may point anywhere; pointing at services of this very machine is for networks that live on one.
  LoopbackUse loopback = LoopbackUse::refused;
};

enum class RecordVerdict : std::uint8_t {
  newer,      // taken
  known,      // not above the seq that is held
  unwanted,   // of nobody on the list
  too_often,  // its owner changes it faster than anybody moves
  outrun,     // our own, with a seq that ours is not above: ours must rise (see `own_seq`)
  expired,    // too old by what whoever passed it on says
  forged,     // no envelope, of another peer than named, or not signed by its owner
};

class PeerBook {
 public:
  PeerBook(PeerId self, PeerBookOptions options) : self_(self), options_(options) {}

  // Forgets records of everybody else. At most peers_max are taken, in the order of their PeerIds.
  void set_members(const std::set<PeerId>& members);
  const std::set<PeerId>& members() const { return members_; }  // never ourselves

  struct Entry {
    Bytes envelope;
    std::uint64_t seq = 0;
    std::vector<Multiaddr> addresses;  // what TCP can dial, without /p2p/, at most addresses_max; may be empty
    Instant true_at;                   // last known to be true
  };
  // Nothing that is not signed by the peer itself gets in. `expected`: whose it has to be; nothing: of a member.
  // `age`: how long ago it was known to be true. The signature is checked last, and only of records that are news.
  struct Added {
    RecordVerdict verdict;
    std::optional<PeerId> peer{};  // whose record it says to be, unless it says nothing
  };
  Added add(ByteView envelope, std::optional<PeerId> expected, Duration age, Now now);
  // The owner is connected: its record, if held, is true now.
  void confirm(const PeerId& peer, Now now);
  // Removes what is too old; returns whose.
  std::vector<PeerId> expire(Now now);
  std::optional<Instant> expires_at() const;

  const Entry* find(const PeerId& peer) const;
  const std::map<PeerId, Entry>& entries() const { return entries_; }
  // The highest seq of a record of ours that somebody showed.
  std::uint64_t own_seq() const { return own_seq_; }

 private:
  struct Allowance {
    std::uint32_t left = 0;
    Instant at;
  };
  bool may_update(const PeerId& peer, Now now);
  std::vector<Multiaddr> usable(const std::vector<Multiaddr>& addresses) const;

  PeerId self_;
  PeerBookOptions options_;
  std::set<PeerId> members_;
  std::map<PeerId, Entry> entries_;
  std::map<PeerId, Allowance> allowances_;
  std::uint64_t own_seq_ = 0;
};

// Whether a record's address is worth a dial: HOST/tcp/PORT with a port, and no unspecified, multicast, link-local or
// (unless accepted) loopback address. Names are.
bool is_dialable(const Multiaddr& address, LoopbackUse loopback);

}  // namespace kms::net
