#include "crypto/sha256.h"

#include <memory>
#include <span>

#include <openssl/evp.h>

#include "base/assert.h"

namespace kms::crypto {
namespace {

// Fetched once: a fetch by name costs more than hashing a short message.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  KMS_ASSERT(fetched != nullptr);
  return fetched;
}

struct Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() { KMS_ASSERT(md != nullptr && EVP_DigestInit_ex2(md, algorithm(), nullptr) == 1); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_MD_CTX_free(md); }
};

using Parts = std::initializer_list<std::span<const ByteView>>;

void hash(Parts lists, Hash32& out) {
  static thread_local Context context;
  for (std::span<const ByteView> list : lists) {
    for (ByteView part : list) KMS_ASSERT(EVP_DigestUpdate(context.md, part.data(), part.size()) == 1);
  }
  KMS_ASSERT(EVP_DigestFinal_ex(context.md, out.data(), nullptr) == 1);
  // Starting the next hash now overwrites the whole state of this one, its last block included.
  KMS_ASSERT(EVP_DigestInit_ex2(context.md, nullptr, nullptr) == 1);
}

}  // namespace

Hash32 sha256_of(std::initializer_list<ByteView> parts) {
  Hash32 out;
  hash({std::span(parts.begin(), parts.size())}, out);
  return out;
}

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  Secret<64> block;
  if (key.size() <= 64) {
    std::memcpy(block.expose_mutable().data(), key.data(), key.size());
  } else {
    Secret<32> hashed;
    hash({std::span(&key, 1)}, hashed.expose_mutable());
    std::memcpy(block.expose_mutable().data(), hashed.expose().data(), 32);
  }
  Secret<32> inner;
  Secret<32> out;
  for (auto& byte : block.expose_mutable()) byte ^= 0x36;
  const ByteView inner_key = block.expose();
  hash({std::span(&inner_key, 1), std::span(parts.begin(), parts.size())}, inner.expose_mutable());
  for (auto& byte : block.expose_mutable()) byte ^= 0x36 ^ 0x5c;
  const ByteView outer[] = {block.expose(), inner.expose()};
  hash({std::span(outer)}, out.expose_mutable());
  return out;
}

}  // namespace kms::crypto
