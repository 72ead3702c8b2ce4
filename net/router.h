// Router: signed pubsub on the gossipsub wire with flooding. A pure object: RPCs, subscriptions, verdicts and time go
// in; effects come out; frames are pulled with `next_frame`, so that a slow peer fills its bounded queue and nothing
// else.
//
// Own messages go to every subscriber. Accepted messages of others are forwarded as `ForwardPolicy` says. What was lost
// is pulled: committee peers announce recent messages (IHAVE) and answer IWANT from the message cache. GRAFTs for
// subscribed topics are accepted silently; the router itself grafts only as `GraftPolicy` says.
//
// A received message is checked in the order: topic subscribed, sender and author not blocked, fields as the policy
// wants them, author not ourselves, not seen, room to validate, signature, then the application's verdict (`validated`,
// at any later time: a message whose verdict is open is neither forwarded nor forgotten). It is marked seen only after
// its signature held, so a forged copy cannot hide the real one.
#pragma once

#include <array>
#include <map>
#include <set>
#include <variant>

#include "base/entropy.h"
#include "net/message_cache.h"
#include "net/outbox.h"
#include "net/peer_class.h"
#include "net/pubsub_message.h"
#include "net/seen_cache.h"
#include "net/topic_access.h"

namespace kms::net {

// all: to every subscriber but the senders and the author. grafted: to the peers that grafted us or that we grafted; a
// message that enters from a light author also goes to the committee peers, which are assumed fully connected. none: a
// leaf, which only receives and publishes.
enum class ForwardPolicy { all, grafted, none };
enum class GraftPolicy { none, committee };  // committee: GRAFT committee peers on our topics (light clients do)
enum class SendIdontwant { never, to_subscribers };

// Which topics of others are stored.
struct TopicFilter {
  bool allows_all = false;
  std::set<std::string, std::less<>> names;
  std::vector<std::string> prefixes;
  bool allows(std::string_view topic) const;
};

struct RouterOptions {
  SignaturePolicy signature_policy = SignaturePolicy::strict_sign;
  MessageIdMode message_id_mode = MessageIdMode::content;
  ForwardPolicy forward = ForwardPolicy::all;
  GraftPolicy graft = GraftPolicy::none;
  SendIdontwant send_idontwant = SendIdontwant::never;
  TopicFilter topics;
  RpcLimits rpc_limits;
  OutboxLimits outbox_limits;
  std::size_t topics_per_peer_max = 64;
  std::size_t validating_max = 1024;
  std::size_t validating_bytes_max = std::size_t{32} << 20;
  Duration verdict_deadline = 120s;  // an open verdict counts as `ignore` then
  Duration heartbeat = 700ms, first_heartbeat = 100ms;
  std::size_t cache_windows = 6, gossip_windows = 3;
  std::size_t cache_bytes_max = std::size_t{32} << 20;
  Duration gossip_age_min = 200ms;  // younger messages are likely still on their way to everybody
  Duration seen_ttl = 120s;
  std::size_t seen_ids_max = 1'000'000;
  std::size_t ihave_messages_max = 10, ihave_ids_max = 2000;          // per peer and heartbeat
  std::size_t iwant_messages_max = 10, iwant_retransmissions = 3;     // per peer and heartbeat; per peer and id
  Duration iwant_patience = 500ms;                                    // then the next announcer is asked
  std::size_t wanted_ids_max = 10'000;                                // ids asked for and not yet answered
  std::size_t idontwant_messages_max = 1000, idontwant_ids_max = 64;  // per peer and heartbeat; per RPC
  std::size_t idontwant_stored_max = 4096;                            // per peer
  std::size_t idontwant_bytes_min = 1024;                             // smaller messages are not worth one
  std::uint32_t idontwant_heartbeats = 3;
  Duration prune_backoff = 60s, unsubscribe_backoff = 10s;
};

enum class Verdict { accept, ignore, reject };

enum class Refusal : std::uint8_t {
  unknown_peer,
  not_subscribed,
  bad_topic,
  blocked,
  bad_fields,
  own_message,
  duplicate,
  queue_full,
  bad_signature,
  ignored,
  rejected,
  no_verdict,
  not_allowed,
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::not_allowed) + 1;
std::string_view refusal_text(Refusal refusal);  // snake_case, for metrics and logs

// Answer with `validated(id, ..)`.
struct PubsubDelivery {
  MessageId id;
  std::optional<PeerId> author;  // nothing with strict_no_sign
  PeerId received_from;
  std::shared_ptr<const PubsubMessage> message;
  const std::string& topic() const { return *message->topic; }
  ByteView payload() const { return message->payload(); }
};

struct PeerSubscription {
  PeerId peer;
  std::string topic;
  bool subscribed = false;
};
struct PeerGrafted {
  PeerId peer;
  std::string topic;
};
struct PeerPruned {
  PeerId peer;
  std::string topic;
};
// Every message that was not accepted; `duplicate` ones are only counted.
struct MessageRefused {
  PeerId peer;
  Refusal reason;
  std::string topic;
  std::string detail;
};
// An RPC that breaks form or limits: reset the peer's inbound stream.
struct PeerBrokeWire {
  PeerId peer;
  std::string reason;
};
using PubsubEvent = std::variant<PeerSubscription, PeerGrafted, PeerPruned, MessageRefused, PeerBrokeWire>;

struct PubsubEffects {
  std::vector<PeerId> writable;  // `next_frame` of these has something; each once
  std::vector<PubsubDelivery> deliver;
  std::vector<PubsubEvent> events;
};

struct TopicCounters {
  std::uint64_t published = 0, received = 0, duplicates = 0, accepted = 0, forwarded = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // encoded messages, duplicates and forwarded copies included
};
struct PubsubCounters {
  std::uint64_t signatures_checked = 0, signatures_made = 0;
  std::uint64_t rpcs_in = 0, rpcs_out = 0, bytes_in = 0, bytes_out = 0;  // whole RPCs
  std::uint64_t ihave_in = 0, ihave_out = 0, iwant_in = 0, iwant_out = 0, idontwant_in = 0, idontwant_out = 0;  // ids
  std::uint64_t grafts_in = 0, prunes_in = 0, pulled = 0;  // pulled: messages sent to answer IWANT
  std::uint64_t dropped_messages = 0, dropped_gossip = 0;  // outbound queue full
  std::array<std::uint64_t, kRefusals> refused{};          // by Refusal
};

class Router {
 public:
  // `self` and `entropy` outlive the router.
  Router(const Identity& self, RouterOptions options, Entropy& entropy, Now now);

  // A neighbour connected. Nothing is sent to it before `outbound_opened`.
  PubsubEffects peer_added(const PeerId& peer, PeerClass peer_class, Now now);
  void peer_removed(const PeerId& peer);
  // Our outbound pubsub stream to it is up, with this negotiated version; the first frame is all our subscriptions.
  PubsubEffects outbound_opened(const PeerId& peer, MeshsubVersion version, Now now);
  void outbound_closed(const PeerId& peer);
  // Its stream to us ended: what it subscribed to and grafted is forgotten.
  void inbound_closed(const PeerId& peer);
  // Asked before a signature is checked, and before a subscription or a GRAFT is stored.
  void set_access(TopicAccess access) { access_ = std::move(access); }
  // Asks again about what a peer follows, after its class changed: what it may not is forgotten.
  PubsubEffects recheck(const PeerId& peer);
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
  // No effect on an id that is not (or no longer) waiting for its verdict.
  PubsubEffects validated(const MessageId& id, Verdict verdict, Now now);
  PubsubEffects tick(Now now);
  Instant wakes_at() const { return heartbeat_at_; }

  // The next frame (length and RPC) for a peer, or nothing. Pull while the peer's stream takes more.
  std::optional<Bytes> next_frame(const PeerId& peer);

  bool is_subscribed(std::string_view topic) const;
  std::vector<PeerId> subscribers(std::string_view topic) const;
  std::vector<PeerId> grafted(std::string_view topic) const;
  std::optional<PeerClass> class_of(const PeerId& peer) const;
  const PubsubCounters& counters() const { return counters_; }
  // Of the topics we subscribed to or published on.
  std::map<std::string, TopicCounters> topic_counters() const;
  std::size_t validating() const { return validating_.size(); }

 private:
  struct Peer {
    PeerClass peer_class = PeerClass::light;
    std::optional<MeshsubVersion> version;  // of our outbound stream, while it is up
    std::set<std::string, std::less<>> topics;
    Outbox outbox;
    std::size_t ihave_messages = 0, ihave_ids = 0, iwant_messages = 0, idontwant_messages = 0;  // this heartbeat
    std::map<MessageId, std::uint64_t> unwanted;  // IDONTWANT: until this heartbeat
    bool is_noted = false;                        // in the effects being made
  };
  struct Topic {
    bool subscribed = false;
    std::set<PeerId> grafted;
    std::map<PeerId, Instant> backoff;  // no GRAFT of ours before
    TopicCounters counters;
  };
  struct Validating {
    std::shared_ptr<const PubsubMessage> message;
    std::shared_ptr<const Bytes> encoded;
    std::optional<PeerId> author;
    PeerId received_from;
    std::set<PeerId> senders;  // everybody who sent it meanwhile
    Instant deadline;
  };
  // An id that a peer announced and was asked for; the others that announced it are asked when it does not come.
  struct Wanted {
    PeerId asked;
    Instant asked_at;
    std::vector<PeerId> others;
  };
  using Peers = std::map<PeerId, Peer>;
  using Topics = std::map<std::string, Topic, std::less<>>;

  Topic* find_topic(std::string_view topic);
  void receive_subscriptions(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  void receive_message(const PeerId& id, const MessageView& view, Now now, PubsubEffects& effects);
  void receive_grafts(const PeerId& id, const RpcView& rpc, PubsubEffects& effects);
  void receive_prunes(const PeerId& id, const RpcView& rpc, Now now, PubsubEffects& effects);
  void receive_ihave(const PeerId& id, Peer& peer, const RpcView& rpc, Now now, PubsubEffects& effects);
  bool wants(const MessageId& id, const PeerId& from, Now now);
  void ask_for(const PeerId& id, Peer& peer, std::span<const MessageId> ids, PubsubEffects& effects);
  void ask_again(Now now, PubsubEffects& effects);
  void receive_iwant(const PeerId& id, Peer& peer, const RpcView& rpc, PubsubEffects& effects);
  void receive_idontwant(const PeerId& id, Peer& peer, const RpcView& rpc);
  // The author of a message whose fields are as the policy wants them; nothing with strict_no_sign.
  Result<std::optional<Author>> check_fields(const PubsubMessage& message) const;
  void note_duplicate(const MessageId& id, const PeerId& peer);
  void send_idontwant(const MessageId& id, const PubsubMessage& message, const PeerId& except, PubsubEffects& effects);
  std::size_t send_message(const PeerId& id, Peer& peer, Topic& topic, const std::shared_ptr<const Bytes>& encoded,
                           PubsubEffects& effects);
  void forward(const MessageId& id, const Validating& accepted, Topic& topic, PubsubEffects& effects);
  bool forwards_to(const PeerId& id, const Peer& peer, const Topic& topic, const Validating& accepted) const;
  void graft_if_wanted(const PeerId& id, Peer& peer, const std::string& topic, Now now, PubsubEffects& effects);
  void heartbeat(Now now, PubsubEffects& effects);
  void announce(Now now, PubsubEffects& effects);
  std::size_t draw_below(std::size_t bound);
  void refuse(const PeerId& peer, Refusal reason, std::string_view topic, std::string detail, PubsubEffects& effects);
  void note_writable(const PeerId& id, Peer& peer, PubsubEffects& effects);
  PubsubEffects finish(PubsubEffects effects);

  const Identity& self_;
  RouterOptions options_;
  Entropy& entropy_;
  SeqnoSource seqno_;
  Peers peers_;
  Topics topics_;  // ours: subscribed, or published on
  std::set<PeerId> blocked_;
  TopicAccess access_;
  SeenCache seen_;
  MessageCache cache_;
  std::map<MessageId, Validating> validating_;
  std::size_t validating_bytes_ = 0;
  std::map<MessageId, Wanted> wanted_;
  Instant heartbeat_at_;
  std::uint64_t heartbeats_ = 0;
  PubsubCounters counters_;
};

}  // namespace kms::net
