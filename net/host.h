// The libp2p host as a pure machine over many connections: upgrades, identify and push, ping, pubsub streams and their
// router, kept-up connections to a static peer list, limits, and room for request/response services.
//
// Inputs: what the sockets report, `tick` at `wakes_at`, and the calls of the node. Outputs: `take_effects`, after
// every input. Everything is bounded: connections, upgrades, streams, bytes given to the driver, queues per peer, and
// the bytes that wait in all of them together: beyond that budget connections are closed, those of light peers first,
// of one class the one with the most bytes waiting.
//
// Two connections to one peer (both dialled) both work; after `duplicate_after` the one dialled by the larger PeerId is
// closed, once no pubsub or service stream is left on it; our own pubsub stream moves to the other at once.
#pragma once

#include <set>

#include "net/dial_book.h"
#include "net/gate.h"
#include "net/host_events.h"
#include "net/link.h"

namespace kms::net {

enum class DialPolicy : std::uint8_t { named_peers, anyone };  // named_peers: only addresses that end in /p2p/ID

struct HostOptions {
  std::string protocol_version = "/kms/dev/1.0.0";  // names the network
  std::string agent_version = "kms/0.1.0";
  EarlyMuxer early_muxer = EarlyMuxer::offered;
  MeshsubVersion meshsub_max = MeshsubVersion::v1_2;  // the highest we offer
  DialPolicy dial_policy = DialPolicy::named_peers;
  PeerClass unlisted = PeerClass::light;  // whom `set_peer_classes` does not name
  ClassRules committee = kCommitteeRules, registered = kRegisteredRules, light = kLightRules;
  std::vector<TopicRule> topic_rules;
  RouterOptions router;
  GateOptions gate;
  DialBookOptions dial_book;
  YamuxOptions yamux;                          // but for what ClassRules says
  std::size_t connections_max = 256;           // authenticated
  std::size_t connections_reserved = 128;      // of these, not for light peers
  std::size_t connections_per_peer_max = 2;    // a third is refused
  std::size_t outstanding_bytes_max = 262144;  // given to the driver per connection; one frame more at most
  std::size_t service_unsent_max = 1 << 20;    // queued per service stream
  // Waiting to be sent or consumed. Per connection: beyond it `service_send` refuses. In all: see above.
  std::size_t session_bytes_max = std::size_t{32} << 20;
  std::size_t queued_bytes_max = std::size_t{256} << 20;
  Duration dial_timeout = 10s, upgrade_timeout = kUpgradeTimeout, negotiation_timeout = kNegotiationTimeout;
  Duration write_stall_max = 30s;  // no byte left although some were waiting
  // The same of our pubsub stream, for want of credit; then it is reset. Less than the 30 s of the message cache, so
  // that what was lost with it is still there to be announced on the next one.
  Duration pubsub_stall_max = 20s;
  Duration duplicate_after = 5s;
  Duration ping_interval = 15s;  // our own round trip probes; zero: only `ping`
};

// A request/response protocol of the node. The host names it in identify.
struct Service {
  std::string protocol;
  std::size_t inbound_per_peer_max = 16;  // more are reset
  std::set<PeerClass> allowed{PeerClass::committee, PeerClass::registered, PeerClass::light};
  Duration idle_max = 60s;  // then a stream is reset
};

class Host {
 public:
  // `identity` and `entropy` outlive the host.
  Host(const Identity& identity, HostOptions options, Entropy& entropy, Now now);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  HostEffects take_effects() { return std::exchange(effects_, {}); }

  // ---- from the driver
  // Nothing: over a limit (the event says which); close the socket.
  std::optional<ConnectionId> accepted(Multiaddr remote, Now now);
  void dialled(ConnectionId id, Multiaddr remote, Now now);
  void dial_failed(ConnectionId id, std::string reason, Now now);
  void received(ConnectionId id, ByteView bytes, Now now);
  void sent(ConnectionId id, std::size_t size, Now now);
  void closed(ConnectionId id, std::string reason, Now now);
  void tick(Now now);
  std::optional<Instant> wakes_at() const;

  // ---- from the node: peers
  // What identify and the signed record say; pushed to those who know us already.
  void set_listen_addresses(std::vector<Multiaddr> addresses, Now now);
  // The list that is kept connected. See DialBook::set_peers.
  Result<void> set_peers(const std::vector<Multiaddr>& addresses, Now now);
  // See DialBook::set_found.
  void set_found_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Now now);
  // Our signed record gets a seq above this one, and is pushed to everybody: an earlier run of this node had a clock
  // that was ahead, and peers would go by its record. Our messages get seqnos above those of that run, for the same
  // reason.
  void outrun_record(std::uint64_t seq, Now now);
  // Once; `ConnectionOpened` or `ConnectionClosed` with this id follows.
  Result<ConnectionId> dial(const Multiaddr& address, Now now);
  // Decides again about everybody connected: denied peers are closed, and what a peer's new class may not do ends:
  // streams of services, topics it follows, a place among a class that is full.
  void set_peer_classes(std::map<PeerId, PeerClass> classes, Now now);
  void disconnect(const PeerId& peer, CloseCause cause, Now now);
  // One round trip probe; `PingAnswered` or `PingFailed` follows. At most 16 wait per peer. False: not connected, full.
  bool ping(const PeerId& peer, Now now);
  void close_all(CloseCause cause, Now now);

  // ---- pubsub, see Router
  Result<void> subscribe(std::string_view topic, Now now);
  void unsubscribe(std::string_view topic, Now now);
  struct Published {
    MessageId id;
    std::size_t peers = 0;
  };
  Result<Published> publish(std::string_view topic, Bytes payload, Now now);
  void validated(const MessageId& id, Verdict verdict, Now now);
  const Router& router() const { return router_; }

  // ---- services
  void add_service(Service service, Now now);
  // `ServiceOpened` follows, or `ServiceGone`.
  Result<StreamKey> open_service(const PeerId& peer, std::string_view protocol, Now now);
  // All of it or nothing. False: the stream is gone, or its queue is full (`ServiceWritable` follows).
  bool service_send(StreamKey stream, ByteView bytes, Now now);
  void service_finish(StreamKey stream, Now now);
  void service_reset(StreamKey stream, Now now);
  void service_consumed(StreamKey stream, std::size_t size, Now now);

  // ---- what is
  const PeerId& peer_id() const { return identity_.peer_id(); }
  using PeerView = net::PeerView;
  std::vector<PeerView> peers() const;
  // Of `set_peer_classes`, denied ones and ourselves not counted.
  std::vector<AwayView> away() const;
  const HostCounters& counters() const { return counters_; }
  PeerClass class_of(const PeerId& peer) const;
  bool is_connected(const PeerId& peer) const { return neighbours_.contains(peer); }
  // The envelope with our own record.
  const Bytes& signed_record() const { return signed_record_; }
  std::uint64_t record_seq() const { return record_seq_; }
  std::size_t connection_count() const { return links_.size(); }  // dials and upgrades in flight included
  // Bytes that wait in queues of the host and of its muxers for this peer, the driver's not counted.
  std::size_t queued_bytes(const PeerId& peer) const;
  // What waits to be sent or consumed on all connections, the driver's included.
  std::size_t queued_bytes() const { return queued_total_; }

 private:
  using Links = std::map<ConnectionId, Link>;
  using Neighbours = std::map<PeerId, Neighbour>;

  // host.cpp: the loop
  Link* find_link(ConnectionId id);
  Stream* find_stream(StreamKey key);
  void settle(Now now);
  void settle_link(Link& link, Now now);
  void pump(Link& link, Now now);
  void flush_stream(Link& link, StreamId id, Stream& stream);
  void tick_link(Link& link, Now now);
  std::optional<Instant> wakes_at_of(const Link& link) const;

  // host_links.cpp: dials, authentication, duplicates, ends
  ConnectionOptions connection_options(const std::optional<PeerId>& expected) const;
  ConnectionId start_dial(TcpTarget target, Multiaddr address, Now now);
  void dial_due(Now now);
  void authenticated(Link& link, const PeerId& peer, Now now);
  void ready(Link& link, EarlyMuxer early_muxer, Now now);
  void ended(Link& link, const CloseCause& cause, Now now);
  void leave_gate(Link& link);
  // Who may be calling from there, by where members are said to be and where they came from.
  Caller caller_at(const std::string& address_key);
  bool is_member(const PeerId& peer) const;  // listed as committee or registered
  void note_address(const PeerId& peer, const std::string& address_key);
  void note_origin(const PeerId& peer, const Neighbour& neighbour);
  ConnectionId preferred_connection(const PeerId& peer, const Neighbour& neighbour) const;
  void close_duplicates(const PeerId& peer, Neighbour& neighbour, Now now);

  // host_classes.cpp: what each class may, limits, budgets
  const ClassRules& rules_of(PeerClass peer_class) const;
  YamuxOptions yamux_options_of(PeerClass peer_class) const;
  enum class RoomHelps : std::uint8_t { no, yes };  // whether it would be taken if somebody else left
  struct Refused {
    CloseCause cause;
    RoomHelps room_helps;
  };
  std::optional<Refused> refusal_of(const Link& link, PeerClass peer_class) const;
  bool make_room();
  void reclassify(const PeerId& peer, Neighbour& neighbour, PeerClass peer_class, Now now);
  std::size_t queued_on(const Link& link) const;
  void recount(Link& link);
  bool shed_over_budget();

  // host_counters.cpp
  void count_closed(const Link& link, const CloseCause& cause, Now now);
  ProtocolCounters& counters_of(std::string_view protocol);

  // host_streams.cpp: stream events to the code of their role
  void dispatch(Link& link, ConnectionEvent&& event, Now now);
  void stream_accepted(Link& link, StreamId id, const std::string& protocol, Now now);
  std::optional<StreamRole> role_for(Link& link, const std::string& protocol);
  void stream_agreed(Link& link, StreamId id, const std::string& protocol, Now now);
  void stream_bytes(Link& link, StreamId id, Bytes&& bytes, Now now);
  void stream_remote_finished(Link& link, StreamId id, Now now);
  // Erases the stream and tells its role.
  void lose_stream(Link& link, StreamId id, const std::string& reason, Now now);
  void reset_stream(Link& link, StreamId id, const std::string& reason, Now now);
  std::optional<StreamKey> open(Link& link, std::vector<std::string> proposals, StreamRole role,
                                std::optional<Instant> deadline, Now now);
  void queue(Link& link, StreamId id, ByteView bytes);
  void finish_after_queue(Link& link, StreamId id);
  // Its role is over: finishes our half after what is queued, and resets it should the remote not do the same soon.
  void end_stream(Link& link, StreamId id, Now now);

  // host_identify.cpp
  void refresh_protocols(Now now);
  void refresh_record(Now now);
  Bytes identify_frame(const Link& link) const;
  void push_to_all(Now now);
  void push_to(const PeerId& peer, Neighbour& neighbour, Now now);
  void identified(Link& link, Result<Identify> message, Now now);
  void push_received(Link& link, Result<Identify> message, Now now);
  void note_identify(const PeerId& peer, Neighbour& neighbour, Now now);

  // host_ping.cpp
  void serve_ping(Link& link, StreamId id, PingServe& ping, ByteView bytes, Now now);
  void start_probe(const PeerId& peer, Neighbour& neighbour, Now now);
  void probe_echoed(Link& link, StreamId id, PingProbe& probe, ByteView bytes, Now now);
  void probe_failed(Link& link, std::string reason, Now now);
  void next_probe(const PeerId& peer, Now now);

  // host_pubsub.cpp
  std::vector<std::string> meshsub_protocols() const;
  void absorb(PubsubEffects&& effects, Now now);
  void refresh_pubsub(const PeerId& peer, Neighbour& neighbour, Now now);
  void pubsub_agreed(Link& link, StreamId id, const std::string& protocol, Now now);
  void pubsub_accepted(Link& link, StreamId id, Now now);
  void pubsub_bytes(Link& link, StreamId id, Bytes&& bytes, Now now);
  void pubsub_out_lost(Link& link, StreamId id, Now now);
  void pubsub_in_lost(Link& link, StreamId id);
  bool fill_pubsub(Link& link);
  // Of the peer whose pubsub stream of ours is on this link, if any.
  Neighbour* pubsub_writer_of(const Link& link);
  const Neighbour* pubsub_writer_of(const Link& link) const;
  void note_pubsub_progress(const Link& link, Now now);
  void reset_stalled_pubsub(Link& link, Now now);

  // host_services.cpp
  const Service* find_service(std::string_view protocol) const;

  const Identity& identity_;
  HostOptions options_;
  Entropy& entropy_;
  Router router_;
  Gate gate_;
  DialBook dial_book_;
  std::map<PeerId, PeerClass> classes_;
  std::map<std::string, Service, std::less<>> services_;
  ProtocolList protocols_;
  std::vector<Multiaddr> listen_addresses_;
  Bytes signed_record_;
  std::uint64_t record_seq_ = 0;
  Links links_;
  Neighbours neighbours_;
  std::set<ConnectionId> dirty_;
  std::size_t queued_total_ = 0;
  HostCounters counters_;
  std::map<PeerId, PeerHistory> history_;         // of listed peers
  std::map<PeerId, std::string> last_addresses_;  // of members, as gate_key_of says
  std::set<std::string> member_addresses_;        // those, and the dial book's
  bool member_addresses_stale_ = false;
  ConnectionId next_id_ = 1;
  HostEffects effects_;
};

}  // namespace kms::net
