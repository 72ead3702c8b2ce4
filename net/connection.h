// One libp2p connection as a pure machine: the upgrade (security, admission, muxer), then streams that agree on their
// protocol by multistream. Bytes in, bytes out, events; time is passed in.
//
// Driver: `receive`, `tick` at `wakes_at`, then `take_events`, then `take_output` for as long as the socket takes it.
// On `ConnectionAuthenticated` answer with `admit` or `close`; nothing goes on before. Exactly one `ConnectionEnded` is
// the last event, with its cause; write what `take_output` still gives (a GOAWAY), then close the socket.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "base/time.h"
#include "net/protocols.h"
#include "net/upgrade.h"
#include "net/yamux.h"

namespace kms::net {

using ProtocolList = std::shared_ptr<const std::vector<std::string>>;  // what we answer on inbound streams

struct ConnectionOptions {
  UpgradeOptions upgrade;
  YamuxOptions yamux;
  Duration upgrade_timeout = kUpgradeTimeout;          // from the first byte channel to the muxer
  Duration negotiation_timeout = kNegotiationTimeout;  // of one stream
};

// The other end proved who it is. `admit` or `close`.
struct ConnectionAuthenticated {
  PeerId peer;
};
// The muxer runs: streams can be opened.
struct ConnectionReady {
  EarlyMuxer early_muxer;
};
// The remote opened a stream and we agreed on this protocol.
struct StreamAccepted {
  StreamId id = 0;
  std::string protocol;
};
// A stream of ours agreed on this protocol; `send` works from here on.
struct StreamAgreed {
  StreamId id = 0;
  std::string protocol;
};
// A stream of ours came to nothing: the remote supports none of the protocols, reset it or took too long.
struct StreamRefused {
  StreamId id = 0;
  std::string reason;
};
// Call `consumed` when the bytes left the host's buffers.
struct StreamBytes {
  StreamId id = 0;
  Bytes bytes;
};
// The remote will send no more.
struct StreamRemoteFinished {
  StreamId id = 0;
};
// Gone: reset by the remote (`reason` says why), or finished by both ends (`reason` is empty). Not for our own resets.
struct StreamGone {
  StreamId id = 0;
  std::string reason;
};
struct ConnectionEnded {
  CloseCause cause;
};
using ConnectionEvent = std::variant<ConnectionAuthenticated, ConnectionReady, StreamAccepted, StreamAgreed,
                                     StreamRefused, StreamBytes, StreamRemoteFinished, StreamGone, ConnectionEnded>;

class Connection {
 public:
  // The byte channel is open. `identity` outlives the connection.
  Connection(Direction direction, const Identity& identity, ProtocolList protocols, ConnectionOptions options,
             Entropy& entropy, Now now);

  void admit(Now now);
  // What the peer's class allows: all of it before `admit`, YamuxSession::set_limits at any time.
  void set_yamux(const YamuxOptions& options);
  void receive(ByteView bytes, Now now);
  void tick(Now now);
  std::optional<Instant> wakes_at() const;
  // From our side, with a GOAWAY if there is a muxer.
  void close(CloseCause cause);
  // The byte channel is gone.
  void channel_closed(std::string reason);

  std::vector<ConnectionEvent> take_events() { return std::exchange(events_, {}); }
  // About `max_bytes` of ciphertext (one frame more at most), made on demand.
  Bytes take_output(std::size_t max_bytes);
  bool has_output() const;

  // Proposes these protocols in order, on a new stream; `StreamAgreed` or `StreamRefused` follows.
  Result<StreamId> open_stream(std::vector<std::string> proposals, Now now);
  // As YamuxSession's; only on agreed streams.
  std::size_t send(StreamId id, ByteView bytes);
  void finish(StreamId id);
  void reset(StreamId id);
  void consumed(StreamId id, std::size_t size);
  bool grow_window(StreamId id, std::uint32_t window);
  std::size_t room(StreamId id) const;
  std::size_t pending(StreamId id) const { return session_ ? session_->pending(id) : 0; }
  bool waits_for_credit(StreamId id) const { return session_ && session_->waits_for_credit(id); }

  Direction direction() const { return direction_; }
  bool is_ready() const { return session_.has_value() && !has_ended_; }
  bool has_ended() const { return has_ended_; }
  std::optional<Duration> round_trip() const { return session_ ? session_->round_trip() : std::nullopt; }
  std::size_t unconsumed_bytes() const { return session_ ? session_->unconsumed_bytes() : 0; }
  std::size_t stream_count() const { return session_ ? session_->stream_count() : 0; }
  void set_protocols(ProtocolList protocols) { protocols_ = std::move(protocols); }

 private:
  struct Pending {  // a stream that has not agreed on its protocol
    Negotiation negotiation;
    Instant deadline;
    Bytes unsent;  // tokens the stream had no room for
  };

  void settle_upgrade(Now now);
  void start_session(Now now);
  void receive_sealed(ByteView bytes, Now now);
  void settle_session(Now now);
  void settle(YamuxEvent&& event, Now now);
  void settle_received(StreamId id, Bytes&& bytes);
  void settle_negotiation(StreamId id, Pending& pending, NegotiationState state);
  void give_up(StreamId id, std::string reason);
  void flush_tokens(StreamId id, Pending& pending);
  void end(CloseCause cause);

  Direction direction_;
  ProtocolList protocols_;
  ConnectionOptions options_;
  Upgrade upgrade_;
  Instant upgrade_deadline_;
  bool authenticated_ = false;
  bool has_ended_ = false;
  std::optional<NoiseSender> sender_;
  std::optional<NoiseReceiver> receiver_;
  std::optional<YamuxSession> session_;
  std::map<StreamId, Pending> pending_;
  Bytes upgrade_output_;
  std::vector<ConnectionEvent> events_;
};

}  // namespace kms::net
