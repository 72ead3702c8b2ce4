#include "net/peers_wire.h"

#include "base/proto_wire.h"

namespace kms::net {
namespace {

using Type = ProtoReader::Type;

// Request and reply are both lists (field 1) of pairs of bytes (1) and a number (2).
struct Pair {
  ByteView bytes;
  std::uint64_t number = 0;
};

void put(ProtoWriter& out, const Pair& pair) {
  ProtoWriter entry;
  entry.bytes(1, pair.bytes);
  entry.varint_unless_zero(2, pair.number);
  out.message(1, entry);
}

Result<Pair> parse_pair(ByteView bytes) {
  Pair out;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) out.bytes = field->bytes;
    if (field->number == 2 && field->type == Type::varint) out.number = field->value;
  }
  if (reader.is_malformed()) return error("an entry is malformed");
  return out;
}

// Hands at most `max` pairs to `take`, which may refuse one.
template <class Take>
Result<void> parse_pairs(ByteView body, std::size_t max, Take take) {
  std::size_t count = 0;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number != 1 || field->type != Type::bytes) continue;
    if (++count > max) return error("more than " + std::to_string(max) + " entries");
    auto pair = parse_pair(field->bytes);
    if (!pair) return pair.error();
    if (Result<void> taken = take(*pair); !taken) return taken;
  }
  if (reader.is_malformed()) return error("malformed");
  return {};
}

}  // namespace

Bytes PeersRequest::encode() const {
  ProtoWriter out;
  for (const Held& one : held) put(out, {one.peer.bytes(), one.seq});
  return out.take();
}

Result<PeersRequest> PeersRequest::parse(ByteView body) {
  PeersRequest out;
  const auto parsed = parse_pairs(body, kHeldMax, [&](const Pair& pair) -> Result<void> {
    auto peer = PeerId::parse(pair.bytes);
    if (!peer) return peer.error();
    out.held.push_back({*peer, pair.number});
    return {};
  });
  if (!parsed) return error("peers request: " + parsed.error().message);
  return out;
}

Bytes PeersReply::encode() const {
  ProtoWriter out;
  for (const Record& record : records) put(out, {record.envelope, record.age_s});
  return out.take();
}

Result<PeersReply> PeersReply::parse(ByteView body) {
  PeersReply out;
  const auto parsed = parse_pairs(body, kRecordsMax, [&](const Pair& pair) -> Result<void> {
    if (pair.bytes.empty() || pair.bytes.size() > kEnvelopeBytesMax) {
      return error("a record of " + std::to_string(pair.bytes.size()) + " bytes");
    }
    out.records.push_back({to_bytes(pair.bytes), pair.number});
    return {};
  });
  if (!parsed) return error("peers reply: " + parsed.error().message);
  return out;
}

}  // namespace kms::net
