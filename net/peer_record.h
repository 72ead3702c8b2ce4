// Signed envelopes and the peer records inside them: addresses that their owner vouches for (libp2p RFC 0002 and 0003,
// with the constants that go-libp2p and js-libp2p use).
#pragma once

#include "net/identity.h"
#include "net/multiaddr.h"

namespace kms::net {

inline constexpr std::string_view kPeerRecordDomain = "libp2p-peer-record";
inline constexpr ByteArray<2> kPeerRecordPayloadType{0x03, 0x01};
inline constexpr std::size_t kEnvelopeBytesMax = 8 * 1024;
inline constexpr std::size_t kPeerRecordAddressesMax = 64;

// Envelope { PublicKey public_key=1; bytes payload_type=2; bytes payload=3; bytes signature=5; }
// The signature covers uvarint(len) || domain || uvarint(len) || payload_type || uvarint(len) || payload.
struct Envelope {
  PublicKey signer;
  Bytes payload;
};
Bytes seal_envelope(const Identity& identity, std::string_view domain, ByteView payload_type, ByteView payload);
// At most 8 KiB, of this payload type, with a signature of its own key under this domain.
Result<Envelope> open_envelope(ByteView bytes, std::string_view domain, ByteView payload_type);

// PeerRecord { bytes peer_id=1; uint64 seq=2; repeated AddressInfo addresses=3; }  AddressInfo { bytes multiaddr=1; }
struct PeerRecord {
  PeerId peer;
  std::uint64_t seq = 0;  // grows with every record of one peer; says nothing between peers
  std::vector<Multiaddr> addresses;
};
Bytes encode_peer_record(const PeerRecord& record);
// Addresses that do not parse are left out, and those beyond 64.
Result<PeerRecord> parse_peer_record(ByteView bytes);

// An envelope with our record.
Bytes sign_peer_record(const Identity& identity, std::uint64_t seq, std::vector<Multiaddr> addresses);
// The record of `expected` (the peer of the channel, or the one a list names): signed by the key that `peer_id` names.
Result<PeerRecord> verify_peer_record(ByteView envelope, const PeerId& expected);

// The seq of our next record: nanoseconds since 1970, and always above the previous one, so that a restart grows too.
std::uint64_t next_peer_record_seq(std::uint64_t previous, std::int64_t unix_ms);
// Whether `candidate` replaces `held`: same peer, higher seq.
bool supersedes(const PeerRecord& candidate, const PeerRecord& held);

}  // namespace kms::net
