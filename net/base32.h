// RFC 4648 base32, lower case, without padding: multibase's "b", in which PeerIds are written as CIDs.
#pragma once

#include "base/bytes.h"

namespace kms::net {

std::string encode_base32(ByteView bytes);
// Upper case, padding, left-over characters and non-zero trailing bits are errors: one text per value.
Result<Bytes> decode_base32(std::string_view text);

}  // namespace kms::net
