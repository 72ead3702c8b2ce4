// Large objects over streams of their own, /kms/<network>/objects/1 (LIBP2P.md 9.4): announced elsewhere by their
// 32-byte names, pulled from one peer after another until one gives bytes that are what the name says, and served to
// members within bounds.
//
// A service on top of a Host, like Discovery: the node hands over every HostEvent and calls `tick`. What names and
// bytes mean is the node's business. Every step of a pull has a deadline. A peer that refuses, stalls, is busy or
// leaves costs the pull only time, and is asked again after a while, with others in between; one that does not have it
// is not asked again; one that sends other bytes than the name says is a liar: counted, and not asked for anything for
// a while.
#pragma once

#include <deque>
#include <variant>

#include "net/host.h"
#include "net/length_frame.h"

namespace kms::net {

using ObjectName = Hash32;

enum class ObjectUse : std::uint8_t {
  taken,
  useless,  // what the name says, and yet no help: the next source may have a better one
  forged,   // not what the name says; not used
};

// For the node to answer with `answer`.
struct ObjectAsked {
  StreamKey stream;
  ObjectName name;
};
// For the node to look at and to answer with `judge`.
struct ObjectGiven {
  ObjectName name;
  PeerId from;
  Bytes bytes;
};
using ObjectEvent = std::variant<ObjectAsked, ObjectGiven>;

inline constexpr std::size_t kObjectBytesMax = 768 * 1024;

struct ObjectExchangeOptions {
  std::size_t pulls_max = 256;      // names wanted at a time; more are refused
  std::size_t announced_max = 128;  // of these, names that nobody but an announcer spoke of
  std::size_t announced_per_peer_max = 16;
  std::size_t streams_max = 8;                // pulls in flight: with kObjectBytesMax the memory they can take
  std::size_t streams_per_peer_max = 2;       // of these from one peer
  std::size_t sources_max = 16;               // asked for one object
  Duration pull_max = 60s;                    // from its beginning to its last request; then the pull has failed
  Duration retry_first = 1s, retry_max = 8s;  // until a source is asked again for one object, doubling
  Duration stall_max = 2s;                    // without a byte, from the opening of the stream on: the next source
  Duration transfer_max = 20s;                // of one object from one source, however steadily it trickles
  Duration distrust_time = 60s;               // of a liar
  std::size_t served_per_peer_max = 4;        // streams that serve one peer
  std::size_t served_bytes_max = std::size_t{32} << 20;  // being served, to all; beyond it: busy
  std::size_t peer_bytes_burst = std::size_t{8} << 20;   // served to one peer at once ..
  std::size_t peer_bytes_per_s = std::size_t{1} << 20;   // .. and then in each second; beyond it: busy
  Duration serve_max = 15s;                              // for a peer to read one object
  std::size_t notes_max = 64;
};

struct ObjectCounters {
  std::uint64_t pulled = 0;   // objects taken
  std::uint64_t failed = 0;   // pulls that no source could answer in time
  std::uint64_t refused = 0;  // pulls not begun: too many
  std::uint64_t asked = 0;    // requests sent
  std::uint64_t absent = 0;   // of these: the peer does not have it, or is busy
  std::uint64_t useless = 0;  // of these: answered, but without help
  std::uint64_t stalled = 0;  // of these: no byte in time, or too slow
  std::uint64_t lost = 0;     // of these: refused, reset, connection lost
  std::uint64_t liars = 0;    // of these: other bytes than the name says, or no reply at all
  std::uint64_t served = 0;   // objects given
  std::uint64_t served_absent = 0;
  std::uint64_t served_busy = 0;
  std::uint64_t served_refused = 0;  // requests reset as malformed
};

class ObjectExchange {
 public:
  // Adds its service to `host`, for the classes committee and registered. `host` outlives it.
  ObjectExchange(Host& host, const std::string& network, ObjectExchangeOptions options, Now now);

  // Gets an object that the node lacks; such ones come before announced ones. False: too many pulls.
  bool pull(const ObjectName& name, Now now);
  // The same for one that `announcer` has: it is asked first, then the other sources. A name that is being pulled
  // already gains the source. It ends with an ObjectGiven that is `taken`, or with `is_pulling` no longer true.
  bool pull_announced(const ObjectName& name, const PeerId& announcer, Now now);
  bool is_pulling(const ObjectName& name) const { return pulls_.contains(name); }
  void forget(const ObjectName& name, Now now);
  // Who may be asked: members, as the node sees them. Only connected ones that speak the protocol are.
  void set_members(std::set<PeerId> members, Now now);

  // Every event of the host, in order. True: it belongs to this service, and nobody else needs to see it.
  bool receive(const HostEvent& event, Now now);
  void tick(Now now);
  std::optional<Instant> wakes_at() const;

  // After every input.
  std::vector<ObjectEvent> take_events() { return std::exchange(events_, {}); }
  // What this node holds under the name that was asked for, at most kObjectBytesMax; nothing: it does not.
  void answer(StreamKey stream, const std::optional<Bytes>& object, Now now);
  // What the bytes of an ObjectGiven were.
  void judge(const ObjectName& name, const PeerId& from, ObjectUse use, Now now);

  const ObjectCounters& counters() const { return counters_; }
  std::deque<std::string> take_notes() { return std::exchange(notes_, {}); }
  std::size_t served_bytes() const { return served_bytes_; }

 private:
  struct Source {  // who was asked for one object
    std::uint32_t failures = 0;
    Instant again_at;
    bool is_over = false;  // not asked again
  };
  struct Pull {
    std::optional<PeerId> announced_by;  // the first one; nothing: the node lacks it
    std::vector<PeerId> preferred;       // announcers
    std::map<PeerId, Source> sources;
    std::size_t requests = 0;
    std::optional<StreamKey> stream;
    bool is_given = false;  // bytes are being judged
    Instant since, ends_at;
  };
  struct Transfer {
    ObjectName name;
    PeerId peer;
    LengthFrame reply;
    Instant stalls_at, ends_at;
  };
  struct Serving {
    PeerId peer;
    LengthFrame request;
    bool is_asked = false;
    std::size_t bytes = 0;  // of the answer
    std::optional<Instant> ends_at;
  };
  struct Allowance {
    std::size_t left = 0;
    Instant at;
  };

  // object_pulls.cpp
  Pull& begin_pull(const ObjectName& name, Now now);
  std::size_t announced_by(const std::optional<PeerId>& peer) const;
  bool refuse();
  bool is_liar(const PeerId& peer, Now now) const;
  bool may_ask(const PeerId& peer, Now now) const;
  bool is_due(const Pull& pull, const PeerId& peer, Now now) const;
  std::optional<PeerId> next_source(const Pull& pull, Now now) const;
  bool has_hope(const Pull& pull, Now now) const;
  void start_due(Now now);
  void start(const ObjectName& name, Pull& pull, const PeerId& peer, Now now);
  void ask_again_later(Pull& pull, const PeerId& peer, Now now);
  void replied(StreamKey stream, ByteView bytes, Now now);
  void take_reply(const Transfer& transfer, Pull& pull, Now now);
  void lied(const ObjectName& name, const PeerId& peer, const std::string& why, Now now);
  void broke_off(std::map<StreamKey, Transfer>::iterator at, std::uint64_t& counter, Now now);

  // object_serving.cpp
  void serve(StreamKey stream, ByteView bytes, Now now);
  bool may_serve(const PeerId& peer, std::size_t size, Now now);
  void end_serving(StreamKey stream);

  Host& host_;
  std::string protocol_;
  ObjectExchangeOptions options_;
  std::set<PeerId> members_;
  std::set<PeerId> speakers_;             // connected peers that speak the protocol
  std::map<PeerId, Instant> liars_;       // until
  std::map<PeerId, std::uint64_t> used_;  // requests sent to a peer: the least used is next
  std::map<ObjectName, Pull> pulls_;
  Instant looked_at_;  // when pulls were last gone through
  std::map<StreamKey, Transfer> transfers_;
  std::map<StreamKey, Serving> serving_;
  std::map<StreamKey, Instant> ending_;  // read to the end; reset then if they do not end
  std::map<PeerId, Allowance> allowances_;
  std::size_t served_bytes_ = 0;
  std::vector<ObjectEvent> events_;
  std::deque<std::string> notes_;
  ObjectCounters counters_;
};

// ObjectRequest { bytes name = 1; }
// ObjectReply   { ObjectStatus status = 1; bytes object = 2; }
enum class ObjectStatus : std::uint8_t { here = 1, absent = 2, busy = 3 };
Bytes encode_object_request(const ObjectName& name);
Result<ObjectName> parse_object_request(ByteView body);
struct ObjectReply {
  ObjectStatus status = ObjectStatus::absent;
  ByteView object;  // into what was parsed; only with `here`
};
Bytes encode_object_reply(const ObjectReply& reply);
Result<ObjectReply> parse_object_reply(ByteView body);

// /kms/<network>/objects/1
std::string objects_protocol(const std::string& network);

}  // namespace kms::net
