#include "crypto/secret_hex.h"

namespace kms::crypto {
namespace {

bool is_blank(std::uint8_t c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Without a table or a branch that depends on the digit, beyond telling whether it is one: 16 for no digit.
std::uint32_t digit_of(std::uint32_t c) {
  const std::uint32_t letter = c | 0x20;
  const std::uint32_t is_digit = static_cast<std::uint32_t>(c - '0' < 10);
  const std::uint32_t is_letter = static_cast<std::uint32_t>(letter - 'a' < 6);
  return is_digit * (c - '0') + is_letter * (letter - 'a' + 10) + (1 - is_digit - is_letter) * 16;
}

std::uint8_t hex_digit(std::uint32_t value) {
  return static_cast<std::uint8_t>(value + '0' + static_cast<std::uint32_t>(value > 9) * ('a' - '0' - 10));
}

}  // namespace

Result<Secret<32>> parse_secret_hex(ByteView text) {
  while (!text.empty() && is_blank(text.front())) text = text.subspan(1);
  while (!text.empty() && is_blank(text.back())) text = text.first(text.size() - 1);
  if (text.size() >= 2 && text[0] == '0' && text[1] == 'x') text = text.subspan(2);
  if (text.size() != 64) {
    return error("expected 64 hex digits, with or without 0x, found " + std::to_string(text.size()) + " characters");
  }
  Secret<32> secret;
  std::uint32_t seen = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const std::uint32_t high = digit_of(text[2 * i]);
    const std::uint32_t low = digit_of(text[2 * i + 1]);
    seen |= high | low;
    secret.expose_mutable()[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if ((seen & 16) != 0) return error("expected 64 hex digits, found another character among them");
  return secret;
}

SecretBytes secret_hex_line(const Secret<32>& secret) {
  SecretBytes line(2 + 64 + 1);
  MutableByteView out = line.expose_mutable();
  out[0] = '0';
  out[1] = 'x';
  for (std::size_t i = 0; i < 32; ++i) {
    out[2 + 2 * i] = hex_digit(secret.expose()[i] >> 4);
    out[3 + 2 * i] = hex_digit(secret.expose()[i] & 15);
  }
  out[66] = '\n';
  return line;
}

}  // namespace kms::crypto
