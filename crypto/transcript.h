// Tagged hashes over length-prefixed items (PROTOCOL.md 3): H_tag(x1..xk) = SHA256(SHA256(tag) || SHA256(tag) ||
// lp(x1) || .. || lp(xk)), lp(x) = u32be(len) || x. Everything that is hashed or signed goes through this.
#pragma once

#include "crypto/point.h"
#include "crypto/sha256.h"

namespace kms::crypto {

class Transcript {
 public:
  // `tag` without the quotes: "KMS1/deal".
  explicit Transcript(std::string_view tag) : hash_(Sha256::tagged(tag)) {}
  Transcript(Transcript&&) noexcept = default;
  Transcript& operator=(Transcript&&) noexcept = default;

  Transcript& bytes(ByteView item);  // one item, any length below 2^32
  Transcript& text(std::string_view item) { return bytes(as_bytes(item)); }
  Transcript& u8(std::uint8_t value);
  Transcript& u16(std::uint16_t value);
  Transcript& u32(std::uint32_t value);
  Transcript& u64(std::uint64_t value);
  Transcript& point(const Point& value);      // 33 bytes
  Transcript& element(const Element& value);  // 33 bytes, zeros for infinity
  Transcript& scalar(const Scalar& value);    // 32 bytes
  Transcript& secret(ByteView value) { return bytes(value); }
  Transcript& secret(const SecretScalar& value) { return bytes(value.expose()); }
  template <class Tag>
  Transcript& id(const Id32<Tag>& value) {
    return bytes(value.bytes);
  }
  // A list is its u32 count, then its elements as separate items: call this, then the elements.
  Transcript& count(std::size_t elements) { return u32(static_cast<std::uint32_t>(elements)); }

  // Once each; the object is spent afterwards. The state is wiped, since secrets pass through it.
  Hash32 hash();
  Scalar scalar_hash();  // H2S: int(H) mod q
  SecretScalar secret_scalar();

 private:
  Sha256 hash_;
};

}  // namespace kms::crypto
