// What the host tells its driver (transport effects) and its node (events), and the names both use.
#pragma once

#include <variant>

#include "net/close_cause.h"
#include "net/identify.h"
#include "net/peer_class.h"
#include "net/peer_record.h"
#include "net/router.h"
#include "net/upgrade.h"
#include "net/yamux.h"

namespace kms::net {

using ConnectionId = std::uint64_t;  // given by the host, never reused

struct StreamKey {
  ConnectionId connection = 0;
  StreamId stream = 0;
  auto operator<=>(const StreamKey&) const = default;
};

// ---- for the driver, in this order

// Connect, then call `dialled` or `dial_failed`. A `CloseSocket` may come first.
struct DialSocket {
  ConnectionId id = 0;
  TcpTarget target;
};
// Report with `sent` as the bytes leave. The host keeps at most HostOptions::outstanding_bytes_max unreported.
struct WriteSocket {
  ConnectionId id = 0;
  Bytes bytes;
};
// Write what was given before, for a short time, then close. No more inputs for this id are expected; late ones are
// ignored.
struct CloseSocket {
  ConnectionId id = 0;
  CloseCause cause;
};
using TransportEffect = std::variant<DialSocket, WriteSocket, CloseSocket>;

// ---- for the node

// An upgraded connection; a peer may have two of them for a while.
struct ConnectionOpened {
  ConnectionId id = 0;
  PeerId peer;
  Direction direction;
  Multiaddr remote;
  EarlyMuxer early_muxer;  // offered: by both ends
};
// Also of connections that never opened: refused ones, failed dials and upgrades.
struct ConnectionClosed {
  ConnectionId id = 0;  // 0: refused before it got one
  Direction direction;
  std::optional<PeerId> peer;  // authenticated, or expected by a dial
  Multiaddr remote;
  CloseCause cause;
};
// The first connection to this peer is up; `PeerDisconnected` follows the last one's end.
struct PeerConnected {
  PeerId peer;
  PeerClass peer_class;
};
// After the first identify and after every push: all that is known.
struct PeerIdentified {
  PeerId peer;
  Identify identify;
  std::optional<PeerRecord> record;  // verified
};
struct PeerIdentifyFailed {
  PeerId peer;
  std::string reason;
};
struct PeerDisconnected {
  PeerId peer;
  CloseCause cause;
};
// Of our own probes and of `ping`.
struct PingAnswered {
  PeerId peer;
  Duration round_trip;
};
struct PingFailed {
  PeerId peer;
  std::string reason;
};
// A stream of a protocol added with `add_service`: opened by the peer (inbound) or agreed on ours (outbound).
struct ServiceOpened {
  StreamKey stream;
  PeerId peer;
  std::string protocol;
  Direction direction;
};
// Call `service_consumed` when the bytes are used up: it is what gives the peer new credit.
struct ServiceBytes {
  StreamKey stream;
  Bytes bytes;
};
struct ServiceRemoteFinished {
  StreamKey stream;
};
// `service_send` takes bytes again after it had refused some.
struct ServiceWritable {
  StreamKey stream;
};
// Not for our own `service_reset`. Empty reason: both ends finished.
struct ServiceGone {
  StreamKey stream;
  std::string reason;
};
using HostEvent = std::variant<ConnectionOpened, ConnectionClosed, PeerConnected, PeerIdentified, PeerIdentifyFailed,
                               PeerDisconnected, PingAnswered, PingFailed, PubsubDelivery, PubsubEvent, ServiceOpened,
                               ServiceBytes, ServiceRemoteFinished, ServiceWritable, ServiceGone>;

// Apply `transport` from top to bottom, then hand `events` to the node.
struct HostEffects {
  std::vector<TransportEffect> transport;
  std::vector<HostEvent> events;
};

}  // namespace kms::net
