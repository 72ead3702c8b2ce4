// base58btc: how PeerIds are written. Quadratic, so texts and inputs are short by contract.
#pragma once

#include "base/bytes.h"

namespace kms {

inline constexpr std::size_t kBase58TextMax = 128;

// Leading zero bytes become leading '1's. For at most 96 bytes.
std::string encode_base58(ByteView bytes);
// At most 128 characters of the Bitcoin alphabet; the empty text is the empty string of bytes.
Result<Bytes> decode_base58(std::string_view text);

}  // namespace kms
