// What a Router hands out: deliveries, events and counters.
#pragma once

#include <array>
#include <variant>

#include "net/pubsub_message.h"

namespace kms::net {

// accept: deliver and forward. ignore: neither, no blame; the message stays seen. reject: neither, and everybody who
// sent it is blamed (P4).
enum class Verdict : std::uint8_t { accept, ignore, reject };

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
  repeated,
};
inline constexpr std::size_t kRefusals = static_cast<std::size_t>(Refusal::repeated) + 1;
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
// It is in our mesh of the topic now, or no longer, by its doing or ours.
struct PeerGrafted {
  PeerId peer;
  std::string topic;
};
struct PeerPruned {
  PeerId peer;
  std::string topic;
};
// Peer exchange of a PRUNE, only from peers with a score that permits it; the offered ones are not connected. Check
// each record with `verify_peer_record` and dial whom you want.
struct PeersOffered {
  struct Offer {
    PeerId peer;
    Bytes signed_record;
  };
  PeerId by;
  std::string topic;
  std::vector<Offer> offers;
};
// Its score fell below the threshold under which nothing it sends is looked at.
struct PeerGraylisted {
  PeerId peer;
  double score = 0;
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
using PubsubEvent = std::variant<PeerSubscription, PeerGrafted, PeerPruned, PeersOffered, PeerGraylisted,
                                 MessageRefused, PeerBrokeWire>;

struct PubsubEffects {
  std::vector<PeerId> writable;  // `next_frame` of these has something; each once
  std::vector<PubsubDelivery> deliver;
  std::vector<PubsubEvent> events;
};

struct TopicCounters {
  std::uint64_t published = 0, received = 0, duplicates = 0, accepted = 0, forwarded = 0;
  std::uint64_t rejected = 0;                 // invalid: they count against who sent them (P4)
  std::uint64_t bytes_in = 0, bytes_out = 0;  // encoded messages, duplicates and forwarded copies included
  TopicCounters& operator+=(const TopicCounters& other);
};
struct TopicView {
  std::string name;
  TopicCounters counters;
  std::size_t peers = 0, mesh = 0;  // that subscribed it; that grafted us or were grafted
};
struct PubsubCounters {
  std::uint64_t signatures_checked = 0, signatures_made = 0;
  std::uint64_t rpcs_in = 0, rpcs_out = 0, bytes_in = 0, bytes_out = 0;  // whole RPCs
  std::uint64_t ihave_in = 0, ihave_out = 0, iwant_in = 0, iwant_out = 0, idontwant_in = 0, idontwant_out = 0;  // ids
  std::uint64_t ihave_ignored = 0, iwant_ignored = 0;  // ids beyond a limit, of low scores, or without room or effect
  std::uint64_t grafts_in = 0, grafts_out = 0, prunes_in = 0, prunes_out = 0;
  std::uint64_t pulled = 0;     // messages sent to answer IWANT
  std::uint64_t caught_up = 0;  // cached messages looked at to tell peers what they missed
  std::uint64_t broken_promises = 0, redeemed_promises = 0, grafts_in_backoff = 0, graylisted_rpcs = 0;
  std::uint64_t dropped_messages = 0, dropped_gossip = 0;  // outbound queue full
  std::array<std::uint64_t, kRefusals> refused{};          // by Refusal
};

}  // namespace kms::net
