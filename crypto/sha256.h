// SHA-256 as a value on the stack (no allocation, copyable at any point of a message) and HMAC-SHA256. Protocol hashes
// go through Transcript.
#pragma once

#include <initializer_list>

#include <openssl/sha.h>

#include "crypto/secret.h"

namespace kms::crypto {

class Sha256 {
 public:
  Sha256();
  // BIP-340's tagged hash: starts with SHA256(tag) || SHA256(tag).
  static Sha256 tagged(std::string_view tag);
  Sha256(const Sha256&) = default;
  Sha256& operator=(const Sha256&) = default;
  ~Sha256();  // wiped, since secrets pass through

  Sha256& update(ByteView bytes);
  // Once; the object is spent afterwards.
  Hash32 finish();

 private:
  SHA256_CTX state_;
};

Hash32 sha256(ByteView bytes);
// Of the concatenation.
Hash32 sha256_of(std::initializer_list<ByteView> parts);

// RFC 2104; constant time in everything but the lengths.
Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

}  // namespace kms::crypto
