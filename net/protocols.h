// Names and limits of the small libp2p protocols: identify, identify/push and ping.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/time.h"

namespace kms::net {

inline constexpr std::string_view kYamuxProtocol = "/yamux/1.0.0";

// The opener sends nothing; the responder writes one uvarint-prefixed Identify and closes its write side.
inline constexpr std::string_view kIdentifyProtocol = "/ipfs/id/1.0.0";
// The opener writes the message and closes.
inline constexpr std::string_view kIdentifyPushProtocol = "/ipfs/id/push/1.0.0";
inline constexpr std::size_t kIdentifyMessageBytesMax = 8 * 1024;  // received
inline constexpr std::size_t kIdentifyMessagesMax = 10;            // received on one stream, merged
inline constexpr std::size_t kIdentifySentBytesMax = 4 * 1024;     // rust-libp2p reads no more
inline constexpr Duration kIdentifyTimeout = 5s;

// 32 bytes each way until the opener closes; blocks are echoed after its FIN too.
inline constexpr std::string_view kPingProtocol = "/ipfs/ping/1.0.0";
inline constexpr std::size_t kPingBytes = 32;
inline constexpr std::size_t kPingInboundStreamsMax = 2;   // per peer
inline constexpr std::size_t kPingOutboundStreamsMax = 1;  // per peer

inline constexpr Duration kNegotiationTimeout = 10s;  // of one multistream negotiation
inline constexpr Duration kUpgradeTimeout = 10s;      // security and muxer of one connection

}  // namespace kms::net
