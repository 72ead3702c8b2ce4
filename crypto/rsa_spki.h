// SubjectPublicKeyInfo of RSA keys, canonical DER only. Hand-written because OpenSSL's generic decoder costs several
// times the encryption that follows it (kms-bench primitives measures both).
#pragma once

#include "base/bytes.h"

namespace kms::crypto {

// Views into the DER that was parsed.
struct RsaNumbers {
  ByteView modulus;            // 256..512 bytes, first byte not zero, odd, 2048..4096 bits
  std::uint64_t exponent = 0;  // odd, from 65537
};

// Refuses: non-minimal lengths and integers, negative numbers, trailing bytes at any level, other algorithms,
// parameters other than NULL, and numbers outside the bounds of RsaNumbers.
Result<RsaNumbers> parse_rsa_spki(ByteView der);

}  // namespace kms::crypto
