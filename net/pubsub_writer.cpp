// Frames of a pubsub stream: cutting the inbound ones apart, writing the outbound ones.
#include "net/pubsub_wire.h"

namespace kms::net {
namespace {

void put_control(Bytes& to, std::uint32_t field, const ProtoWriter& inner) {
  ProtoWriter outer;
  outer.message(field, inner);
  append(to, outer.view());
}

void put_ids(Bytes& to, std::uint32_t field, std::span<const Bytes> ids) {
  ProtoWriter inner;
  for (const Bytes& id : ids) inner.bytes(1, id);
  put_control(to, field, inner);
}

}  // namespace

Result<void> RpcFrames::feed(ByteView bytes) {
  append(buffer_, bytes);
  std::size_t at = 0;
  while (true) {
    ByteView rest = ByteView(buffer_).subspan(at);
    Uvarint length;
    auto state = parse_uvarint(rest, length);
    if (state == UvarintState::invalid) return error("the length of an RPC is not a minimal varint");
    if (state == UvarintState::incomplete) break;
    if (length.value > rpc_bytes_max_) {
      return error("an RPC of " + std::to_string(length.value) + " bytes, at most " + std::to_string(rpc_bytes_max_));
    }
    std::size_t size = static_cast<std::size_t>(length.value);
    if (rest.size() - length.size < size) break;
    complete_.push_back(to_bytes(rest.subspan(length.size, size)));
    at += length.size + size;
  }
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at));
  return {};
}

std::optional<Bytes> RpcFrames::next() {
  if (complete_.empty()) return std::nullopt;
  Bytes body = std::move(complete_.front());
  complete_.pop_front();
  return body;
}

void RpcWriter::subscription(bool subscribe, std::string_view topic) {
  ProtoWriter inner, outer;
  inner.varint(1, subscribe ? 1 : 0);
  inner.text(2, topic);
  outer.message(1, inner);
  append(body_, outer.view());
}

void RpcWriter::message(ByteView encoded_message) {
  append_uvarint(body_, 2 << 3 | 2);
  append_uvarint(body_, encoded_message.size());
  append(body_, encoded_message);
}

void RpcWriter::ihave(std::string_view topic, std::span<const Bytes> ids) {
  ProtoWriter inner;
  inner.text(1, topic);
  for (const Bytes& id : ids) inner.bytes(2, id);
  put_control(control_, 1, inner);
}

void RpcWriter::iwant(std::span<const Bytes> ids) {
  put_ids(control_, 2, ids);
}

void RpcWriter::graft(std::string_view topic) {
  ProtoWriter inner;
  inner.text(1, topic);
  put_control(control_, 3, inner);
}

void RpcWriter::prune(std::string_view topic, std::optional<std::uint64_t> backoff_s,
                      std::span<const ExchangePeer> peers) {
  ProtoWriter inner;
  inner.text(1, topic);
  for (const ExchangePeer& peer : peers) {
    ProtoWriter entry;
    entry.bytes(1, peer.id);
    entry.bytes_unless_empty(2, peer.signed_record);
    inner.message(2, entry);
  }
  if (backoff_s) inner.varint(3, *backoff_s);
  put_control(control_, 4, inner);
}

void RpcWriter::idontwant(std::span<const Bytes> ids) {
  put_ids(control_, 5, ids);
}

std::size_t RpcWriter::body_size() const {
  return body_.size() + (control_.empty() ? 0 : 1 + uvarint_size(control_.size()) + control_.size());
}

Bytes RpcWriter::frame() const {
  Bytes out;
  out.reserve(body_size() + 4);
  append_uvarint(out, body_size());
  append(out, body_);
  if (control_.empty()) return out;
  append_uvarint(out, 3 << 3 | 2);
  append_uvarint(out, control_.size());
  append(out, control_);
  return out;
}

}  // namespace kms::net
