// PeerId: who somebody is on the network, the multihash of their encoded public key (libp2p peer-ids specification).
#pragma once

#include "net/multihash.h"
#include "net/public_key.h"

namespace kms::net {

// A well-formed multihash of a key: a value of 48 bytes without allocation. Ordered by its bytes.
class PeerId {
 public:
  static constexpr std::size_t kBytesMax = 2 + kIdentityDigestMax;

  static PeerId of(const PublicKey& key);
  // The multihash: identity of up to 42 bytes, or sha2-256. Does not look into an identity digest; `public_key` does.
  static Result<PeerId> parse(ByteView multihash);
  // Both text forms: base58btc ("1..", "Qm..") or a CIDv1 of codec libp2p-key in base32 ("bafz..").
  static Result<PeerId> parse_text(std::string_view text);

  ByteView bytes() const { return ByteView(bytes_).first(size_); }
  std::string text() const;  // base58btc
  std::string cid() const;   // "bafz.."

  // The key inside an identity PeerId. An error for hashed ones, for bytes that are no key, and for a key whose own
  // encoding differs from these bytes.
  Result<PublicKey> public_key() const;
  bool matches(const PublicKey& key) const { return *this == of(key); }

  auto operator<=>(const PeerId&) const = default;

 private:
  PeerId() = default;
  ByteArray<kBytesMax> bytes_{};  // zero beyond size_
  std::uint8_t size_ = 0;
};

}  // namespace kms::net
