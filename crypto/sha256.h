// SHA-256 and HMAC-SHA256 over pieces, for code in crypto/ only: protocol hashes go through Transcript.
#pragma once

#include <initializer_list>

#include "crypto/secret.h"

namespace kms::crypto {

// Of the concatenation. Nothing of the input stays behind in the reused context.
Hash32 sha256_of(std::initializer_list<ByteView> parts);

// RFC 2104; constant time in everything but the lengths.
Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace kms::crypto
