#include "base/proto_wire.h"
#include "net/object_exchange.h"

namespace kms::net {

using Type = ProtoReader::Type;

std::string objects_protocol(const std::string& network) {
  return "/kms/" + network + "/objects/1";
}

Bytes encode_object_request(const ObjectName& name) {
  ProtoWriter out;
  out.bytes(1, name);
  return out.take();
}

Result<ObjectName> parse_object_request(ByteView body) {
  ByteView name;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::bytes) name = field->bytes;
  }
  if (reader.is_malformed() || name.size() != std::tuple_size_v<ObjectName>) {
    return error("object request: no name of 32 bytes");
  }
  return to_array<32>(name);
}

Bytes encode_object_reply(const ObjectReply& reply) {
  ProtoWriter out;
  out.varint(1, static_cast<std::uint64_t>(reply.status));
  if (reply.status == ObjectStatus::here) out.bytes(2, reply.object);
  return out.take();
}

Result<ObjectReply> parse_object_reply(ByteView body) {
  std::uint64_t status = 0;
  std::optional<ByteView> object;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == Type::varint) status = field->value;
    if (field->number == 2 && field->type == Type::bytes) object = field->bytes;
  }
  if (reader.is_malformed()) return error("object reply is malformed");
  if (status < 1 || status > 3) return error("object reply: status " + std::to_string(status));
  ObjectReply out{static_cast<ObjectStatus>(status), {}};
  if (object.has_value() != (out.status == ObjectStatus::here)) {
    return error("object reply: the object stands with status 1, and only there");
  }
  if (object) out.object = *object;
  if (out.object.size() > kObjectBytesMax) return error("object reply: too large");
  return out;
}

}  // namespace kms::net
