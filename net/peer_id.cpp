#include "net/peer_id.h"

#include "base/assert.h"
#include "base/base58.h"
#include "net/base32.h"

namespace kms::net {
namespace {

constexpr ByteArray<2> kCidPrefix{0x01, 0x72};  // CIDv1, codec libp2p-key

}  // namespace

PeerId PeerId::of(const PublicKey& key) {
  auto peer = parse(multihash_of(key.encoded()));
  KMS_ASSERT(peer);
  return *peer;
}

Result<PeerId> PeerId::parse(ByteView multihash) {
  auto hash = parse_multihash(multihash);
  if (!hash) return error("PeerId: " + hash.error().message);
  PeerId peer;
  std::memcpy(peer.bytes_.data(), multihash.data(), multihash.size());
  peer.size_ = static_cast<std::uint8_t>(multihash.size());
  return peer;
}

Result<PeerId> PeerId::parse_text(std::string_view text) {
  if (text.starts_with("1") || text.starts_with("Qm")) {
    auto bytes = decode_base58(text);
    if (!bytes) return error("PeerId: " + bytes.error().message);
    return parse(*bytes);
  }
  if (!text.starts_with("b") || text.size() > kBase58TextMax) {
    return error("PeerId starts with neither \"1\", \"Qm\" (base58) nor \"b\" (a CID in base32)");
  }
  auto bytes = decode_base32(text.substr(1));
  if (!bytes) return error("PeerId: " + bytes.error().message);
  if (bytes->size() < 2 || !equal(ByteView(*bytes).first(2), kCidPrefix)) {
    return error("PeerId: not a CIDv1 of codec libp2p-key");
  }
  return parse(ByteView(*bytes).subspan(2));
}

std::string PeerId::text() const {
  return encode_base58(bytes());
}

std::string PeerId::cid() const {
  Bytes whole = to_bytes(kCidPrefix);
  append(whole, bytes());
  return "b" + encode_base32(whole);
}

Result<PublicKey> PeerId::public_key() const {
  if (bytes_[0] != static_cast<std::uint8_t>(MultihashView::Code::identity)) {
    return error("PeerId " + text() + " is a hash and holds no key");
  }
  auto key = PublicKey::parse(bytes().subspan(2));
  if (!key) return error("PeerId " + text() + ": " + key.error().message);
  if (!matches(*key)) return error("PeerId " + text() + " holds a key in an encoding that is not its own");
  return key;
}

}  // namespace kms::net
