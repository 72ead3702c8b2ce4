// Finding the members of a network, starting from one living address of one of them (LIBP2P.md 9): a book of their
// signed records, filled by identify and its pushes, by the request protocol /kms/<network>/peers/1 and by what gossip
// peers offer; and for every member the addresses that the host dials, which follow it when it moves.
//
// A service on top of a Host: the node hands over every HostEvent and calls `tick`. Trusted are members that the host
// classes as committee or registered; only they are asked and believed. Anybody whom the host does not deny is
// answered. A member that moved tells those it is connected to; they make it known by asking the others, who see from
// the request that the asker knows more, and ask back. Whoever answers with a forged record or with something that was
// not asked is not asked again for `distrust_time`.
#pragma once

#include <deque>

#include "net/host.h"
#include "net/length_frame.h"
#include "net/peer_book.h"
#include "net/peers_wire.h"

namespace kms::net {

struct DiscoveryOptions {
  PeerBookOptions book;
  Duration refresh_every = 5min;   // one member is asked, in turn, while all are connected
  Duration missing_first = 500ms;  // the same while some are not: doubles up to `missing_max`, and starts anew with
  Duration missing_max = 30s;      // every record learned and every connection made or lost
  Duration answer_timeout = 5s;    // of one request, after which the next member is asked
  Duration distrust_time = 10min;
  std::size_t requests_max = 2;    // ours, at a time
  std::uint32_t served_burst = 8;  // requests of one peer answered at once, then one in `serve_every`
  Duration serve_every = 1s;
  std::size_t notes_max = 64;
};

struct DiscoveryCounters {
  std::uint64_t asked = 0;           // requests sent
  std::uint64_t unanswered = 0;      // of these: refused, lost or too late
  std::uint64_t served = 0;          // requests answered
  std::uint64_t served_refused = 0;  // requests reset: malformed or too many
  std::uint64_t learned = 0;         // records taken
  std::uint64_t stale = 0;           // records that were known, or too old
  std::uint64_t unwanted = 0;        // of nobody on the member list
  std::uint64_t forged = 0;
  std::uint64_t too_often = 0;
  std::uint64_t offers_ignored = 0;  // peer exchange by others than trusted members
  std::uint64_t liars = 0;           // times that a peer lost our trust
};

class Discovery {
 public:
  // Adds its service to `host`, which, like `entropy`, outlives it.
  Discovery(Host& host, const std::string& network, DiscoveryOptions options, Entropy& entropy, Now now);

  // Whom to find, ourselves not counted. Records of others are forgotten and they are dialled no longer, unless they
  // stand on the host's own list.
  void set_members(const std::set<PeerId>& members, Now now);
  // A record that an earlier run kept; checked like any other.
  void restore(ByteView envelope, Duration age, Now now);

  // Every event of the host, in order. True: it belongs to this service, and nobody else needs to see it.
  bool receive(const HostEvent& event, Now now);
  // Peer exchange: `from` offers somebody's record.
  void offered(const PeerId& from, const PeerId& peer, ByteView envelope, Now now);
  void tick(Now now);
  std::optional<Instant> wakes_at() const;

  const PeerBook& book() const { return book_; }
  const DiscoveryCounters& counters() const { return counters_; }
  // Members without a connection.
  std::size_t missing() const;

  // Whose record changed since the last call: kept anew, or gone from the book.
  std::set<PeerId> take_changes() { return std::exchange(changes_, {}); }
  // For the log: who lied and how. The oldest are dropped at `notes_max`.
  std::deque<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  struct Source {           // a connected member that speaks the protocol
    bool is_new = true;     // never asked
    bool has_news = false;  // it or we know what the other does not: asked at once
    Instant asked_at{};     // the one asked longest ago is next
  };
  struct Served {
    PeerId peer;
    LengthFrame request{PeersRequest::kBytesMax};
    bool is_answered = false;
  };
  struct Asked {
    PeerId peer;
    std::set<PeerId> wanted;
    LengthFrame reply{PeersReply::kBytesMax};
    Instant deadline;
  };
  struct Allowance {
    std::uint32_t left = 0;
    Instant at;
  };

  bool is_trusted(const PeerId& peer, Now now) const;
  void identified(const PeerIdentified& event, Now now);
  void stream_opened(const ServiceOpened& event, Now now);
  bool stream_bytes(const ServiceBytes& event, Now now);
  void serve(StreamKey stream, Served& served, ByteView bytes, Now now);
  void note_held(const PeerId& asker, const PeersRequest& request, Now now);
  bool may_serve(const PeerId& peer, Now now);
  PeersReply reply_to(const PeersRequest& request, Now now) const;
  void replied(StreamKey stream, ByteView bytes, Now now);
  void take_reply(const PeerId& from, const std::set<PeerId>& wanted, const PeersReply& reply, Now now);
  PeerBook::Added take_record(ByteView envelope, std::optional<PeerId> expected, Duration age, Now now);
  void distrust(const PeerId& peer, const std::string& why, Now now);
  void news(Now now);
  void ask_due(Now now);
  bool is_eager(const Source& source) const;
  enum class Which : std::uint8_t { eager, any };
  std::optional<PeerId> next_source(Which which, Now now) const;
  void ask(const PeerId& peer, Now now);
  void no_answer(std::map<StreamKey, Asked>::iterator at, Now now);
  void drop(StreamKey stream, Now now);  // resets it
  Duration jittered(Duration delay);

  Host& host_;
  std::string protocol_;
  DiscoveryOptions options_;
  Entropy& entropy_;
  PeerBook book_;
  std::set<PeerId> connected_;  // members
  std::map<PeerId, Source> sources_;
  std::map<PeerId, Instant> distrusted_;  // until
  std::map<StreamKey, Served> served_;
  std::map<StreamKey, Asked> asked_;
  std::map<StreamKey, Instant> ending_;     // answered ones of ours, and when they are reset if they do not end
  std::map<PeerId, Allowance> allowances_;  // of connected peers
  Duration missing_delay_;
  Instant ask_at_;
  std::set<PeerId> changes_;
  std::deque<std::string> notes_;
  DiscoveryCounters counters_;
};

// /kms/<network>/peers/1
std::string peers_protocol(const std::string& network);

}  // namespace kms::net
