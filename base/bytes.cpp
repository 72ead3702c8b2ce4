#include "base/bytes.h"

#include <stdexcept>

namespace kms {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

std::string to_0x(ByteView bytes) {
  return "0x" + to_hex(bytes);
}

Result<Bytes> parse_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return error("odd number of hex digits: " + std::to_string(text.size()));
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_digit(text[i]);
    int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return error("not a hex digit near position " + std::to_string(i));
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

Result<Bytes> parse_hex_exactly(std::string_view text, std::size_t size) {
  std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
  if (digits.size() != size * 2) {
    return error("expected " + std::to_string(size) + " bytes of hex (" + std::to_string(size * 2) + " digits), got " +
                 std::to_string(digits.size()) + " digits");
  }
  return parse_hex(text);  // `digits` may start with a second 0x, which is none
}

}  // namespace kms
