// Multihashes as far as PeerIds need them: identity (the bytes themselves) and sha2-256.
#pragma once

#include "base/bytes.h"

namespace kms::net {

inline constexpr std::size_t kIdentityDigestMax = 42;  // longer keys are hashed (libp2p peer-ids)

struct MultihashView {
  enum class Code : std::uint8_t { identity = 0x00, sha2_256 = 0x12 };
  Code code = Code::identity;
  ByteView digest;  // into the parsed bytes
};

// Exactly one multihash: known code, identity digest of 1 to 42 bytes or sha2-256 digest of 32, nothing behind it.
Result<MultihashView> parse_multihash(ByteView bytes);
// The multihash that libp2p names a key by: identity up to 42 bytes, else sha2-256.
Bytes multihash_of(ByteView encoded_key);

}  // namespace kms::net
