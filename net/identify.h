// The identify message: what a peer says about itself, and what it sees of us (libp2p identify specification).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/multiaddr.h"
#include "net/protocols.h"

namespace kms::net {

// Identify { bytes publicKey=1; repeated bytes listenAddrs=2; repeated string protocols=3; bytes observedAddr=4;
//            string protocolVersion=5; string agentVersion=6; bytes signedPeerRecord=8; }
// What is absent was not sent: in a push it means "unchanged". Present lists replace.
struct Identify {
  std::optional<PublicKey> public_key;
  std::optional<std::vector<Multiaddr>> listen_addresses;
  std::optional<std::vector<std::string>> protocols;
  std::optional<Multiaddr> observed_address;
  std::optional<std::string> protocol_version;
  std::optional<std::string> agent_version;
  std::optional<Bytes> signed_peer_record;  // an envelope, not verified here
};

inline constexpr std::size_t kIdentifyAddressesMax = 64;
inline constexpr std::size_t kIdentifyProtocolsMax = 256;
inline constexpr std::size_t kIdentifyTextMax = 256;

// One message body, without its length, in tag order. An error when it is over 4 KiB: list less.
Result<Bytes> encode_identify(const Identify& message);
// The same behind its uvarint length: what goes on the stream.
Result<Bytes> encode_identify_frame(const Identify& message);

// One message body of at most 8 KiB. An undecodable public key is an error; addresses that do not parse are left out;
// entries beyond 64 addresses or 256 protocols, and texts over 256 bytes, are left out. In the version texts every
// character but printable ASCII becomes '?', so that they can be logged.
Result<Identify> parse_identify(ByteView body);

// Adds what a later message of the same stream says: lists grow within their limits, single values are replaced.
void merge_identify(Identify& into, Identify&& later);
// Applies a push to what is known: present fields replace, absent ones stay.
void apply_identify_push(Identify& known, Identify&& push);

// Reads an identify or push stream: up to 10 length-prefixed messages until the end of the stream.
class IdentifyReader {
 public:
  // An error: reset the stream.
  Result<void> feed(ByteView input);
  // At the end of the stream: the merged message. An error without any message or within one.
  Result<Identify> finish();

 private:
  Bytes pending_;
  std::size_t messages_ = 0;
  Identify merged_;
};

}  // namespace kms::net
