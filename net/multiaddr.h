// Multiaddrs: addresses as a sequence of protocol and value, in text (/ip4/127.0.0.1/tcp/4001) and bytes.
#pragma once

#include <optional>
#include <vector>

#include "net/peer_id.h"

namespace kms::net {

// At least one part, every part of a known code with a valid value. Others' unknown codes make the one address an
// error (its length is unknown), never the message that holds it.
class Multiaddr {
 public:
  static constexpr std::size_t kBytesMax = 1024;
  static constexpr std::size_t kTextMax = 1024;
  static constexpr std::size_t kPartsMax = 16;

  enum class Code : std::uint16_t {
    ip4 = 4,
    tcp = 6,
    ip6 = 41,
    dns = 53,
    dns4 = 54,
    dns6 = 55,
    dnsaddr = 56,
    udp = 273,
    p2p_circuit = 290,
    p2p = 421,
    quic_v1 = 461,
    ws = 477,
  };
  struct Part {
    Code code = Code::ip4;
    Bytes value;  // ip4: 4 bytes, ip6: 16, tcp and udp: 2 (big endian), dns*: the name, p2p: a PeerId's bytes
    bool operator==(const Part&) const = default;
  };

  static Result<Multiaddr> parse(ByteView bytes);
  // Also /ipfs/ for /p2p/, as old texts have it. A trailing '/' is accepted.
  static Result<Multiaddr> parse_text(std::string_view text);
  // /ip4|ip6/ADDRESS/tcp/PORT; `ip` is 4 or 16 bytes.
  static Multiaddr of_tcp(ByteView ip, std::uint16_t port);

  const std::vector<Part>& parts() const { return parts_; }
  Bytes bytes() const;
  std::string text() const;

  // The last part's PeerId, if it is /p2p/.
  std::optional<PeerId> peer_id() const;
  // With exactly this PeerId at the end.
  Multiaddr with_peer_id(const PeerId& peer) const;
  // Without the /p2p/ at the end; an address that is nothing else stays as it is.
  Multiaddr without_peer_id() const;

  bool operator==(const Multiaddr&) const = default;

 private:
  explicit Multiaddr(std::vector<Part> parts) : parts_(std::move(parts)) {}
  std::vector<Part> parts_;
};

// What we can dial: HOST/tcp/PORT with or without /p2p/ID, where HOST is an ip4, ip6, dns, dns4 or dns6.
struct TcpTarget {
  Multiaddr::Code host_code = Multiaddr::Code::ip4;
  std::string host;  // as text: an IP address or a DNS name
  std::uint16_t port = 0;
  std::optional<PeerId> peer;
};
Result<TcpTarget> tcp_target_of(const Multiaddr& address);

}  // namespace kms::net
