#include "net/outbox.h"

namespace kms::net {
namespace {

constexpr std::size_t kStatesPerRpc = 100;  // subscriptions, and GRAFTs and PRUNEs: what readers accept
constexpr std::size_t kFieldOverhead = 6;   // tag and length of a field of up to 1 MiB

std::size_t size_of(const std::vector<ExchangePeer>& peers) {
  std::size_t size = 0;
  for (const ExchangePeer& peer : peers) size += peer.id.size() + peer.signed_record.size();
  return size;
}

}  // namespace

bool Outbox::has_room(std::size_t size) const {
  return message_rpcs_ + gossip_.size() < limits_.rpcs && bytes_ + size <= limits_.bytes;
}

bool Outbox::message(std::shared_ptr<const Bytes> encoded) {
  if (holds(*encoded)) return true;
  std::size_t size = encoded->size() + kFieldOverhead;
  bool joins = message_rpcs_ > 0 && last_rpc_bytes_ + size <= limits_.joined_bytes &&
               last_rpc_messages_ < limits_.joined_messages;
  if (joins ? bytes_ + size > limits_.bytes : !has_room(size)) return false;
  if (!joins) {
    ++message_rpcs_;
    last_rpc_bytes_ = last_rpc_messages_ = 0;
  }
  last_rpc_bytes_ += size;
  ++last_rpc_messages_;
  bytes_ += size;
  held_.insert(encoded.get());
  messages_.push_back({std::move(encoded), !joins});
  return true;
}

bool Outbox::gossip(Bytes control_fields, Urgency urgency) {
  if (!has_room(control_fields.size())) return false;
  bytes_ += control_fields.size();
  if (urgency == Urgency::urgent) {
    gossip_.push_front(std::move(control_fields));
  } else {
    gossip_.push_back(std::move(control_fields));
  }
  return true;
}

void Outbox::prune(const std::string& topic, std::uint64_t backoff_s, std::vector<ExchangePeer> offered) {
  std::size_t size = 0;
  for (const auto& [name, prune] : control_) {
    if (prune && name != topic) size += size_of(prune->offered);
  }
  if (size + size_of(offered) > limits_.exchange_bytes) offered.clear();
  control_[topic] = Prune{backoff_s, std::move(offered)};
}

// Peers of version 1.0 know neither backoff nor peer exchange.
void Outbox::write_control(RpcWriter& rpc, MeshsubVersion version) {
  for (std::size_t i = 0; i < kStatesPerRpc && !control_.empty(); ++i) {
    auto state = control_.extract(control_.begin());
    if (!state.mapped()) {
      rpc.graft(state.key());
    } else if (version == MeshsubVersion::v1_0) {
      rpc.prune(state.key(), std::nullopt);
    } else {
      rpc.prune(state.key(), state.mapped()->backoff_s, state.mapped()->offered);
    }
  }
}

std::optional<Bytes> Outbox::next_frame(MeshsubVersion version) {
  RpcWriter rpc;
  for (std::size_t i = 0; i < kStatesPerRpc && !subscriptions_.empty(); ++i) {
    auto state = subscriptions_.extract(subscriptions_.begin());
    rpc.subscription(state.mapped(), state.key());
  }
  write_control(rpc, version);
  if (!gossip_.empty()) {
    bytes_ -= gossip_.front().size();
    rpc.control(gossip_.front());
    gossip_.pop_front();
  } else {
    take_messages(rpc);
  }
  if (rpc.is_empty()) return std::nullopt;
  return rpc.frame();
}

// The next group of messages, unless it does not fit beside what is in the RPC already.
void Outbox::take_messages(RpcWriter& rpc) {
  while (!messages_.empty()) {
    const Queued& next = messages_.front();
    std::size_t size = next.encoded->size() + kFieldOverhead;
    bool is_alone = rpc.is_empty();
    if (!is_alone && rpc.body_size() + size > kRpcBytesMax) break;
    rpc.message(*next.encoded);
    bytes_ -= size;
    if (next.starts_rpc) --message_rpcs_;
    held_.erase(next.encoded.get());
    messages_.pop_front();
    if (messages_.empty() || messages_.front().starts_rpc) break;
  }
}

void Outbox::clear() {
  *this = Outbox(limits_);
}

void Outbox::keep_messages() {
  subscriptions_.clear();
  control_.clear();
  for (const Bytes& gossip : gossip_) bytes_ -= gossip.size();
  gossip_.clear();
}

}  // namespace kms::net
