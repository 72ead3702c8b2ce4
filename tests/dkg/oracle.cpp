#include "tests/dkg/oracle.h"

#include "base/proto_wire.h"

namespace kms::dkg::test {
namespace {

bool is_zero_bytes(const Bytes& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// A bytes field as proto3 writes it, zeros being the protocol's "not there".
void put(ProtoWriter& out, std::uint32_t field, const Json& value) {
  Bytes bytes = hex_of(value);
  if (!is_zero_bytes(bytes)) out.bytes(field, bytes);
}

void put_number(ProtoWriter& out, std::uint32_t field, const Json& value) {
  out.varint_unless_zero(field, number_of(value));
}

void put_list(ProtoWriter& out, std::uint32_t field, const Json& list) {
  for (const Json& entry : list.as_array()) {
    ProtoWriter item;
    put_number(item, 1, entry.at("dealer"));
    put(item, 2, entry.at("deal_hash"));
    out.message(field, item);
  }
}

void put_signatures(ProtoWriter& out, std::uint32_t field, const Json& list) {
  for (const Json& entry : list.as_array()) {
    ProtoWriter item;
    put_number(item, 1, entry.at("index"));
    put(item, 2, entry.at("sig"));
    out.message(field, item);
  }
}

Bytes joined(const Json& list) {
  Bytes out;
  for (const Json& entry : list.as_array()) append(out, hex_of(entry));
  return out;
}

}  // namespace

std::uint64_t number_of(const Json& value) {
  return value.to_number<std::uint64_t>();
}

Position position_of(const Json& value) {
  return static_cast<Position>(number_of(value));
}

crypto::Point point_of(const Json& value) {
  return crypto::Point::parse(hex_of(value)).value();
}

crypto::SecretScalar secret_of(const Json& value) {
  return std::move(crypto::SecretScalar::parse(hex_of(value)).value());
}

crypto::Secret<32> secret_bytes_of(const Json& value) {
  return crypto::Secret<32>::copy_of(hex_of(value));
}

std::vector<crypto::Element> elements_of(const Json& list) {
  std::vector<crypto::Element> out;
  for (const Json& entry : list.as_array()) out.push_back(crypto::Element::parse(hex_of(entry)).value());
  return out;
}

crypto::NodeKey node_key_of(const Json& member) {
  return std::move(crypto::NodeKey::from_secret(secret_of(member.at("node_key"))).value());
}

Committee committee_of(const Json& committee) {
  std::vector<crypto::Point> keys;
  for (const Json& member : committee.at("members").as_array()) keys.push_back(point_of(member.at("sig_pk")));
  std::reverse(keys.begin(), keys.end());  // make() sorts
  return Committee::make(keys).value();
}

Threshold threshold_of(const Json& committee) {
  return Threshold::make(static_cast<std::uint32_t>(number_of(committee.at("n"))),
                         static_cast<std::uint32_t>(number_of(committee.at("t"))))
      .value();
}

DealList list_of(const Json& list) {
  DealList out;
  for (const Json& entry : list.as_array()) {
    out.push_back({position_of(entry.at("dealer")), id_of<DealHash>(entry.at("deal_hash"))});
  }
  return out;
}

std::vector<KeyTable> tables_of(const Json& tables) {
  std::vector<KeyTable> out;
  for (const Json& table : tables.as_array()) {
    out.push_back({point_of(table.at("S")), elements_of(table.at("members"))});
  }
  return out;
}

Bytes header_body(const Json& header) {
  ProtoWriter out;
  put_number(out, 1, header.at("kind"));
  put_number(out, 2, header.at("origin"));
  put_number(out, 3, header.at("decider"));
  put_number(out, 4, header.at("emergency"));
  put(out, 5, header.at("ks_id"));
  out.varint_unless_zero(6, header.at("labels").as_array().size());
  for (const Json& label : header.at("labels").as_array()) out.bytes(7, hex_of(label));
  put_number(out, 8, header.at("epoch"));
  put_number(out, 9, header.at("branch"));
  put(out, 10, header.at("void_cert"));
  put_number(out, 11, header.at("attempt"));
  put_number(out, 12, header.at("initiator"));
  put(out, 13, header.at("old_committee_hash"));
  put_number(out, 14, header.at("n"));
  put_number(out, 15, header.at("t"));
  put(out, 16, header.at("T_e"));
  put(out, 17, header.at("root_e"));
  for (const Json& member : header.at("new").as_array()) {
    ProtoWriter item;
    put(item, 1, member.at("node"));
    put(item, 2, member.at("sig_pk"));
    put(item, 3, member.at("B"));
    put(item, 4, member.at("pok"));
    put(item, 5, member.at("psig"));
    out.message(18, item);
  }
  Bytes absent;
  for (const Json& position : header.at("absent").as_array()) append_uvarint(absent, number_of(position));
  out.bytes_unless_empty(19, absent);
  put_number(out, 20, header.at("t_new"));
  put_number(out, 21, header.at("base"));
  put(out, 22, header.at("file_hash"));
  put_number(out, 23, header.at("not_after"));
  put_signatures(out, 24, header.at("approvals"));
  put(out, 25, header.at("registry_ref"));
  return out.take();
}

Bytes deal_body(const Json& deal) {
  ProtoWriter out;
  put(out, 1, deal.at("sid"));
  put_number(out, 2, deal.at("dealer"));
  put(out, 3, deal.at("E"));
  for (const Json& key : deal.at("keys").as_array()) {
    ProtoWriter item;
    item.bytes(1, joined(key.at("C")));
    item.bytes(2, joined(key.at("c")));
    out.message(4, item);
  }
  out.bytes(5, hex_of(deal.at("c")));
  for (const Json& response : deal.at("z_a").as_array()) out.bytes(6, hex_of(response));
  out.bytes(7, hex_of(deal.at("z_e")));
  return out.take();
}

Bytes complaint_body(const Json& complaint) {
  ProtoWriter out;
  put(out, 1, complaint.at("sid"));
  put_number(out, 2, complaint.at("dealer"));
  put_number(out, 3, complaint.at("receiver"));
  put(out, 4, complaint.at("deal_hash"));
  put_number(out, 5, complaint.at("key_index"));
  put(out, 6, complaint.at("Z"));
  put(out, 7, complaint.at("proof"));
  return out.take();
}

Bytes certificate_body(const Json& certificate) {
  ProtoWriter out;
  put_number(out, 1, certificate.at("kind"));
  put_number(out, 2, certificate.at("instance"));
  put(out, 3, certificate.at("slot"));
  put(out, 4, certificate.at("sid"));
  put(out, 5, certificate.at("T"));
  put_number(out, 6, certificate.at("view"));
  put(out, 7, certificate.at("value_hash"));
  put_signatures(out, 8, certificate.at("votes"));
  put(out, 9, certificate.at("emergency_cert"));
  return out.take();
}

Bytes announce_body(const Json& announcement) {
  ProtoWriter out;
  put_number(out, 1, announcement.at("series"));
  put(out, 2, announcement.at("ks_id"));
  put_number(out, 3, announcement.at("epoch"));
  put_number(out, 4, announcement.at("branch"));
  put_number(out, 5, announcement.at("first"));
  for (const Json& entry : announcement.at("entries").as_array()) {
    ProtoWriter item;
    put(item, 1, entry.at("B"));
    put(item, 2, entry.at("pok"));
    put(item, 3, entry.at("psig"));
    out.message(6, item);
  }
  return out.take();
}

Bytes link_body(const Json& link) {
  ProtoWriter out;
  put_number(out, 1, link.at("branch"));
  out.bytes(2, header_body(link.at("header")));
  put_list(out, 3, link.at("list"));
  out.bytes(4, certificate_body(link.at("final")));
  out.bytes(5, certificate_body(link.at("activation")));
  if (!link.at("fate").is_null()) out.bytes(6, certificate_body(link.at("fate")));
  for (const Json& voided : link.at("voids").as_array()) out.bytes(7, certificate_body(voided));
  for (const Json& table : link.at("tables").as_array()) {
    Bytes row = hex_of(table.at("S"));
    append(row, joined(table.at("members")));
    out.bytes(8, row);
  }
  return out.take();
}

Bytes repair_request_body(const Json& request) {
  ProtoWriter out;
  put(out, 1, request.at("ks_id"));
  put_number(out, 2, request.at("epoch"));
  put_number(out, 3, request.at("branch"));
  put(out, 4, request.at("T"));
  put_number(out, 5, request.at("index"));
  put(out, 6, request.at("Y"));
  put(out, 7, request.at("pok"));
  for (const Json& giver : request.at("givers").as_array()) {
    ProtoWriter item;
    put_number(item, 1, giver.at("index"));
    put_number(item, 2, giver.at("prekey"));
    put(item, 3, giver.at("B"));
    out.message(8, item);
  }
  put(out, 9, request.at("nonce"));
  put_number(out, 10, request.at("expiry"));
  return out.take();
}

Bytes repair_delta_body(const Json& delta) {
  ProtoWriter out;
  put(out, 1, delta.at("rid"));
  put_number(out, 2, delta.at("giver"));
  for (const Json& key : delta.at("keys").as_array()) {
    ProtoWriter item;
    item.bytes(1, joined(key.at("C")));
    item.bytes(2, joined(key.at("c")));
    out.message(3, item);
  }
  put(out, 4, delta.at("E"));
  put(out, 5, delta.at("pok"));
  return out.take();
}

Bytes repair_sigma_body(const Json& sigma) {
  ProtoWriter out;
  put(out, 1, sigma.at("rid"));
  put_number(out, 2, sigma.at("giver"));
  put(out, 3, sigma.at("E"));
  for (const Json& scalar : sigma.at("c").as_array()) out.bytes(4, hex_of(scalar));
  put(out, 5, sigma.at("pok"));
  for (const Json& delta : sigma.at("deltas").as_array()) out.bytes(6, hex_of(delta));
  return out.take();
}

Bytes repair_complaint_body(const Json& complaint) {
  ProtoWriter out;
  put_number(out, 1, complaint.at("kind"));
  put(out, 2, complaint.at("rid"));
  put_number(out, 3, complaint.at("giver"));
  put_number(out, 4, complaint.at("accuser"));
  put(out, 5, complaint.at("object_hash"));
  put_number(out, 6, complaint.at("key_index"));
  put(out, 7, complaint.at("Z"));
  put(out, 8, complaint.at("proof"));
  return out.take();
}

}  // namespace kms::dkg::test
