#include "base/base58.h"

#include "base/assert.h"

namespace kms {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// digits := digits * factor + carry, most significant digit last.
void multiply_add(Bytes& digits, unsigned base, unsigned factor, unsigned carry) {
  for (std::uint8_t& digit : digits) {
    carry += digit * factor;
    digit = static_cast<std::uint8_t>(carry % base);
    carry /= base;
  }
  for (; carry != 0; carry /= base) digits.push_back(static_cast<std::uint8_t>(carry % base));
}

}  // namespace

std::string encode_base58(ByteView bytes) {
  KMS_ASSERT(bytes.size() <= 96);
  Bytes digits;
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  for (std::uint8_t byte : bytes.subspan(zeros)) multiply_add(digits, 58, 256, byte);
  std::string text(zeros, kAlphabet[0]);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) text.push_back(kAlphabet[*digit]);
  return text;
}

Result<Bytes> decode_base58(std::string_view text) {
  if (text.size() > kBase58TextMax) return error("base58 text of " + std::to_string(text.size()) + " characters");
  Bytes digits;
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == kAlphabet[0]) ++zeros;
  for (std::size_t i = zeros; i < text.size(); ++i) {
    std::size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) return error("not a base58 character at position " + std::to_string(i));
    multiply_add(digits, 256, 58, static_cast<unsigned>(value));
  }
  Bytes bytes(zeros, 0);
  bytes.insert(bytes.end(), digits.rbegin(), digits.rend());
  return bytes;
}

}  // namespace kms
