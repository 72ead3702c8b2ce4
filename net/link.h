// What the host keeps per connection and per peer. Internal to net/host*.cpp.
#pragma once

#include <map>
#include <variant>
#include <vector>

#include "net/connection.h"
#include "net/gate.h"
#include "net/host_counters.h"
#include "net/host_events.h"

namespace kms::net {

struct IdentifyFetch {  // ours: we read what the peer says
  IdentifyReader reader;
};
struct IdentifyServe {};
struct PushReceive {
  IdentifyReader reader;
};
struct PushSend {};
struct PingServe {
  Bytes partial;
};
struct PingProbe {
  ByteArray<kPingBytes> payload{};
  Bytes echoed;
  Instant sent_at;
};
struct PubsubIn {
  RpcFrames frames = RpcFrames();
};
struct PubsubOut {};
struct ServiceStream {
  std::string protocol;
  bool was_full = false;  // `service_send` refused bytes since the last ServiceWritable
  std::size_t consumed = 0;
};
struct Ending {};  // nothing is expected of it but its end
using StreamRole = std::variant<IdentifyFetch, IdentifyServe, PushReceive, PushSend, PingServe, PingProbe, PubsubIn,
                                PubsubOut, ServiceStream, Ending>;

struct Stream {
  StreamRole role;
  std::string protocol{};  // once agreed
  Direction direction = Direction::inbound;
  bool agreed = true;      // false: ours, still negotiating
  bool finishing = false;  // finish once `unsent` is empty
  bool finished = false;
  Bytes unsent{};  // what the muxer had no room for
  std::size_t unsent_from = 0;
  std::optional<Instant> deadline{};  // then it is reset

  std::size_t unsent_size() const { return unsent.size() - unsent_from; }
};

struct Link {
  ConnectionId id = 0;
  Direction direction = Direction::outbound;
  Multiaddr remote;
  std::optional<PeerId> expected{};        // of a dial
  std::optional<PeerId> peer{};            // authenticated
  std::optional<Connection> connection{};  // nothing while dialling
  Instant dial_deadline{};
  bool is_ready = false;
  std::string address_key{};        // see gate_key_of; of an outbound one once it is dialled
  std::optional<Caller> in_gate{};  // counted there as an upgrade in flight
  std::map<StreamId, Stream> streams{};
  std::size_t outstanding = 0;  // bytes given to the driver and not reported as sent
  Instant progress_at{};        // last time `outstanding` shrank or left zero
  std::optional<Instant> wakes_at{};
  std::size_t queued = 0;  // its part of the host's total
  PeerTraffic traffic{};

  const std::optional<PeerId>& known_peer() const { return peer ? peer : expected; }
};

struct Neighbour {
  PeerClass peer_class = PeerClass::light;
  std::vector<ConnectionId> connections;  // upgraded, oldest first
  bool is_identified = false;
  std::uint32_t identify_failures = 0;
  Identify identify;
  std::optional<PeerRecord> record;
  bool push_again = false;

  // Our outbound pubsub stream, the one that will replace it, and theirs (oldest first; at most two).
  std::optional<StreamKey> pubsub_out, pubsub_next;
  std::vector<StreamKey> pubsub_in;
  Bytes frame;  // being sent on pubsub_out
  std::size_t frame_sent = 0;
  std::uint64_t pubsub_queued = 0, pubsub_left = 0;  // bytes given to the muxer on pubsub_out, and those that left it
  std::optional<Instant> pubsub_stalled_at;          // since then none left, for want of credit
  std::uint32_t pubsub_failures = 0;
  Instant pubsub_retry_at;

  std::optional<StreamKey> ping;
  std::size_t pings_asked = 0;
  Instant ping_at;
  std::optional<Duration> round_trip;
  std::optional<Instant> duplicate_check_at;
  std::int64_t connected_unix_ms = 0;
  PeerTraffic traffic;  // of connections that ended, and messages
};

// What is remembered of a listed peer while it is away.
struct PeerHistory {
  PeerTraffic traffic;
  std::optional<LastClose> last_close;
};

}  // namespace kms::net
