#include "net/base32.h"

namespace kms::net {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";

}  // namespace

std::string encode_base32(ByteView bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xfffu;  // never more than 4 bits are left over
    for (count += 8; count >= 5; count -= 5) text.push_back(kAlphabet[bits >> (count - 5) & 31u]);
  }
  if (count > 0) text.push_back(kAlphabet[bits << (5 - count) & 31u]);
  return text;
}

Result<Bytes> decode_base32(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) return error("not a base32 character at position " + std::to_string(i));
    bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xfffu;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  if (count >= 5) return error("base32 text of an impossible length: " + std::to_string(text.size()));
  if ((bits & ((1u << count) - 1u)) != 0) return error("base32 text with set bits behind its last byte");
  return bytes;
}

}  // namespace kms::net
