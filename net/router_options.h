// What a Router is told at its start. The numbers are those of LIBP2P.md 8.2, 8.7 and 8.8.
#pragma once

#include <map>
#include <set>

#include "net/mesh.h"
#include "net/outbox.h"
#include "net/peer_score.h"
#include "net/pubsub_message.h"

namespace kms::net {

// How a topic is carried.
// mesh: gossipsub. Own messages go to all subscribers while they are small, others' messages along the mesh, and what
//   is missed is pulled (IHAVE, IWANT).
// flood: everything to every subscriber but the senders and the author.
// committee: members are fully connected and send their own messages to all subscribers; they do not forward each
//   other's, announce them to committee peers, and pull what was lost. Who grafts us hears everything. What enters from
//   an author outside the committee goes to the committee peers.
// leaf: only receives and publishes; grafts committee peers, and forwards nothing.
enum class TopicPolicy : std::uint8_t { mesh, flood, committee, leaf };

struct TopicPolicies {
  TopicPolicy otherwise = TopicPolicy::mesh;
  std::map<std::string, TopicPolicy, std::less<>> names;
  TopicPolicy of(std::string_view topic) const;
};

// Of flood and committee topics; in meshes IDONTWANT always goes to the mesh.
enum class SendIdontwant : std::uint8_t { never, to_subscribers };

// Which topics of others are stored.
struct TopicFilter {
  bool allows_all = false;
  std::set<std::string, std::less<>> names;
  std::vector<std::string> prefixes;
  bool allows(std::string_view topic) const;
};

// Peers below these are not gossiped with, not sent our own messages, not listened to at all; peers from
// `accept_exchange` on may offer us peers; a mesh whose median is below `opportunistic_graft` is improved.
struct ScoreThresholds {
  double gossip = -100, publish = -200, graylist = -400;
  double accept_exchange = 50, opportunistic_graft = 2;
};
// P5 of a class, unless `Router::set_application_score` says otherwise.
struct ClassScores {
  double committee = 100, registered = 20, light = 0, denied = -1000;
};

// once_per_listed_author: a message of an author with a class of its own whose seqno came before, or is too far behind
// to tell (net/seqno_window.h), is dropped without a look at its signature. Only for networks whose members count as
// LIBP2P.md 8.4 says. any: only what was seen lately is dropped.
enum class SeqnoRule : std::uint8_t { any, once_per_listed_author };

struct RouterOptions {
  SignaturePolicy signature_policy = SignaturePolicy::strict_sign;
  MessageIdMode message_id_mode = MessageIdMode::content;
  TopicPolicies policies;
  MeshOptions mesh;
  ScoreOptions scores;
  ScoreThresholds thresholds;
  ClassScores class_scores;
  SendIdontwant send_idontwant = SendIdontwant::never;
  SeqnoRule seqnos = SeqnoRule::any;
  TopicFilter topics;
  RpcLimits rpc_limits;
  OutboxLimits outbox_limits;
  std::size_t topics_per_peer_max = 64;
  std::size_t validating_max = 1024;
  std::size_t validating_bytes_max = std::size_t{32} << 20;
  Duration verdict_deadline = 120s;  // an open verdict counts as `ignore` then
  Duration heartbeat = 700ms, first_heartbeat = 100ms;
  // Heartbeats: what IWANT is answered from and a neighbour that was away is told of; what IHAVE announces regularly.
  std::size_t cache_windows = 43, gossip_windows = 3;
  std::size_t cache_bytes_max = std::size_t{32} << 20;
  Duration gossip_age_min = 200ms;  // younger messages are likely still on their way to everybody
  Duration seen_ttl = 120s;
  std::size_t seen_ids_max = 1'000'000;
  std::size_t decided_max = 20'000;                                   // messages whose verdict and senders are kept
  std::size_t ihave_messages_max = 10, ihave_ids_max = 2000;          // per peer and heartbeat
  std::size_t iwant_messages_max = 10, iwant_retransmissions = 3;     // per peer and heartbeat; per peer and id
  Duration iwant_patience = 500ms;                                    // then the next announcer is asked
  Duration iwant_followup = 3s;                                       // then a promise is broken
  std::size_t wanted_ids_max = 10'000;                                // ids asked for and not yet answered
  double member_promises_max = 5;                                     // broken ones that count against a member (P7)
  std::size_t idontwant_messages_max = 1000, idontwant_ids_max = 64;  // per peer and heartbeat; per RPC
  std::size_t idontwant_stored_max = 4096;                            // per peer
  std::size_t idontwant_bytes_min = 1024;                             // smaller messages are not worth one
  std::uint32_t idontwant_heartbeats = 3;
  std::size_t known_by_max = 128;  // peers remembered per message that waits for its verdict
  // Telling peers what they missed: cached messages looked at in a heartbeat, for all peers together; and how often one
  // peer may start anew at what is older than the last announcements.
  std::size_t catch_up_looks_max = 20'000;
  int catch_up_burst = 3;
  Duration catch_up_interval = 10s;
  std::size_t departed_max = 1024;       // peers that left and are told of recent messages when they come back
  std::size_t light_listeners_max = 64;  // light peers that may graft us on a topic that has no mesh
  Duration stream_lost_max = 5s;         // without a stream of ours to it a peer stays in no mesh for longer
};

}  // namespace kms::net
