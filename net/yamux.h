// yamux 1.0.0 (`/yamux/1.0.0`): many streams over one ordered byte channel, as a pure state machine. Bytes of the
// remote go in, events and output bytes come out; time is passed in; no sockets.
//
// Driver loop: feed `receive`, call `tick` at `wakes_at`, then drain `take_events` and write `take_output` for as long
// as the socket takes it. Output is made on demand: what is not pulled stays in the bounded queues of the streams, so a
// slow socket slows the writers down. Order of output: pongs, pings, refusals and window updates first, then one data
// frame per stream in turn.
//
// A remote that breaks the protocol ends the session: one `YamuxEnded` event, a GOAWAY as the last output, and every
// later call does nothing. An ACK is never waited for (js sends it late or never).
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace kms::net {

using StreamId = std::uint32_t;

inline constexpr std::size_t kYamuxHeaderBytes = 12;
inline constexpr std::uint32_t kYamuxInitialWindow =
    262144;  // credit of a new stream, both directions, whatever is configured
inline constexpr std::size_t kYamuxDataBytesMax = 65507;  // with its header one frame fills one Noise message (65519)

enum class YamuxSide { dialer, listener };                                        // dialer: odd stream ids
enum class YamuxCode : std::uint32_t { normal = 0, protocol = 1, internal = 2 };  // of a GOAWAY

struct YamuxOptions {
  std::size_t pending_bytes_max = 256 * 1024;             // unsent bytes queued per stream
  std::size_t inbound_streams_max = 256;                  // concurrent; more are refused with RST
  std::uint32_t inbound_per_second = 100;                 // new streams, burst of as many; more are refused with RST
  std::size_t unacked_opens_max = 256;                    // streams we opened that the remote has not touched yet
  std::size_t receive_bytes_max = std::size_t{32} << 20;  // received, not consumed, over all streams
  std::size_t pongs_max = 32;                             // unsent answers to pings; more pings go unanswered
  std::size_t resets_max = 1024;                          // unsent RSTs; more end the session
  Duration ping_interval = 30s;                           // at least this often, for the round trip
  Duration quiet_max = 10s;                               // nothing received for so long: ping
  Duration pong_deadline = 10s;                           // a ping waits and no byte came for so long: dead
  Duration pong_max = 30s;                                // an answer this late is none, whatever else came
  // Frames that nothing justifies: pings, pongs to no ping of ours, empty data and updates, updates that give back more
  // than we sent, FINs and ACKs told before, data after a FIN, frames of streams that are gone, refused opens.
  // Sustained and at once; more end the session.
  std::uint32_t idle_frames_per_second = 1000, idle_frames_burst = 4096;
};

// The remote opened this stream; it was acknowledged already.
struct YamuxOpened {
  StreamId id = 0;
};
// Never more than the credit granted. Call `consumed` once the bytes left the host's buffers.
struct YamuxReceived {
  StreamId id = 0;
  Bytes bytes;
};
// The remote will send no more on this stream; we still may.
struct YamuxRemoteFinished {
  StreamId id = 0;
};
// The stream is gone both ways; drop what is buffered for it. Either the remote did it, or the session's receive budget
// was used up. Not reported for our own `reset`.
struct YamuxReset {
  StreamId id = 0;
  std::string reason;
};
// Both sides finished and our FIN left. Bytes received before are still to be consumed.
struct YamuxClosed {
  StreamId id = 0;
};
// The session is over. Write what `take_output` still gives (a GOAWAY if we ended it), then close the channel.
struct YamuxEnded {
  std::uint32_t code = 0;  // of the GOAWAY sent or received
  bool by_remote = false;
  std::string reason;
};
using YamuxEvent = std::variant<YamuxOpened, YamuxReceived, YamuxRemoteFinished, YamuxReset, YamuxClosed, YamuxEnded>;

class YamuxSession {
 public:
  // The first ping is due at once, as go and js do.
  YamuxSession(YamuxSide side, Instant now, YamuxOptions options = {});

  void receive(ByteView bytes, Instant now);
  void tick(Instant now);
  // What the other end is may change while the session runs: what it may cost and how soon its silence is noticed. Open
  // streams stay.
  void set_limits(const YamuxOptions& options) {
    options_.inbound_streams_max = options.inbound_streams_max;
    options_.inbound_per_second = options.inbound_per_second;
    options_.receive_bytes_max = options.receive_bytes_max;
    options_.quiet_max = options.quiet_max;
    options_.pong_deadline = options.pong_deadline;
  }
  // When `tick` is next worth calling; nothing once the session has ended.
  std::optional<Instant> wakes_at() const;

  std::vector<YamuxEvent> take_events();
  // Whole frames, at most `max_bytes` (at least 12) in all; empty when nothing can be sent now.
  Bytes take_output(std::size_t max_bytes);
  bool has_output() const;

  // Data may follow at once. Fails when the session has ended, too many opens are unanswered or the ids are used up
  // (then reconnect).
  Result<StreamId> open_stream();
  // Queues bytes from the front and returns how many; fewer than given when the stream's queue is full (offer the rest
  // again after output was taken), 0 on a stream that is gone or finished by us.
  std::size_t send(StreamId id, ByteView bytes);
  // Half-close: FIN follows what is queued. Receiving goes on.
  void finish(StreamId id);
  // RST; drops what is queued both ways. No event follows.
  void reset(StreamId id);
  // The application used up `size` bytes of this stream: grants new credit once half the window was consumed.
  void consumed(StreamId id, std::size_t size);
  // Raises the receive window of a stream to `window` bytes if the session's budget (half of it is for raised windows)
  // allows; false if not, and then nothing changes.
  bool grow_window(StreamId id, std::uint32_t window);
  // Ends the session from our side: drops all streams, GOAWAY is the last output.
  void close(YamuxCode code, std::string reason);

  std::size_t pending(StreamId id) const;  // bytes queued by `send` and not yet taken
  std::size_t room(StreamId id) const;     // what `send` would accept now
  bool is_open(StreamId id) const;         // known and not yet closed or reset
  // Bytes are queued and the remote has granted no credit for any of them.
  bool waits_for_credit(StreamId id) const;
  bool has_ended() const { return ended_; }
  std::size_t stream_count() const { return streams_.size(); }
  std::size_t unconsumed_bytes() const { return unconsumed_bytes_; }
  std::optional<Duration> round_trip() const { return round_trip_; }  // of the last answered ping

 private:
  struct Header {
    std::uint8_t version = 0, type = 0;
    std::uint16_t flags = 0;
    std::uint32_t stream = 0, length = 0;
  };
  struct Stream {
    bool inbound = false;
    bool acked = false;     // the remote has sent something on it
    bool ack_seen = false;  // with the flag ACK
    bool remote_finished = false;
    bool finishing = false;  // `finish` was called
    bool finished = false;   // our FIN left
    bool queued_for_control = false, queued_for_data = false;
    std::uint16_t open_flag = 0;  // SYN or ACK still to be sent, on a window update
    std::uint64_t grant = 0;      // window update still to be sent
    std::uint64_t send_credit = kYamuxInitialWindow;
    std::uint64_t sent_ungranted = 0;  // sent, and not given back by a window update
    std::uint64_t receive_credit = kYamuxInitialWindow;
    std::uint64_t window = kYamuxInitialWindow;  // the receive window that `consumed` restores
    std::uint64_t ungranted = 0;                 // consumed since the last grant
    std::size_t unconsumed = 0;
    Bytes pending;
    std::size_t pending_from = 0;  // bytes before it have left
    bool closed = false;           // both FINs passed; kept until its bytes are consumed
  };
  using Streams = std::map<StreamId, Stream>;

  void receive_header(const Header& header, Instant now);
  void receive_stream_frame(const Header& header, Instant now);
  bool apply_window_update(Streams::iterator at, const Header& header);
  void receive_ping(const Header& header, Instant now);
  // False if the session ended; a refused stream stays unknown.
  bool accept_syn(const Header& header, Instant now);
  bool is_fresh_remote_id(StreamId id);
  bool apply_data(Streams::iterator at, const Header& header);
  void receive_payload(ByteView bytes);
  void finish_frame();
  void fail(YamuxCode code, std::string reason);
  void end(std::uint32_t code, bool by_remote, std::string reason);
  void send_reset(StreamId id);
  void erase(Streams::iterator at);
  void settle(Streams::iterator at);
  void want_control(StreamId id, Stream& stream);
  void want_data(StreamId id, Stream& stream);
  void take_control(Bytes& out, std::size_t max_bytes);
  void take_stream_data(Bytes& out, std::size_t max_bytes);
  bool take_stream_frame(StreamId id, Stream& stream, Bytes& out, std::size_t room_left);
  bool is_remote_id(StreamId id) const { return (id % 2 == 0) == (side_ == YamuxSide::dialer); }
  bool take_inbound_token(Instant now);
  // A frame that nothing justifies. False: one too many, the session ended.
  bool note_idle_frame(Instant now);
  // Uses up what justifies it.
  bool is_idle_frame(const Header& header);
  bool is_awaited_pong(const Header& header) const;
  static bool take_grant(Stream& stream, std::uint32_t delta);
  Instant ping_at() const;
  Instant silence_deadline() const;

  YamuxSide side_;
  YamuxOptions options_;
  bool ended_ = false;
  Streams streams_;
  std::uint64_t next_id_;
  StreamId highest_remote_ = 0;
  std::set<StreamId> skipped_remote_;  // lower ids not seen yet: go's concurrent opens may arrive out of order
  std::size_t inbound_count_ = 0, unacked_opens_ = 0, unconsumed_bytes_ = 0;
  std::uint64_t raised_windows_ = 0;
  Duration inbound_budget_;  // tokens of the inbound rate limit, counted as refill time
  Instant inbound_refilled_;
  Duration idle_budget_;  // the same for frames that change nothing
  Instant idle_refilled_;

  ByteArray<kYamuxHeaderBytes> header_bytes_{};
  std::size_t header_size_ = 0;
  Header frame_;  // the frame whose payload is being received
  std::uint64_t payload_left_ = 0;
  bool payload_wanted_ = false;  // else drained
  bool in_payload_ = false;

  std::deque<std::uint32_t> pongs_;
  std::deque<StreamId> resets_;
  std::deque<StreamId> control_, data_;
  std::optional<std::uint32_t> ping_to_send_;
  std::uint32_t ping_value_ = 0;
  std::optional<Instant> ping_sent_at_;
  Instant ping_due_;
  Instant heard_at_;
  std::optional<Instant> last_chance_;  // silent for too long already; a late driver may have bytes at hand
  std::optional<Duration> round_trip_;
  std::optional<std::uint32_t> goaway_;
  std::vector<YamuxEvent> events_;
};

}  // namespace kms::net
