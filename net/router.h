// Router: signed pubsub as gossipsub 1.1 and 1.2 have it, with a choice per topic of how it is carried (TopicPolicy). A
// pure object: RPCs, subscriptions, verdicts and time go in; effects come out; frames are pulled with `next_frame`, so
// that a slow peer fills its bounded queue and nothing else.
//
// A received RPC is checked in the order (LIBP2P.md 8.5): form and counts; subscriptions, of allowed topics; the
// sender's score, below the graylist threshold the rest is not looked at; then of each message: topic subscribed,
// sender and author not blocked, fields as the policy wants them, author not ourselves, not seen, no seqno that a
// listed author used before (SeqnoRule), room to validate, signature; IDONTWANT is sent; then the application's verdict
// (`validated`, at any later time: a message whose verdict is open is neither forwarded nor forgotten). It is marked
// seen only after its signature held, so a forged copy cannot hide the real one.
#pragma once

#include "net/backoff.h"
#include "net/delivery_log.h"
#include "net/message_cache.h"
#include "net/peer_class.h"
#include "net/promises.h"
#include "net/router_events.h"
#include "net/router_options.h"
#include "net/seen_cache.h"
#include "net/seqno_window.h"
#include "net/topic_access.h"
#include "net/wanted_ids.h"

namespace kms::net {

// What the driver knows about the connection to a peer.
struct PeerOrigin {
  bool is_dialled = false;    // by us: an attacker cannot choose to be one of these
  std::string address_group;  // peers of one group share an address (P6); empty: exempt
};

class Router {
 public:
  // `self` and `entropy` outlive the router.
  Router(const Identity& self, RouterOptions options, Entropy& entropy, Now now);

  // A neighbour connected, or its class changed. Nothing is sent to it before `outbound_opened`.
  PubsubEffects peer_added(const PeerId& peer, PeerClass peer_class, Now now);
  // Its score is kept for a while if it is a bad one. If it comes back soon it is told of the messages it missed.
  void peer_removed(const PeerId& peer, Now now);
  // All four are about peers that were added, and without effect on others.
  void set_peer_origin(const PeerId& peer, PeerOrigin origin);
  void set_peer_record(const PeerId& peer, Bytes signed_record);  // offered to others in PRUNEs
  void set_application_score(const PeerId& peer, double score);   // instead of its class's
  void set_direct(const PeerId& peer);  // hears and is heard whatever its score; never in a mesh
  // Our outbound pubsub stream to it is up, with this negotiated version; the first frame is all our subscriptions. It
  // may take the place of one that is still up. Whatever an earlier stream may have lost is announced again.
  PubsubEffects outbound_opened(const PeerId& peer, MeshsubVersion version, Now now);
  void outbound_closed(const PeerId& peer);
  // Its stream to us ended: what it subscribed to and grafted is forgotten, until it subscribes again.
  void inbound_closed(const PeerId& peer);
  // Asked before a signature is checked, and before a subscription or a GRAFT is stored.
  void set_access(TopicAccess access);
  // Asks again about what a peer follows, after its class changed: what it may not is forgotten, and what it asked for
  // in vain and may follow now is stored.
  PubsubEffects recheck(const PeerId& peer, Now now);
  // Waiting for `next_frame`.
  std::size_t queued_bytes(const PeerId& peer) const;
  void block(const PeerId& peer) { blocked_.insert(peer); }
  void unblock(const PeerId& peer) { blocked_.erase(peer); }

  // `body`: one RPC without its length.
  PubsubEffects received(const PeerId& peer, ByteView body, Now now);
  // Fails for a topic that is none, or that the filter does not allow.
  Result<PubsubEffects> subscribe(std::string_view topic, Now now);
  PubsubEffects unsubscribe(std::string_view topic, Now now);
  struct Published {
    MessageId id;
    std::size_t peers = 0;  // it was queued for
    PubsubEffects effects;
  };
  // Subscribed or not. Fails for a bad topic and for messages that do not fit one RPC.
  Result<Published> publish(std::string_view topic, Bytes payload, Now now);
  // Own messages get seqnos above this one from now on.
  void outrun_seqno(std::uint64_t seqno) { seqno_.outrun(seqno); }
  // No effect on an id that is not (or no longer) waiting for its verdict.
  PubsubEffects validated(const MessageId& id, Verdict verdict, Now now);
  PubsubEffects tick(Now now);
  Instant wakes_at() const { return std::min(heartbeat_at_, decay_at_); }

  // The next frame (length and RPC) for a peer, or nothing. Pull while the peer's stream takes more.
  std::optional<Bytes> next_frame(const PeerId& peer);

  bool is_subscribed(std::string_view topic) const;
  std::vector<PeerId> subscribers(std::string_view topic) const;
  // Of a mesh topic, its mesh; of others, who grafted us or was grafted by us.
  std::vector<PeerId> grafted(std::string_view topic) const;
  std::optional<PeerClass> class_of(const PeerId& peer) const;
  double score(const PeerId& peer) const { return scores_.score(peer); }
  double misbehaviour(const PeerId& peer) const { return scores_.misbehaviour(peer); }
  const PubsubCounters& counters() const { return counters_; }
  // The topics we subscribe, and one without a name: all others together that we subscribed or published on.
  std::vector<TopicView> topics() const;
  std::size_t validating() const { return validating_.size(); }
  std::size_t wanted() const { return wanted_.size(); }
  std::size_t scored_peers() const { return scores_.size(); }

 private:
  // What a peer may not have got is announced to it once more, mesh or not.
  struct CatchUp {
    std::optional<std::uint64_t> from;  // this cached message on
    bool is_paid = false;               // with one of its catch-ups
    Instant paid_until;                 // by those it had
    std::uint64_t served_at = 0;        // heartbeat
  };
  struct Peer {
    PeerClass peer_class = PeerClass::light;
    PeerOrigin origin;
    std::optional<double> application_score;
    Bytes signed_record;
    bool is_direct = false, is_graylisted = false;
    std::optional<MeshsubVersion> version;  // of our outbound stream, while it is up
    std::optional<Instant> stream_missed;   // since this heartbeat it is not up
    std::set<std::string, std::less<>> topics;
    std::set<std::string, std::less<>> refused_topics;  // its class may not follow them
    CatchUp catch_up;
    Answers answers;
    Outbox outbox;
    std::size_t ihave_messages = 0, ihave_ids = 0, iwant_messages = 0, idontwant_messages = 0;  // this heartbeat
    std::map<MessageId, std::uint64_t> unwanted;  // IDONTWANT: until this heartbeat
    bool is_noted = false;                        // in the effects being made
  };
  struct Topic {
    TopicPolicy policy = TopicPolicy::mesh;
    bool subscribed = false;
    std::set<PeerId> grafted;
    std::set<PeerId> fanout;  // who gets our messages while we are not subscribed
    Instant fanout_used;
    TopicCounters counters;
  };
  struct Validating {
    std::shared_ptr<const PubsubMessage> message;
    std::shared_ptr<const Bytes> encoded;
    std::optional<PeerId> author;
    PeerId received_from;
    std::set<PeerId> senders;   // everybody who sent it meanwhile
    std::set<PeerId> known_by;  // who announced or refused it
    Instant deadline;
  };
  struct Departed {
    Instant at;
    bool is_light = false;
    Instant catch_ups_paid;
  };
  using Peers = std::map<PeerId, Peer>;
  using Topics = std::map<std::string, Topic, std::less<>>;

  // router.cpp
  Topic* find_topic(std::string_view topic);
  Topic& topic_named(const std::string& topic);
  void note_writable(const PeerId& id, Peer& peer, PubsubEffects& effects);
  PubsubEffects finish(PubsubEffects effects);
  void refuse(const PeerId& peer, Refusal reason, std::string_view topic, std::string detail, PubsubEffects& effects);
  void apply_application_score(const PeerId& id, const Peer& peer);
  Duration cache_age() const { return static_cast<int>(options_.cache_windows) * options_.heartbeat; }
  void note_departed(const PeerId& id, const Peer& peer, Now now);

  // router_publish.cpp
  std::set<PeerId> own_message_targets(const std::string& name, Topic& topic, std::size_t size, Now now);
  std::size_t send_message(const PeerId& id, Peer& peer, Topic& topic, const std::shared_ptr<const Bytes>& encoded,
                           std::uint64_t serial, PubsubEffects& effects);
  void accepted(const MessageId& id, Validating message, Now now, PubsubEffects& effects);
  void forward(const MessageId& id, const Validating& accepted, Topic& topic, PubsubEffects& effects);
  void thin_light(std::set<PeerId>& targets, const Topic& topic);
  bool forwards_to(const PeerId& id, const Peer& peer, const Topic& topic, const Validating& accepted) const;

  // router_receive.cpp
  void receive_subscriptions(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  void receive_message(const PeerId& id, const MessageView& view, Now now, PubsubEffects& effects);
  void begin_validation(const PeerId& id, MessageId message_id, std::shared_ptr<const PubsubMessage> message,
                        std::shared_ptr<const Bytes> encoded, std::optional<PeerId> author, Now now,
                        PubsubEffects& effects);
  // The author of a message whose fields are as the policy wants them; nothing with strict_no_sign.
  Result<std::optional<Author>> check_fields(const PubsubMessage& message) const;
  void receive_own(const PeerId& id, const PubsubMessage& message, Topic& topic, Now now, PubsubEffects& effects);
  bool is_repeated(const PubsubMessage& message, const PeerId& author) const;
  void take_seqno(const PubsubMessage& message, const PeerId& author);
  void note_sender(std::set<PeerId>& senders, const PeerId& peer);
  void receive_copy(const MessageId& id, const PeerId& peer, std::string_view topic, Now now);
  void note_known(const MessageId& id, const PeerId& peer);
  PeerClass class_or_light(const PeerId& id) const { return class_of(id).value_or(PeerClass::light); }
  void kept_word(const MessageId& id, const PeerId& by, Now now);
  void send_idontwant(const MessageId& id, const PubsubMessage& message, const PeerId& except, PubsubEffects& effects);

  // router_control.cpp
  bool may_gossip(const PeerId& id) const { return scores_.score(id) >= options_.thresholds.gossip; }
  bool is_plausible(ByteView message_id) const;
  void receive_ihave(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  WantedIds::Share share_of_wanted(const PeerId& id, const Peer& peer) const;
  void ask_for(const PeerId& id, Peer& peer, std::span<const MessageId> ids, Now now, PubsubEffects& effects);
  void ask_again(Now now, PubsubEffects& effects);
  void receive_iwant(const PeerId& id, Peer& peer, const RpcView& rpc, PubsubEffects& effects);
  std::size_t answer_iwant(const PeerId& id, Peer& peer, ByteView raw, PubsubEffects& effects);
  void receive_idontwant(const PeerId& id, Peer& peer, const RpcView& rpc);

  // router_mesh.cpp
  void receive_grafts(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  enum class Exchange : std::uint8_t { none, offered };
  bool has_light_place(const Topic& topic, const Peer& peer, std::size_t most) const;
  std::optional<Exchange> refusal_of_graft(const PeerId& id, const Peer& peer, const std::string& name,
                                           const Topic& topic, Now now);
  void receive_prunes(const PeerId& id, const Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  void receive_offers(const PeerId& id, const PruneView& prune, PubsubEffects& effects);
  void join(const PeerId& id, const std::string& name, Topic& topic, Now now, PubsubEffects& effects);
  void leave(const PeerId& id, const std::string& name, Topic& topic, PubsubEffects& effects);
  void graft(const PeerId& id, const std::string& name, Topic& topic, Now now, PubsubEffects& effects);
  void prune(const PeerId& id, const std::string& name, Exchange exchange, Duration backoff, Now now,
             PubsubEffects& effects);
  std::vector<ExchangePeer> exchange_peers(const PeerId& except, const std::string& name);
  void graft_as_leaf(const PeerId& id, Peer& peer, const std::string& topic, Now now, PubsubEffects& effects);
  void start_mesh(const std::string& name, Topic& topic, Now now, PubsubEffects& effects);
  MeshPeer mesh_peer(const PeerId& id, const Peer& peer) const;
  std::vector<MeshPeer> graft_candidates(const std::string& name, const Topic& topic) const;
  void drop_negative(const std::string& name, Topic& topic, Now now, PubsubEffects& effects);
  void keep_mesh(const std::string& name, Topic& topic, Now now, PubsubEffects& effects);
  void fill_fanout(const std::string& name, Topic& topic);
  void keep_fanout(const std::string& name, Topic& topic, Now now);

  // router_heartbeat.cpp
  void heartbeat(Now now, PubsubEffects& effects);
  void sweep(Now now, PubsubEffects& effects);
  void keep_peers(Now now, PubsubEffects& effects);

  // router_announce.cpp
  std::vector<PeerId> gossip_targets(const std::string& name, const Topic& topic);
  struct Announcement {
    RpcWriter writer;
    std::size_t ids = 0;
    std::uint64_t begin = 0, end = 0;  // what the peer missed of these was added
    void add(std::string_view topic, const std::vector<MessageId>& messages);
  };
  using Announcements = std::map<PeerId, Announcement>;
  std::size_t announced_max() const { return std::min(options_.ihave_ids_max, options_.rpc_limits.ids); }
  void note_missed(Peer& peer, std::uint64_t from);
  bool follows_ours(const Peer& peer) const;
  std::vector<PeerId> catch_up_order() const;
  bool may_catch_up(Peer& peer, Now now) const;
  Announcements announce_missed(Now now);
  void announce_recent(const std::string& name, const PeerId& id, Announcement& to, Now now);
  void announce(Now now, PubsubEffects& effects);

  const Identity& self_;
  RouterOptions options_;
  Entropy& entropy_;
  SeqnoSource seqno_;
  Peers peers_;
  Topics topics_;  // ours: subscribed, or published on
  std::set<PeerId> blocked_;
  TopicAccess access_;
  std::map<PeerId, SeqnoWindow> seqnos_taken_;  // of listed authors, with SeqnoRule::once_per_listed_author
  PeerScores scores_;
  Backoffs backoffs_;
  Promises promises_;
  DeliveryLog decided_;
  SeenCache seen_;
  MessageCache cache_;
  std::map<MessageId, Validating> validating_;
  std::size_t validating_bytes_ = 0;
  WantedIds wanted_;
  Instant heartbeat_at_, decay_at_;
  std::uint64_t heartbeats_ = 0;
  std::map<PeerId, Departed> departed_;
  PubsubCounters counters_;
};

}  // namespace kms::net
