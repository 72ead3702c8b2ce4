#include "net/pubsub_wire.h"

#include <algorithm>

namespace kms::net {
namespace {

using Field = ProtoReader::Field;

// Walks an RPC once. Without `out` it only checks form and limits and allocates nothing; with it, it also fills.
class RpcWalk {
 public:
  RpcWalk(const RpcLimits& limits, RpcView* out) : limits_(limits), out_(out) {}
  Result<void> rpc(ByteView body);

 private:
  Result<void> subscription(ByteView body);
  Result<void> message(ByteView body);
  Result<void> control(ByteView body);
  Result<void> ihave(ByteView body);
  Result<void> id_list(ByteView body, std::size_t& count, std::vector<IdListView> RpcView::*list);
  Result<void> graft(ByteView body);
  Result<void> prune(ByteView body);
  Result<void> id(const Field& field, std::vector<ByteView>* ids);

  const RpcLimits& limits_;
  RpcView* out_;
  std::size_t subscriptions_ = 0, messages_ = 0, ihave_ = 0, iwant_ = 0, idontwant_ = 0, ids_ = 0, grafts_ = 0,
              prunes_ = 0;
};

Error malformed(const char* what) {
  return error(std::string(what) + " is not well-formed protobuf");
}
Error too_many(const char* what, std::size_t max) {
  return error("more than " + std::to_string(max) + " " + what + " in one RPC");
}
bool is_bytes(const Field& field) {
  return field.type == ProtoReader::Type::bytes;
}

Result<MessageView> read_message(ByteView body) {
  MessageView view;
  std::optional<ByteView>* fields[] = {&view.from, &view.data, &view.seqno, &view.topic, &view.signature, &view.key};
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number > std::size(fields)) {
      view.is_foreign = true;
      continue;
    }
    if (!is_bytes(*field)) return malformed("pubsub message");
    auto& target = *fields[field->number - 1];
    if (target) {
      view.is_foreign = true;
    } else {
      target = field->bytes;
    }
  }
  if (reader.is_malformed()) return malformed("pubsub message");
  return view;
}

Result<void> RpcWalk::rpc(ByteView body) {
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number < 1 || field->number > 3) continue;
    if (!is_bytes(*field)) return malformed("RPC");
    auto part = field->number == 1   ? subscription(field->bytes)
                : field->number == 2 ? message(field->bytes)
                                     : control(field->bytes);
    if (!part) return part.error();
  }
  if (reader.is_malformed()) return malformed("RPC");
  return {};
}

Result<void> RpcWalk::subscription(ByteView body) {
  if (++subscriptions_ > limits_.subscriptions) return too_many("subscriptions", limits_.subscriptions);
  SubscriptionView view;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == ProtoReader::Type::varint) view.subscribe = field->value != 0;
    if (field->number == 2 && is_bytes(*field)) view.topic = field->bytes;
  }
  if (reader.is_malformed()) return malformed("subscription");
  if (out_ != nullptr) out_->subscriptions.push_back(view);
  return {};
}

Result<void> RpcWalk::message(ByteView body) {
  if (++messages_ > limits_.messages) return too_many("messages", limits_.messages);
  auto view = read_message(body);
  if (!view) return view.error();
  if (out_ != nullptr) out_->messages.push_back(*view);
  return {};
}

Result<void> RpcWalk::control(ByteView body) {
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number < 1 || field->number > 5) continue;
    if (!is_bytes(*field)) return malformed("control");
    Result<void> part;
    switch (field->number) {
      case 1:
        part = ihave(field->bytes);
        break;
      case 2:
        part = id_list(field->bytes, iwant_, &RpcView::iwant);
        break;
      case 3:
        part = graft(field->bytes);
        break;
      case 4:
        part = prune(field->bytes);
        break;
      default:
        part = id_list(field->bytes, idontwant_, &RpcView::idontwant);
    }
    if (!part) return part.error();
  }
  if (reader.is_malformed()) return malformed("control");
  return {};
}

Result<void> RpcWalk::id(const Field& field, std::vector<ByteView>* ids) {
  if (!is_bytes(field)) return malformed("message id");
  if (++ids_ > limits_.ids) return {};  // go and js send up to 5000; they lose no stream for it
  if (field.bytes.size() > limits_.id_bytes) {
    return error("a message id of " + std::to_string(field.bytes.size()) + " bytes");
  }
  if (ids != nullptr) ids->push_back(field.bytes);
  return {};
}

Result<void> RpcWalk::ihave(ByteView body) {
  if (++ihave_ > limits_.gossip_entries) return too_many("IHAVE", limits_.gossip_entries);
  IHaveView* view = out_ == nullptr ? nullptr : &out_->ihave.emplace_back();
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && is_bytes(*field) && view != nullptr) view->topic = field->bytes;
    if (field->number != 2) continue;
    auto one = id(*field, view == nullptr ? nullptr : &view->ids);
    if (!one) return one.error();
  }
  if (reader.is_malformed()) return malformed("IHAVE");
  return {};
}

Result<void> RpcWalk::id_list(ByteView body, std::size_t& count, std::vector<IdListView> RpcView::*list) {
  if (++count > limits_.gossip_entries) return too_many("IWANT or IDONTWANT", limits_.gossip_entries);
  IdListView* view = out_ == nullptr ? nullptr : &(out_->*list).emplace_back();
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number != 1) continue;
    auto one = id(*field, view == nullptr ? nullptr : &view->ids);
    if (!one) return one.error();
  }
  if (reader.is_malformed()) return malformed("IWANT or IDONTWANT");
  return {};
}

Result<void> RpcWalk::graft(ByteView body) {
  if (++grafts_ > limits_.grafts) return too_many("GRAFTs", limits_.grafts);
  ByteView topic;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && is_bytes(*field)) topic = field->bytes;
  }
  if (reader.is_malformed()) return malformed("GRAFT");
  if (out_ != nullptr) out_->grafts.push_back(topic);
  return {};
}

Result<PruneView::Peer> parse_exchange_peer(ByteView body, const RpcLimits& limits) {
  PruneView::Peer peer;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && is_bytes(*field)) peer.id = field->bytes;
    if (field->number == 2 && is_bytes(*field)) peer.signed_record = field->bytes;
  }
  if (reader.is_malformed()) return malformed("PRUNE peer");
  if (peer.signed_record.size() > limits.exchange_record_bytes) {
    return error("a signed record of " + std::to_string(peer.signed_record.size()) + " bytes in PRUNE");
  }
  return peer;
}

Result<void> RpcWalk::prune(ByteView body) {
  if (++prunes_ > limits_.prunes) return too_many("PRUNEs", limits_.prunes);
  PruneView* view = out_ == nullptr ? nullptr : &out_->prunes.emplace_back();
  std::size_t peers = 0;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && is_bytes(*field) && view != nullptr) view->topic = field->bytes;
    if (field->number == 3 && field->type == ProtoReader::Type::varint && view != nullptr) {
      view->backoff_s = field->value;
    }
    if (field->number != 2 || !is_bytes(*field)) continue;
    if (++peers > limits_.exchange_peers) return too_many("peers of a PRUNE", limits_.exchange_peers);
    auto peer = parse_exchange_peer(field->bytes, limits_);
    if (!peer) return peer.error();
    if (view != nullptr) view->peers.push_back(*peer);
  }
  if (reader.is_malformed()) return malformed("PRUNE");
  return {};
}

}  // namespace

Result<RpcView> parse_rpc(ByteView body, const RpcLimits& limits) {
  if (body.size() > kRpcBytesMax) return error("an RPC of " + std::to_string(body.size()) + " bytes");
  auto checked = RpcWalk(limits, nullptr).rpc(body);
  if (!checked) return checked.error();
  RpcView view;
  auto filled = RpcWalk(limits, &view).rpc(body);
  if (!filled) return filled.error();
  return view;
}

Result<MessageView> parse_message(ByteView body) {
  auto view = read_message(body);
  if (view && view->is_foreign) return error("a pubsub message with an unknown field, or with one twice");
  return view;
}

bool is_topic(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kTopicBytesMax) return false;
  for (std::size_t i = 0; i < bytes.size();) {
    std::uint8_t lead = bytes[i];
    std::size_t more = lead < 0x80 ? 0 : lead >> 5 == 0x6 ? 1 : lead >> 4 == 0xe ? 2 : lead >> 3 == 0x1e ? 3 : 4;
    if (more == 4 || i + more >= bytes.size()) return false;
    std::uint32_t code = more == 0 ? lead : lead & (0x3fu >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      if ((bytes[i + k] & 0xc0u) != 0x80) return false;
      code = code << 6 | (bytes[i + k] & 0x3fu);
    }
    constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
    if (code < kLeast[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace kms::net
