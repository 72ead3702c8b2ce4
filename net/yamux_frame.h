// The 12-byte frame header of yamux, big endian: version, type, flags (2), stream id (4), length (4).
#pragma once

#include "base/bytes.h"

namespace kms::net::yamux {

enum Type : std::uint8_t { kData = 0, kWindowUpdate = 1, kPing = 2, kGoAway = 3 };
enum Flag : std::uint16_t { kSyn = 1, kAck = 2, kFin = 4, kRst = 8 };

// `length`: payload bytes, window delta, opaque value or code, by type.
void put_header(Bytes& out, Type type, std::uint16_t flags, std::uint32_t stream, std::uint32_t length);

}  // namespace kms::net::yamux
