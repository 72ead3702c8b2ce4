// What is queued for one pubsub peer. Messages and gossip are dropped when the queue is full; subscriptions, GRAFTs and
// PRUNEs never are: only the newest state per topic is kept, and it travels with the next RPC.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "net/pubsub_wire.h"

namespace kms::net {

enum class MeshsubVersion : std::uint8_t { v1_0, v1_1, v1_2 };

struct OutboxLimits {
  std::size_t rpcs = 64;
  std::size_t bytes = std::size_t{8} << 20;
  std::size_t joined_bytes = 64 * 1024;  // small messages share an RPC up to this
  std::size_t joined_messages = 100;
  std::size_t exchange_bytes = 128 * 1024;
};

class Outbox {
 public:
  explicit Outbox(OutboxLimits limits = {}) : limits_(limits) {}

  void subscription(const std::string& topic, bool subscribe) { subscriptions_[topic] = subscribe; }
  void graft(const std::string& topic) { control_[topic] = std::nullopt; }
  // Offered peers are left out when more than `exchange_bytes` of them wait already.
  void prune(const std::string& topic, std::uint64_t backoff_s, std::vector<ExchangePeer> offered = {});
  // False: full, dropped. What is queued already is not queued again.
  bool message(std::shared_ptr<const Bytes> encoded);
  // Still queued: the very object that `message` was given.
  bool holds(const Bytes& encoded) const { return held_.contains(&encoded); }
  // Control fields of an RpcWriter, sent in one RPC. False: full, dropped. `urgent` ones go first.
  enum class Urgency { normal, urgent };
  bool gossip(Bytes control_fields, Urgency urgency);

  // For one more RPC of gossip of this size.
  bool has_room(std::size_t size) const;
  bool is_empty() const { return subscriptions_.empty() && control_.empty() && gossip_.empty() && messages_.empty(); }
  // The next RPC as a frame of at most kRpcBytesMax and its length; nothing if there is none.
  std::optional<Bytes> next_frame(MeshsubVersion version);
  void clear();
  // For a new stream, which starts from nothing: only messages stay queued.
  void keep_messages();
  std::size_t bytes() const { return bytes_; }

 private:
  struct Queued {
    std::shared_ptr<const Bytes> encoded;
    bool starts_rpc = false;
  };
  struct Prune {
    std::uint64_t backoff_s = 0;
    std::vector<ExchangePeer> offered;
  };
  void write_control(RpcWriter& rpc, MeshsubVersion version);
  void take_messages(RpcWriter& rpc);

  OutboxLimits limits_;
  std::map<std::string, bool> subscriptions_;
  std::map<std::string, std::optional<Prune>> control_;  // nothing: GRAFT
  std::deque<Bytes> gossip_;
  std::deque<Queued> messages_;
  std::set<const Bytes*> held_;  // of `messages_`
  std::size_t message_rpcs_ = 0, bytes_ = 0;
  std::size_t last_rpc_bytes_ = 0, last_rpc_messages_ = 0;
};

}  // namespace kms::net
