// The wire of gossipsub: `uvarint(length) || RPC` frames, a reader that hands out views and allocates nothing before it
// has counted everything against the limits, and a writer. The schema is proto/pubsub.proto (libp2p's rpc.proto, with
// topics as bytes: their UTF-8 and length are checked here). Unknown fields are skipped everywhere but in Message,
// where they are an error: go signs them and js drops them, so such a message cannot be forwarded faithfully.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/proto_wire.h"
#include "base/result.h"

namespace kms::net {

inline constexpr std::size_t kRpcBytesMax = std::size_t{1} << 20;  // go resets the stream above it
inline constexpr std::size_t kTopicBytesMax = 256;
inline constexpr std::uint64_t kBackoffSecondsMax = 3600;

// More of any of these in one RPC is an error of its sender.
struct RpcLimits {
  std::size_t subscriptions = 100;
  std::size_t messages = 500;
  std::size_t ids = 2000;  // over all IHAVE, IWANT and IDONTWANT
  std::size_t id_bytes = 256;
  std::size_t gossip_entries = 100;  // of each of IHAVE, IWANT, IDONTWANT
  std::size_t grafts = 100;
  std::size_t prunes = 100;
  std::size_t exchange_peers = 16;  // in one PRUNE
  std::size_t exchange_record_bytes = 4096;
};

struct SubscriptionView {
  bool subscribe = false;
  ByteView topic;
};
// An absent field and an empty one differ: both are part of what the author signed.
struct MessageView {
  std::optional<ByteView> from, data, seqno, topic, signature, key;
  // It has fields that we do not know, or one twice: written anew it would be another message. Only in an RpcView.
  bool is_foreign = false;
};
struct IHaveView {
  ByteView topic;
  std::vector<ByteView> ids;
};
struct IdListView {
  std::vector<ByteView> ids;
};
struct PruneView {
  ByteView topic;
  std::optional<std::uint64_t> backoff_s;  // as sent; clamp to kBackoffSecondsMax
  struct Peer {
    ByteView id, signed_record;
  };
  std::vector<Peer> peers;
};
// All views point into the bytes given to `parse_rpc`.
struct RpcView {
  std::vector<SubscriptionView> subscriptions;
  std::vector<MessageView> messages;
  std::vector<IHaveView> ihave;
  std::vector<IdListView> iwant;
  std::vector<IdListView> idontwant;
  std::vector<ByteView> grafts;
  std::vector<PruneView> prunes;
};

// `body`: an RPC without its length. Two passes: the first checks form and every limit and allocates nothing.
Result<RpcView> parse_rpc(ByteView body, const RpcLimits& limits = {});
// One Message without its length, as it stands in field 2 of an RPC.
Result<MessageView> parse_message(ByteView body);

// UTF-8, 1 to kTopicBytesMax bytes.
bool is_topic(ByteView bytes);

// Cuts the byte stream of one inbound pubsub stream into RPC bodies. Memory grows with what has arrived, never with
// what a length promises.
class RpcFrames {
 public:
  explicit RpcFrames(std::size_t rpc_bytes_max = kRpcBytesMax) : rpc_bytes_max_(rpc_bytes_max) {}
  // An error: reset the stream.
  Result<void> feed(ByteView bytes);
  std::optional<Bytes> next();
  std::size_t buffered_bytes() const { return buffer_.size(); }  // of an RPC that is not complete

 private:
  std::size_t rpc_bytes_max_;
  Bytes buffer_;
  std::deque<Bytes> complete_;
};

// A peer offered in a PRUNE, with the record it signed.
struct ExchangePeer {
  Bytes id, signed_record;
};

// Collects one RPC. Message fields come before the control field, one control field whatever is added.
class RpcWriter {
 public:
  void subscription(bool subscribe, std::string_view topic);
  void message(ByteView encoded_message);
  void ihave(std::string_view topic, std::span<const Bytes> ids);
  void iwant(std::span<const Bytes> ids);
  void idontwant(std::span<const Bytes> ids);
  void graft(std::string_view topic);
  void prune(std::string_view topic, std::optional<std::uint64_t> backoff_s, std::span<const ExchangePeer> peers = {});
  // Bytes made by the control calls above of another writer (`control_bytes`).
  void control(ByteView control_fields) { append(control_, control_fields); }
  const Bytes& control_bytes() const { return control_; }

  bool is_empty() const { return body_.empty() && control_.empty(); }
  std::size_t body_size() const;  // of the RPC without its length prefix
  // `uvarint(length) || RPC`.
  Bytes frame() const;

 private:
  Bytes body_, control_;
};

}  // namespace kms::net
