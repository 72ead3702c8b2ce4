// What a neighbour is to us, decided after Noise from its authenticated PeerId and the member list.
#pragma once

#include <cstdint>

namespace kms::net {

enum class PeerClass : std::uint8_t { committee, registered, light, denied };

}  // namespace kms::net
