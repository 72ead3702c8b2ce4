// What a neighbour is to us, decided after Noise from its authenticated PeerId and the member list, and again at every
// change of that list; and what each class is allowed (LIBP2P.md 11).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "base/time.h"

namespace kms::net {

enum class PeerClass : std::uint8_t { committee, registered, light, denied };
inline constexpr PeerClass kPeerClasses[] = {PeerClass::committee, PeerClass::registered, PeerClass::light,
                                             PeerClass::denied};
std::string_view name_of(PeerClass peer_class);

// For each connection of a class.
struct ClassRules {
  // Inbound, from one IPv4 address or IPv6 /64. Members behind one address know each other by key.
  std::size_t per_address_max = std::numeric_limits<std::size_t>::max();
  std::size_t inbound_streams_max = 256;
  std::uint32_t inbound_streams_per_second = 100;
  std::size_t receive_bytes_max = std::size_t{8} << 20;  // received and not consumed
  Duration quiet_max = 10s;                              // nothing received for so long: the muxer pings
  Duration pong_deadline = 10s;                          // no byte for so long while a ping waits: the link is dead
};
// The committee's links carry every delegation: a dead one is known within six seconds.
inline constexpr ClassRules kCommitteeRules{.quiet_max = 2500ms, .pong_deadline = 3s};
inline constexpr ClassRules kRegisteredRules{.per_address_max = 64, .quiet_max = 5s, .pong_deadline = 5s};
inline constexpr ClassRules kLightRules{.per_address_max = 16,
                                        .inbound_streams_max = 64,
                                        .inbound_streams_per_second = 30,
                                        .receive_bytes_max = std::size_t{2} << 20};

}  // namespace kms::net
