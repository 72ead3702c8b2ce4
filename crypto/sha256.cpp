// The three calls are deprecated in OpenSSL 3 in favour of EVP, which reaches the same code by a longer way: 100 bytes
// cost 101 ns here, 165 ns with a reused EVP context, 222 ns with a new one and 454 ns with a fetch by name. The state
// is also a value here, so that a tag's prefix is hashed once.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.h"

#include <openssl/crypto.h>

namespace kms::crypto {

Sha256::Sha256() {
  SHA256_Init(&state_);
}

Sha256 Sha256::tagged(std::string_view tag) {
  Hash32 prefix = sha256(as_bytes(tag));
  Sha256 out;
  out.update(prefix).update(prefix);
  return out;
}

Sha256::~Sha256() {
  OPENSSL_cleanse(&state_, sizeof state_);
}

Sha256& Sha256::update(ByteView bytes) {
  SHA256_Update(&state_, bytes.data(), bytes.size());
  return *this;
}

Hash32 Sha256::finish() {
  Hash32 out;
  SHA256_Final(out.data(), &state_);
  return out;
}

Hash32 sha256(ByteView bytes) {
  return Sha256().update(bytes).finish();
}

Hash32 sha256_of(std::initializer_list<ByteView> parts) {
  Sha256 hash;
  for (ByteView part : parts) hash.update(part);
  return hash.finish();
}

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  Secret<64> block;
  if (key.size() > 64) {
    Secret<32> hashed(sha256(key));
    std::memcpy(block.expose_mutable().data(), hashed.expose().data(), 32);
  } else if (!key.empty()) {
    std::memcpy(block.expose_mutable().data(), key.data(), key.size());
  }
  for (auto& byte : block.expose_mutable()) byte ^= 0x36;
  Sha256 inner;
  inner.update(block.expose());
  for (ByteView part : parts) inner.update(part);
  Secret<32> digest(inner.finish());
  for (auto& byte : block.expose_mutable()) byte ^= 0x36 ^ 0x5c;
  return Secret<32>(sha256_of({block.expose(), digest.expose()}));
}

}  // namespace kms::crypto
