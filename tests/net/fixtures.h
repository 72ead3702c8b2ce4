// What the tests of net/ share: vectors of js-libp2p and of others, named identities and entropy that repeats.
#pragma once

#include <boost/json.hpp>

#include "base/entropy.h"
#include "net/identity.h"

namespace kms::net {

// tests/vectors/libp2p.json.
const boost::json::object& vectors();
// tests/vectors/libp2p_published.json.
const boost::json::object& published_vectors();
Bytes hex_field(const boost::json::value& object, std::string_view name);
std::string text_field(const boost::json::value& object, std::string_view name);
Bytes unhex(std::string_view digits);

// Identities of the vectors: the secp256k1 key SHA-256(name).
Hash32 sha256(ByteView bytes);
Identity identity_named(std::string_view name);

// Gives out exactly the bytes it was made from, then stops the test.
class FixedEntropy final : public Entropy {
 public:
  explicit FixedEntropy(Bytes bytes) : bytes_(std::move(bytes)) {}
  void fill(MutableByteView out) override;

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

// SHA-256 in counter mode over a seed.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : seed_(seed) {}
  void fill(MutableByteView out) override;

 private:
  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
};

}  // namespace kms::net
