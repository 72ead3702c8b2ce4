#include "net/outbox.h"

namespace kms::net {
namespace {

constexpr std::size_t kStatesPerRpc = 100;  // subscriptions, and GRAFTs and PRUNEs: what readers accept
constexpr std::size_t kFieldOverhead = 6;   // tag and length of a field of up to 1 MiB

}  // namespace

bool Outbox::has_room(std::size_t size) const {
  return message_rpcs_ + gossip_.size() < limits_.rpcs && bytes_ + size <= limits_.bytes;
}

bool Outbox::message(std::shared_ptr<const Bytes> encoded) {
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

std::optional<Bytes> Outbox::next_frame(MeshsubVersion version) {
  RpcWriter rpc;
  for (std::size_t i = 0; i < kStatesPerRpc && !subscriptions_.empty(); ++i) {
    auto state = subscriptions_.extract(subscriptions_.begin());
    rpc.subscription(state.mapped(), state.key());
  }
  for (std::size_t i = 0; i < kStatesPerRpc && !control_.empty(); ++i) {
    auto state = control_.extract(control_.begin());
    bool is_graft = !state.mapped();
    if (is_graft) {
      rpc.graft(state.key());
    } else {
      rpc.prune(state.key(), version == MeshsubVersion::v1_0 ? std::nullopt : state.mapped());
    }
  }
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
    messages_.pop_front();
    if (messages_.empty() || messages_.front().starts_rpc) break;
  }
}

void Outbox::clear() {
  *this = Outbox(limits_);
}

}  // namespace kms::net
