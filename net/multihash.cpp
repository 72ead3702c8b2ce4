#include "net/multihash.h"

#include <openssl/sha.h>

namespace kms::net {

Result<MultihashView> parse_multihash(ByteView bytes) {
  if (bytes.size() < 2) return error("multihash of " + std::to_string(bytes.size()) + " bytes");
  MultihashView hash;
  // Both codes and every digest length allowed are one-byte varints.
  switch (bytes[0]) {
    case 0x00:
      hash.code = MultihashView::Code::identity;
      break;
    case 0x12:
      hash.code = MultihashView::Code::sha2_256;
      break;
    default:
      return error("multihash of code " + std::to_string(bytes[0]) + "; only identity (0) and sha2-256 (18) name keys");
  }
  hash.digest = bytes.subspan(2);
  if (bytes[1] != hash.digest.size()) {
    return error("multihash announces a digest of " + std::to_string(bytes[1]) + " bytes and holds " +
                 std::to_string(hash.digest.size()));
  }
  bool fits = hash.code == MultihashView::Code::sha2_256
                  ? hash.digest.size() == 32
                  : !hash.digest.empty() && hash.digest.size() <= kIdentityDigestMax;
  if (!fits) return error("multihash with a digest of " + std::to_string(hash.digest.size()) + " bytes");
  return hash;
}

Bytes multihash_of(ByteView encoded_key) {
  Bytes out;
  if (encoded_key.size() <= kIdentityDigestMax) {
    out = {0x00, static_cast<std::uint8_t>(encoded_key.size())};
    append(out, encoded_key);
    return out;
  }
  Hash32 digest;
  SHA256(encoded_key.data(), encoded_key.size(), digest.data());
  out = {0x12, 0x20};
  append(out, digest);
  return out;
}

}  // namespace kms::net
