#include "net/multiaddr.h"

#include <algorithm>
#include <arpa/inet.h>

#include "base/assert.h"
#include "base/proto_wire.h"

namespace kms::net {
namespace {

using Code = Multiaddr::Code;
using Part = Multiaddr::Part;

enum class Value { none, ip4, ip6, port, name, peer };
struct Protocol {
  Code code;
  std::string_view name;
  Value value;
};
constexpr Protocol kProtocols[] = {
    {Code::ip4, "ip4", Value::ip4},
    {Code::tcp, "tcp", Value::port},
    {Code::ip6, "ip6", Value::ip6},
    {Code::dns, "dns", Value::name},
    {Code::dns4, "dns4", Value::name},
    {Code::dns6, "dns6", Value::name},
    {Code::dnsaddr, "dnsaddr", Value::name},
    {Code::udp, "udp", Value::port},
    {Code::p2p_circuit, "p2p-circuit", Value::none},
    {Code::p2p, "p2p", Value::peer},
    {Code::quic_v1, "quic-v1", Value::none},
    {Code::ws, "ws", Value::none},
};

const Protocol& protocol_of(Code code) {
  const auto* found = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                   [code](const Protocol& protocol) { return protocol.code == code; });
  KMS_ASSERT(found != std::end(kProtocols));
  return *found;
}

bool is_name(ByteView bytes) {
  return !bytes.empty() && bytes.size() <= 253 && std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// The length of a value of fixed size; nothing for those with a length in front.
std::optional<std::size_t> fixed_size(Value value) {
  switch (value) {
    case Value::none:
      return 0;
    case Value::ip4:
      return 4;
    case Value::ip6:
      return 16;
    case Value::port:
      return 2;
    case Value::name:
    case Value::peer:
      return std::nullopt;
  }
  return std::nullopt;
}

Result<Bytes> parse_port(std::string_view text) {
  std::uint32_t port = 0;
  bool digits = !text.empty() && text.size() <= 5;
  for (char c : text) {
    digits = digits && c >= '0' && c <= '9';
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  if (!digits || port > 65535) return error("multiaddr: not a port: " + std::string(text.substr(0, 16)));
  return Bytes{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
}

Result<Bytes> parse_ip(int family, std::size_t size, std::string_view text) {
  Bytes bytes(size);
  bool whole = text.find('\0') == std::string_view::npos;  // inet_pton would stop there
  if (!whole || inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) {
    return error("multiaddr: not an IP address: " + std::string(text.substr(0, 64)));
  }
  return bytes;
}

Result<Bytes> parse_value(const Protocol& protocol, std::string_view text) {
  switch (protocol.value) {
    case Value::none:
      return Bytes{};
    case Value::ip4:
      return parse_ip(AF_INET, 4, text);
    case Value::ip6:
      return parse_ip(AF_INET6, 16, text);
    case Value::port:
      return parse_port(text);
    case Value::name:
      if (!is_name(as_bytes(text))) return error("multiaddr: not a DNS name behind /" + std::string(protocol.name));
      return to_bytes(as_bytes(text));
    case Value::peer: {
      auto peer = PeerId::parse_text(text);
      if (!peer) return error("multiaddr: " + peer.error().message);
      return to_bytes(peer->bytes());
    }
  }
  return error("multiaddr: unknown kind of value");
}

std::string ip_text(int family, ByteView bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  KMS_ASSERT(inet_ntop(family, bytes.data(), text, sizeof text) != nullptr);
  return text;
}

std::string value_text(const Part& part) {
  switch (protocol_of(part.code).value) {
    case Value::none:
      return {};
    case Value::ip4:
      return ip_text(AF_INET, part.value);
    case Value::ip6:
      return ip_text(AF_INET6, part.value);
    case Value::port:
      return std::to_string(part.value[0] * 256 + part.value[1]);
    case Value::name:
      return std::string(as_text(part.value));
    case Value::peer: {
      auto peer = PeerId::parse(part.value);
      KMS_ASSERT(peer);
      return peer->text();
    }
  }
  return {};
}

// Takes one uvarint off the front.
std::optional<std::uint64_t> take_uvarint(ByteView& rest) {
  Uvarint number;
  if (parse_uvarint(rest, number) != UvarintState::complete) return std::nullopt;
  rest = rest.subspan(number.size);
  return number.value;
}

Result<Part> take_part(ByteView& rest) {
  auto code = take_uvarint(rest);
  if (!code) return error("multiaddr: malformed protocol code");
  const auto* protocol = std::find_if(std::begin(kProtocols), std::end(kProtocols), [&code](const Protocol& each) {
    return static_cast<std::uint64_t>(each.code) == *code;
  });
  if (protocol == std::end(kProtocols)) return error("multiaddr: unknown protocol code " + std::to_string(*code));
  std::optional<std::uint64_t> size = fixed_size(protocol->value);
  if (!size) size = take_uvarint(rest);
  if (!size || *size > rest.size()) return error("multiaddr: value cut off behind /" + std::string(protocol->name));
  Part part{protocol->code, to_bytes(rest.first(static_cast<std::size_t>(*size)))};
  rest = rest.subspan(static_cast<std::size_t>(*size));
  if (protocol->value == Value::name && !is_name(part.value)) {
    return error("multiaddr: not a DNS name behind /" + std::string(protocol->name));
  }
  if (protocol->value == Value::peer) {
    auto peer = PeerId::parse(part.value);
    if (!peer) return error("multiaddr: " + peer.error().message);
  }
  return part;
}

std::string_view take_word(std::string_view& rest) {
  std::string_view word = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  return word;
}

}  // namespace

Result<Multiaddr> Multiaddr::parse(ByteView bytes) {
  if (bytes.empty() || bytes.size() > kBytesMax) {
    return error("multiaddr of " + std::to_string(bytes.size()) + " bytes, expected 1 to 1024");
  }
  std::vector<Part> parts;
  while (!bytes.empty()) {
    if (parts.size() == kPartsMax) return error("multiaddr of more than 16 parts");
    auto part = take_part(bytes);
    if (!part) return part.error();
    parts.push_back(std::move(*part));
  }
  return Multiaddr(std::move(parts));
}

Result<Multiaddr> Multiaddr::parse_text(std::string_view text) {
  if (text.size() > kTextMax) return error("multiaddr of " + std::to_string(text.size()) + " characters");
  if (!text.starts_with('/')) return error("multiaddr has to start with '/'");
  std::string_view rest = text.substr(1);
  std::vector<Part> parts;
  while (!rest.empty()) {
    if (parts.size() == kPartsMax) return error("multiaddr of more than 16 parts");
    std::string_view name = take_word(rest);
    if (name == "ipfs") name = "p2p";
    const auto* protocol = std::find_if(std::begin(kProtocols), std::end(kProtocols),
                                        [name](const Protocol& each) { return each.name == name; });
    if (protocol == std::end(kProtocols))
      return error("multiaddr: unknown protocol /" + std::string(name.substr(0, 32)));
    auto value = parse_value(*protocol, protocol->value == Value::none ? std::string_view() : take_word(rest));
    if (!value) return value.error();
    parts.push_back({protocol->code, std::move(*value)});
  }
  if (parts.empty()) return error("multiaddr without a part");
  return Multiaddr(std::move(parts));
}

Multiaddr Multiaddr::of_tcp(ByteView ip, std::uint16_t port) {
  KMS_ASSERT(ip.size() == 4 || ip.size() == 16);
  std::vector<Part> parts;
  parts.push_back({ip.size() == 4 ? Code::ip4 : Code::ip6, to_bytes(ip)});
  parts.push_back({Code::tcp, Bytes{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)}});
  return Multiaddr(std::move(parts));
}

Bytes Multiaddr::bytes() const {
  Bytes out;
  for (const Part& part : parts_) {
    append_uvarint(out, static_cast<std::uint64_t>(part.code));
    if (!fixed_size(protocol_of(part.code).value)) append_uvarint(out, part.value.size());
    append(out, part.value);
  }
  return out;
}

std::string Multiaddr::text() const {
  std::string out;
  for (const Part& part : parts_) {
    const Protocol& protocol = protocol_of(part.code);
    out += '/';
    out += protocol.name;
    if (protocol.value != Value::none) out += '/' + value_text(part);
  }
  return out;
}

std::optional<PeerId> Multiaddr::peer_id() const {
  if (parts_.back().code != Code::p2p) return std::nullopt;
  auto peer = PeerId::parse(parts_.back().value);
  KMS_ASSERT(peer);
  return *peer;
}

Multiaddr Multiaddr::with_peer_id(const PeerId& peer) const {
  std::vector<Part> parts = parts_;
  if (parts.back().code == Code::p2p) parts.pop_back();
  parts.push_back({Code::p2p, to_bytes(peer.bytes())});
  return Multiaddr(std::move(parts));
}

Multiaddr Multiaddr::without_peer_id() const {
  std::vector<Part> parts = parts_;
  if (parts.size() > 1 && parts.back().code == Code::p2p) parts.pop_back();
  return Multiaddr(std::move(parts));
}

Result<TcpTarget> tcp_target_of(const Multiaddr& address) {
  const auto& parts = address.parts();
  bool has_peer = parts.size() == 3 && parts[2].code == Code::p2p;
  bool is_tcp = (parts.size() == 2 || has_peer) && parts[1].code == Code::tcp;
  if (!is_tcp) return error("cannot dial " + address.text() + ": expected HOST/tcp/PORT, with or without /p2p/ID");
  switch (parts[0].code) {
    case Code::ip4:
    case Code::ip6:
    case Code::dns:
    case Code::dns4:
    case Code::dns6:
      break;
    case Code::tcp:
    case Code::dnsaddr:
    case Code::udp:
    case Code::p2p_circuit:
    case Code::p2p:
    case Code::quic_v1:
    case Code::ws:
      return error("cannot dial " + address.text() + ": expected an ip4, ip6, dns, dns4 or dns6 host");
  }
  std::uint16_t port = static_cast<std::uint16_t>(parts[1].value[0] << 8 | parts[1].value[1]);
  return TcpTarget{parts[0].code, value_text(parts[0]), port, address.peer_id()};
}

}  // namespace kms::net
