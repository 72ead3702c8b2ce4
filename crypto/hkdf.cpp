#include "crypto/hkdf.h"

#include <algorithm>

#include "base/assert.h"
#include "crypto/sha256.h"

namespace kms::crypto {

SecretBytes hkdf_sha256(ByteView ikm, ByteView salt, ByteView info, std::size_t size) {
  KMS_ASSERT(size <= 255 * 32);
  // HMAC pads its key with zeros, so an empty salt is already the 32 zero bytes of the RFC.
  const Secret<32> prk = hmac_sha256(salt, {ikm});
  SecretBytes out(size);
  Secret<32> block;
  std::size_t previous = 0;
  std::uint8_t counter = 0;
  for (std::size_t at = 0; at < size; at += 32) {
    ++counter;
    block = hmac_sha256(prk.expose(), {ByteView(block.expose()).first(previous), info, ByteView(&counter, 1)});
    previous = 32;
    std::memcpy(out.expose_mutable().data() + at, block.expose().data(), std::min<std::size_t>(32, size - at));
  }
  return out;
}

}  // namespace kms::crypto
