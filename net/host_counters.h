// What a host counts, and what it says about its peers: for metrics, GET /v1/peers and tests. Bounded: per protocol
// only for protocols we speak, and history only of peers that are listed.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "net/close_cause.h"
#include "net/multiaddr.h"
#include "net/peer_class.h"
#include "net/upgrade.h"

namespace kms::net {

struct PeerTraffic {
  std::uint64_t bytes_in = 0, bytes_out = 0;      // on the wire, upgrades included
  std::uint64_t streams_in = 0, streams_out = 0;  // opened
  std::uint64_t streams_refused = 0;              // inbound ones: over a limit, or not for the peer's class
  std::uint64_t messages_in = 0;                  // pubsub, delivered for validation
  std::uint64_t messages_refused = 0;             // duplicates not counted
  PeerTraffic& operator+=(const PeerTraffic& other);
};

struct ProtocolCounters {
  std::uint64_t streams_in = 0, streams_out = 0, refused = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // of the application, without the muxer
};

struct HostCounters {
  std::uint64_t opened_inbound = 0, opened_outbound = 0;  // upgraded connections
  std::array<std::uint64_t, kCloseReasons> closed{};      // by CloseReason, attempts that came to nothing included
  std::map<std::string, ProtocolCounters, std::less<>> protocols;
  std::uint64_t queued_bytes_peak = 0;
  std::uint64_t pubsub_stalls = 0;  // our pubsub streams that were reset for want of credit
};

// A connected peer.
struct PeerView {
  PeerId peer;
  PeerClass peer_class;
  std::size_t connections = 0;
  Multiaddr remote;
  Direction direction;
  bool is_identified = false;
  bool has_pubsub = false;  // both ways
  bool is_stalled = false;  // our pubsub stream has bytes and no credit
  double score = 0;         // the router's (LIBP2P.md 8.7); below 0 it misbehaved
  std::string agent_version;
  std::optional<Duration> round_trip;
  std::int64_t connected_unix_ms = 0;  // since when, without a gap
  PeerTraffic traffic;                 // since then; of listed peers, since the host began
  std::size_t queued_bytes = 0;        // what waits to be sent or consumed, the driver's included
  std::size_t streams = 0;             // open ones
};

struct LastClose {
  CloseCause cause;
  std::int64_t unix_ms = 0;
};

// A listed peer that is not connected.
struct AwayView {
  PeerId peer;
  PeerClass peer_class;
  std::optional<LastClose> last_close;  // nothing: never tried yet
  PeerTraffic traffic;
};

}  // namespace kms::net
