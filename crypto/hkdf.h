// HKDF-SHA256 (RFC 5869) and HMAC-SHA256.
#pragma once

#include "crypto/secret.h"

namespace kms::crypto {

// An empty salt is 32 zero bytes, as the RFC says. `size` up to 255 * 32. Constant time.
SecretBytes hkdf_sha256(ByteView ikm, ByteView salt, ByteView info, std::size_t size);

}  // namespace kms::crypto
