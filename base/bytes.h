// Byte containers and views that every layer uses, and lower-case hex.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kms {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;
using Hash32 = ByteArray<32>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}
inline void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// The first N bytes of `bytes`, which has at least N.
template <std::size_t N>
ByteArray<N> to_array(ByteView bytes) {
  ByteArray<N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

// Lower-case, without a prefix; never for secrets.
std::string to_hex(ByteView bytes);
// The same with "0x" in front.
std::string to_0x(ByteView bytes);
// Any case, with or without 0x; an odd count of digits or another character is an error that names the place.
Result<Bytes> parse_hex(std::string_view text);
// The same, and exactly N bytes.
Result<Bytes> parse_hex_exactly(std::string_view text, std::size_t size);
template <std::size_t N>
Result<ByteArray<N>> parse_hex_array(std::string_view text) {
  auto bytes = parse_hex_exactly(text, N);
  if (!bytes) return bytes.error();
  return to_array<N>(*bytes);
}

// A 32-byte identifier that cannot be mixed up with one of another kind.
template <class Tag>
struct Id32 {
  Hash32 bytes{};
  ByteView view() const { return bytes; }
  std::string hex() const { return to_0x(bytes); }
  auto operator<=>(const Id32&) const = default;
};

}  // namespace kms
