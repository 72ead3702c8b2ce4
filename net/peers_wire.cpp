#include "net/peers_wire.h"

#include "base/proto_wire.h"

namespace kms::net {
namespace {

using Type = ProtoReader::Type;

Result<PeersRequest::Held> parse_held(ByteView bytes) {
  ByteView peer;
  std::uint64_t seq = 0;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) peer = field->bytes;
    if (field->number == 2 && field->type == Type::varint) seq = field->value;
  }
  if (reader.is_malformed()) return error("peers request: an entry is malformed");
  auto id = PeerId::parse(peer);
  if (!id) return error("peers request: " + id.error().message);
  return PeersRequest::Held{*id, seq};
}

Result<PeersReply::Record> parse_record(ByteView bytes) {
  ByteView envelope;
  std::uint64_t age = 0;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) envelope = field->bytes;
    if (field->number == 2 && field->type == Type::varint) age = field->value;
  }
  if (reader.is_malformed()) return error("peers reply: an entry is malformed");
  if (envelope.empty() || envelope.size() > PeersReply::kEnvelopeBytesMax) {
    return error("peers reply: a record of " + std::to_string(envelope.size()) + " bytes");
  }
  return PeersReply::Record{to_bytes(envelope), age};
}

}  // namespace

Bytes PeersRequest::encode() const {
  ProtoWriter out;
  for (const Held& one : held) {
    ProtoWriter entry;
    entry.bytes(1, one.peer.bytes());
    entry.varint_unless_zero(2, one.seq);
    out.message(1, entry);
  }
  return out.take();
}

Result<PeersRequest> PeersRequest::parse(ByteView body) {
  PeersRequest out;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number != 1 || field->type != Type::bytes) continue;
    if (out.held.size() == kHeldMax) return error("peers request: more than " + std::to_string(kHeldMax) + " entries");
    auto entry = parse_held(field->bytes);
    if (!entry) return entry.error();
    out.held.push_back(*entry);
  }
  if (reader.is_malformed()) return error("peers request is malformed");
  return out;
}

Bytes PeersReply::encode() const {
  ProtoWriter out;
  for (const Record& record : records) {
    ProtoWriter entry;
    entry.bytes(1, record.envelope);
    entry.varint_unless_zero(2, record.age_s);
    out.message(1, entry);
  }
  return out.take();
}

Result<PeersReply> PeersReply::parse(ByteView body) {
  PeersReply out;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number != 1 || field->type != Type::bytes) continue;
    if (out.records.size() == kRecordsMax) {
      return error("peers reply: more than " + std::to_string(kRecordsMax) + " records");
    }
    auto record = parse_record(field->bytes);
    if (!record) return record.error();
    out.records.push_back(std::move(*record));
  }
  if (reader.is_malformed()) return error("peers reply is malformed");
  return out;
}

}  // namespace kms::net
