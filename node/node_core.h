// NodeCore: everything a node decides, as one deterministic object. Gossip, HTTP requests, finished jobs, links and
// time go in; effects come out. The node, the simulator and the tests drive the same object.
//
// Effects are applied from top to bottom: `save` is durable before anything is published. Items for gossip are
// collected in an outbox; `flush` turns them into batches, once at the end of each turn of the event loop, so that an
// idle network adds no delay and a busy one shares signatures (PROTOCOL.md 5.6).
#pragma once

#include <deque>

#include "node/delegation/board.h"
#include "node/delegation/collector.h"
#include "node/delegation/responder.h"
#include "node/event_feed.h"
#include "node/http.h"
#include "node/log_level.h"
#include "node/terms.h"

namespace kms::node {

using HttpRequestId = std::uint64_t;

// partials: of form A, an entry's own; public_partials: of forms B and C, for everybody.
enum class Topic : std::uint8_t { requests, partials, ceremony, public_partials };

// One batch to sign and publish. `entry`: with Topic::partials, whose topic it is.
struct Publish {
  Topic topic = Topic::requests;
  dkg::NodeId entry;
  Bytes batch;
};

struct HttpReply {
  HttpRequestId request = 0;
  HttpResponse response;
};

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string text;
  std::string about{};  // the peer and the kind of what it did, for LogLimit; empty: written always
};

// A large object to be had from members, the announcer first if there is one: see `take_object`.
struct ObjectPull {
  dkg::ObjectId id;
  std::optional<dkg::NodeId> announcer;  // nothing: the ceremony lacks it
};

struct NodeEffects {
  dkg::Checkpoint save;
  std::vector<delegation::Job> compute;
  std::vector<HttpReply> reply;
  std::vector<ObjectPull> pull;
  std::vector<LogLine> log;
};

// ignore: nobody's fault, and not to be forwarded.
enum class BatchVerdict : std::uint8_t { accept, ignore, reject };
struct Received {
  BatchVerdict verdict = BatchVerdict::accept;
  NodeEffects effects;
};

enum class ObjectVerdict : std::uint8_t {
  taken,
  useless,  // it is what the id names, and did not help; another member may have a better one
  forged,   // it is not what the id names
};
struct TakenObject {
  ObjectVerdict verdict = ObjectVerdict::taken;
  NodeEffects effects;
};

struct AdminAnswer {
  HttpResponse response;
  NodeEffects effects;
};

// A live connection to another node, for liveness and /v1/network.
struct PeerLink {
  dkg::NodeId node;
  std::string peer_id;
  std::string address;
  std::string agent;
  std::optional<double> rtt_ms;
  bool outbound = false;
};

// A key that this node holds alone, without a ceremony.
struct SoloKey {
  std::uint64_t chain_id = 0;
  crypto::SecretScalar secret;
  bool imported = false;
};

struct NodeOptions {
  std::string version;
  bool form_a = true;
  delegation::CollectorLimits collector;
  delegation::ResponderLimits responder;
  delegation::BoardLimits board;
  delegation::ReplayLimits replay;
  Disk disk = Disk::whole;
  Duration grace = 10min;         // an epoch answers so long after its successor is released
  std::size_t outbox_max = 4096;  // items waiting for a flush; further ones are dropped and counted
  std::size_t outbox_bytes_max = std::size_t{16} << 20;  // the same, in bytes
  // Deals, certificates and EpochChains above it are announced by id and pulled; below it they are gossiped.
  std::size_t gossiped_object_bytes_max = 16 * 1024;
};

class NodeCore {
 public:
  // `terms` are those of epoch 0. A node that is in no committee follows the epochs and serves nothing. Records show
  // what checkpoints left, those of this run included; they outlive the object.
  static Result<NodeCore> begin(NetworkTerms terms, delegation::CredentialsPtr credentials, NodeOptions options,
                                const dkg::Records& records, Entropy& entropy, Now now);
  // n = t = 1 with keys at hand: no network, no ceremony. `records`: as above, for nonces; null: nothing is kept.
  static Result<NodeCore> begin_solo(NetworkTerms terms, delegation::CredentialsPtr credentials,
                                     std::vector<SoloKey> keys, NodeOptions options, const dkg::Records* records,
                                     Entropy& entropy, Now now);
  NodeCore(NodeCore&&) noexcept;
  NodeCore& operator=(NodeCore&&) noexcept;
  ~NodeCore();

  // A batch with its verified author and the seqno that the author signed with it. `reject` is for what no honest
  // member sends: an author that is no member, an undecodable batch, more than 64 items. `ignore` is for a seqno that
  // was taken before, or one that is too far behind to tell (net/seqno_window.h). Everything else is judged item by
  // item.
  Received receive(Topic topic, const dkg::NodeId& author, std::uint64_t seqno, ByteView batch, Now now);
  NodeEffects http(HttpRequestId id, HttpRequest request, Now now);
  // An order of the operator, from the admin socket: a request for /v1/admin/.. (docs/API.md). The effects come before
  // the answer.
  AdminAnswer order(const HttpRequest& request, Now now);
  NodeEffects computed(delegation::Job job, Now now);
  // Replaces the last list.
  NodeEffects links(std::vector<PeerLink> links, Now now);
  // What this node holds under an id, encoded, for members that pull it.
  std::optional<Bytes> find_object(const dkg::ObjectId& id) const;
  // What a member gave for an id that was to be pulled.
  TakenObject take_object(const dkg::ObjectId& id, const dkg::NodeId& from, ByteView bytes, Now now);
  NodeEffects tick(Now now);
  std::optional<Instant> wakes_at() const;
  // What must be durable before anything is published and before any HTTP reply leaves: nonces that were used. Drivers
  // without a store may drop it, and then promise nothing about nonces after a restart.
  bool has_unsaved() const;
  dkg::Checkpoint take_unsaved();
  // Whether `flush` has something to do.
  bool has_outgoing() const;
  std::vector<Publish> flush();  // nothing is unsaved
  // Batches that are full, to be published without waiting for the end of the turn.
  bool has_full_batches() const;
  std::vector<Publish> take_full_batches();

  // What GET /v1/events shows: the answers of /ready, /v1/keys, /v1/network and /v1/ceremonies.
  std::vector<EventDocument> event_documents(Now now) const;
  // For /metrics, which the driver completes with its own; Prometheus text.
  std::string metrics(Now now) const;
  // Null until a key of the chain is released here.
  delegation::ServingKeyPtr serving(std::uint64_t chain_id) const;
  const dkg::Ceremony* ceremony() const;
  // Whether the epoch after the one in charge is being made.
  bool is_refreshing() const;
  // Of the epoch in charge; before the first release, of epoch 0.
  const NetworkTerms& terms() const;
  // Members of the epochs in charge, to come, and still answering: whose words count. `membership` counts the changes.
  const std::map<dkg::NodeId, KnownNode>& known_nodes() const;
  std::uint64_t membership() const;

 private:
  struct Impl;
  explicit NodeCore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kms::node
