#include "crypto/transcript.h"

#include "base/assert.h"

namespace kms::crypto {
namespace {

template <std::size_t N>
ByteArray<N> big_endian(std::uint64_t value) {
  ByteArray<N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * (N - 1 - i)));
  return out;
}

}  // namespace

Transcript& Transcript::bytes(ByteView item) {
  KMS_ASSERT(item.size() <= 0xffffffff);
  hash_.update(big_endian<4>(item.size())).update(item);
  return *this;
}

Transcript& Transcript::u8(std::uint8_t value) {
  return bytes(big_endian<1>(value));
}

Transcript& Transcript::u16(std::uint16_t value) {
  return bytes(big_endian<2>(value));
}

Transcript& Transcript::u32(std::uint32_t value) {
  return bytes(big_endian<4>(value));
}

Transcript& Transcript::u64(std::uint64_t value) {
  return bytes(big_endian<8>(value));
}

Transcript& Transcript::point(const Point& value) {
  return bytes(value.bytes());
}

Transcript& Transcript::element(const Element& value) {
  return bytes(value.bytes());
}

Transcript& Transcript::scalar(const Scalar& value) {
  return bytes(value.bytes());
}

Hash32 Transcript::hash() {
  return hash_.finish();
}

Scalar Transcript::scalar_hash() {
  return Scalar::reduce(hash_.finish());
}

SecretScalar Transcript::secret_scalar() {
  return SecretScalar::reduce(hash_.finish());
}

}  // namespace kms::crypto
