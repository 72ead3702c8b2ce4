// Why a connection ended: no connection of this host ends without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kms::net {

enum class CloseReason : std::uint8_t {
  requested,           // our own node asked for it, or is stopping
  denied,              // the peer's class is denied
  over_limit,          // connections, upgrades or rates (LIBP2P.md 8.8)
  duplicate,           // another connection to the same peer carries on
  upgrade_timeout,     // security and muxer took too long
  security_failed,     // no common security protocol, a bad Noise handshake, or an unexpected PeerId
  muxer_failed,        // no common muxer
  protocol_violation,  // the other end broke a protocol after the upgrade
  unresponsive,        // silent although the muxer's ping waited for its answer
  remote_closed,       // the other end closed, in order or not
  transport_failed,    // a socket error, or a write that made no progress
  dial_failed,         // there never was a connection
  over_budget,         // the host's memory budget; the peers that matter least and read slowest go first
};
inline constexpr std::size_t kCloseReasons = static_cast<std::size_t>(CloseReason::over_budget) + 1;

std::string_view name_of(CloseReason reason);

struct CloseCause {
  CloseReason reason = CloseReason::requested;
  std::string text;  // for people; printable, at most a few hundred bytes
};

}  // namespace kms::net
