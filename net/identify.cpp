#include "net/identify.h"

#include <algorithm>

#include "base/proto_wire.h"

namespace kms::net {
namespace {

std::string printable(ByteView bytes) {
  std::string text(as_text(bytes));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

void add_address(std::optional<std::vector<Multiaddr>>& to, ByteView bytes) {
  if (!to) to.emplace();
  if (to->size() == kIdentifyAddressesMax) return;
  auto address = Multiaddr::parse(bytes);
  if (address) to->push_back(std::move(*address));
}

void add_protocol(std::optional<std::vector<std::string>>& to, ByteView bytes) {
  if (!to) to.emplace();
  if (to->size() == kIdentifyProtocolsMax || bytes.size() > kIdentifyTextMax) return;
  to->emplace_back(as_text(bytes));
}

Result<void> add_field(Identify& message, const ProtoReader::Field& field) {
  switch (field.number) {
    case 1: {
      auto key = PublicKey::parse(field.bytes);
      if (!key) return error("identify: " + key.error().message);
      message.public_key = std::move(*key);
      break;
    }
    case 2:
      add_address(message.listen_addresses, field.bytes);
      break;
    case 3:
      add_protocol(message.protocols, field.bytes);
      break;
    case 4: {
      auto address = Multiaddr::parse(field.bytes);
      if (address) message.observed_address = std::move(*address);
      break;
    }
    case 5:
      if (field.bytes.size() <= kIdentifyTextMax) message.protocol_version = printable(field.bytes);
      break;
    case 6:
      if (field.bytes.size() <= kIdentifyTextMax) message.agent_version = printable(field.bytes);
      break;
    case 8:
      message.signed_peer_record = to_bytes(field.bytes);
      break;
    default:
      break;
  }
  return {};
}

template <class T>
void replace_if_present(std::optional<T>& held, std::optional<T>&& sent) {
  if (sent) held = std::move(sent);
}

template <class T>
void grow_list(std::optional<std::vector<T>>& held, std::optional<std::vector<T>>&& sent, std::size_t size_max) {
  if (!sent) return;
  if (!held) held.emplace();
  for (T& entry : *sent) {
    if (held->size() == size_max) return;
    held->push_back(std::move(entry));
  }
}

void replace_values(Identify& held, Identify& sent) {
  replace_if_present(held.public_key, std::move(sent.public_key));
  replace_if_present(held.observed_address, std::move(sent.observed_address));
  replace_if_present(held.protocol_version, std::move(sent.protocol_version));
  replace_if_present(held.agent_version, std::move(sent.agent_version));
  replace_if_present(held.signed_peer_record, std::move(sent.signed_peer_record));
}

}  // namespace

Result<Bytes> encode_identify(const Identify& message) {
  ProtoWriter writer;
  if (message.public_key) writer.bytes(1, message.public_key->encoded());
  if (message.listen_addresses) {
    for (const Multiaddr& address : *message.listen_addresses) writer.bytes(2, address.bytes());
  }
  if (message.protocols) {
    for (const std::string& protocol : *message.protocols) writer.text(3, protocol);
  }
  if (message.observed_address) writer.bytes(4, message.observed_address->bytes());
  if (message.protocol_version) writer.text(5, *message.protocol_version);
  if (message.agent_version) writer.text(6, *message.agent_version);
  if (message.signed_peer_record) writer.bytes(8, *message.signed_peer_record);
  if (writer.view().size() > kIdentifySentBytesMax) {
    return error("identify message of " + std::to_string(writer.view().size()) +
                 " bytes, others read at most 4096: announce fewer addresses or protocols");
  }
  return writer.take();
}

Result<Bytes> encode_identify_frame(const Identify& message) {
  auto body = encode_identify(message);
  if (!body) return body;
  Bytes frame;
  append_uvarint(frame, body->size());
  append(frame, *body);
  return frame;
}

Result<Identify> parse_identify(ByteView body) {
  if (body.size() > kIdentifyMessageBytesMax)
    return error("identify message of " + std::to_string(body.size()) + " bytes");
  Identify message;
  ProtoReader reader(body);
  while (auto field = reader.next()) {
    if (field->type != ProtoReader::Type::bytes) continue;
    auto added = add_field(message, *field);
    if (!added) return added.error();
  }
  if (reader.is_malformed()) return error("identify message is malformed");
  return message;
}

void merge_identify(Identify& into, Identify&& later) {
  grow_list(into.listen_addresses, std::move(later.listen_addresses), kIdentifyAddressesMax);
  grow_list(into.protocols, std::move(later.protocols), kIdentifyProtocolsMax);
  replace_values(into, later);
}

void apply_identify_push(Identify& known, Identify&& push) {
  replace_if_present(known.listen_addresses, std::move(push.listen_addresses));
  replace_if_present(known.protocols, std::move(push.protocols));
  replace_values(known, push);
}

Result<void> IdentifyReader::feed(ByteView input) {
  append(pending_, input);
  ByteView rest = pending_;
  while (!rest.empty()) {
    Uvarint size;
    UvarintState state = parse_uvarint(rest, size);
    if (state == UvarintState::incomplete) break;
    if (state == UvarintState::invalid || size.value > kIdentifyMessageBytesMax) {
      return error("identify: message length is malformed or over 8192 bytes");
    }
    std::size_t whole = size.size + static_cast<std::size_t>(size.value);
    if (rest.size() < whole) break;
    if (++messages_ > kIdentifyMessagesMax) return error("identify: more than 10 messages on one stream");
    auto message = parse_identify(rest.first(whole).subspan(size.size));
    if (!message) return message.error();
    merge_identify(merged_, std::move(*message));
    rest = rest.subspan(whole);
  }
  pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
  return {};
}

Result<Identify> IdentifyReader::finish() {
  if (!pending_.empty()) return error("identify: the stream ended within a message");
  if (messages_ == 0) return error("identify: the stream ended without a message");
  return std::move(merged_);
}

}  // namespace kms::net
