#include "net/peer_record.h"

#include <algorithm>

#include "base/proto_wire.h"

namespace kms::net {
namespace {

using Type = ProtoReader::Type;

void append_prefixed(Bytes& to, ByteView bytes) {
  append_uvarint(to, bytes.size());
  append(to, bytes);
}

Bytes signed_bytes(std::string_view domain, ByteView payload_type, ByteView payload) {
  Bytes out;
  append_prefixed(out, as_bytes(domain));
  append_prefixed(out, payload_type);
  append_prefixed(out, payload);
  return out;
}

// AddressInfo with an address that parses.
std::optional<Multiaddr> parse_address_info(ByteView bytes) {
  ByteView address;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) address = field->bytes;
  }
  if (reader.is_malformed()) return std::nullopt;
  auto parsed = Multiaddr::parse(address);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace

Bytes seal_envelope(const Identity& identity, std::string_view domain, ByteView payload_type, ByteView payload) {
  ProtoWriter writer;
  writer.bytes(1, identity.public_key().encoded());
  writer.bytes(2, payload_type);
  writer.bytes(3, payload);
  writer.bytes(5, identity.sign(signed_bytes(domain, payload_type, payload)));
  return writer.take();
}

Result<Envelope> open_envelope(ByteView bytes, std::string_view domain, ByteView payload_type) {
  if (bytes.size() > kEnvelopeBytesMax) return error("envelope of " + std::to_string(bytes.size()) + " bytes");
  std::optional<ByteView> key_bytes, type, payload, signature;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->type != Type::bytes) continue;
    if (field->number == 1) key_bytes = field->bytes;
    if (field->number == 2) type = field->bytes;
    if (field->number == 3) payload = field->bytes;
    if (field->number == 5) signature = field->bytes;
  }
  if (reader.is_malformed() || !key_bytes || !type || !payload || !signature) {
    return error("envelope is malformed or lacks a field");
  }
  if (!equal(*type, payload_type))
    return error("envelope holds payload type " + to_hex(type->first(std::min<std::size_t>(type->size(), 16))));
  auto key = PublicKey::parse(*key_bytes);
  if (!key) return error("envelope: " + key.error().message);
  if (!key->verify(signed_bytes(domain, *type, *payload), *signature)) return error("envelope's signature is wrong");
  return Envelope{std::move(*key), to_bytes(*payload)};
}

Bytes encode_peer_record(const PeerRecord& record) {
  ProtoWriter writer;
  writer.bytes(1, record.peer.bytes());
  writer.varint_unless_zero(2, record.seq);
  for (const Multiaddr& address : record.addresses) {
    ProtoWriter info;
    info.bytes(1, address.bytes());
    writer.message(3, info);
  }
  return writer.take();
}

Result<PeerRecord> parse_peer_record(ByteView bytes) {
  ByteView peer_bytes;
  std::uint64_t seq = 0;
  std::vector<Multiaddr> addresses;
  ProtoReader reader(bytes);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) peer_bytes = field->bytes;
    if (field->number == 2 && field->type == Type::varint) seq = field->value;
    if (field->number != 3 || field->type != Type::bytes || addresses.size() == kPeerRecordAddressesMax) continue;
    if (auto address = parse_address_info(field->bytes)) addresses.push_back(std::move(*address));
  }
  if (reader.is_malformed()) return error("peer record is malformed");
  auto peer = PeerId::parse(peer_bytes);
  if (!peer) return error("peer record: " + peer.error().message);
  return PeerRecord{*peer, seq, std::move(addresses)};
}

Bytes sign_peer_record(const Identity& identity, std::uint64_t seq, std::vector<Multiaddr> addresses) {
  PeerRecord record{identity.peer_id(), seq, std::move(addresses)};
  return seal_envelope(identity, kPeerRecordDomain, kPeerRecordPayloadType, encode_peer_record(record));
}

Result<PeerRecord> verify_peer_record(ByteView envelope, const PeerId& expected) {
  auto opened = open_envelope(envelope, kPeerRecordDomain, kPeerRecordPayloadType);
  if (!opened) return opened.error();
  auto record = parse_peer_record(opened->payload);
  if (!record) return record.error();
  if (!record->peer.matches(opened->signer))
    return error("peer record of " + record->peer.text() + " is signed by another key");
  if (record->peer != expected) {
    return error("peer record is of " + record->peer.text() + ", expected " + expected.text());
  }
  return record;
}

std::uint64_t next_peer_record_seq(std::uint64_t previous, std::int64_t unix_ms) {
  std::uint64_t clock = unix_ms > 0 ? static_cast<std::uint64_t>(unix_ms) * 1'000'000u : 0;
  return std::max(clock, previous + 1);
}

bool supersedes(const PeerRecord& candidate, const PeerRecord& held) {
  return candidate.peer == held.peer && candidate.seq > held.seq;
}

}  // namespace kms::net
