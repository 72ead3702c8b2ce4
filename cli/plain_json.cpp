#include "cli/plain_json.h"

namespace kms::cli {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// The length of the sequence that starts here, 0 if it is none: RFC 3629, without surrogates and overlong forms.
std::size_t sequence(ByteView at) {
  const std::uint8_t first = at[0];
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : (first & 0xf0) == 0xe0         ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || at.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  if (first == 0xe0 && at[1] < 0xa0) return 0;
  if (first == 0xed && at[1] > 0x9f) return 0;
  if (first == 0xf0 && at[1] < 0x90) return 0;
  if (first == 0xf4 && at[1] > 0x8f) return 0;
  return size;
}

bool is_utf8(ByteView text) {
  while (!text.empty()) {
    const std::size_t size = sequence(text);
    if (size == 0) return false;
    text = text.subspan(size);
  }
  return true;
}

// Writes into a buffer that was sized for the worst case.
struct Writer {
  MutableByteView out;
  std::size_t size = 0;
  void put(std::string_view text) {
    std::memcpy(out.data() + size, text.data(), text.size());
    size += text.size();
  }
  void put_hex(std::uint8_t byte) {
    out[size++] = static_cast<std::uint8_t>(kDigits[byte >> 4]);
    out[size++] = static_cast<std::uint8_t>(kDigits[byte & 15]);
  }
  void put_escaped(std::uint8_t byte) {
    if (byte == '"' || byte == '\\') out[size++] = '\\';
    if (byte >= 0x20 && byte != 0x7f) {
      out[size++] = byte;
    } else {
      put("\\u00");
      put_hex(byte);
    }
  }
};

}  // namespace

crypto::SecretBytes plain_json(ByteView plain) {
  crypto::SecretBytes buffer(6 * plain.size() + 32);
  Writer writer{buffer.expose_mutable()};
  if (is_utf8(plain)) {
    writer.put("{\"text\":\"");
    for (std::uint8_t byte : plain) writer.put_escaped(byte);
  } else {
    writer.put("{\"hex\":\"0x");
    for (std::uint8_t byte : plain) writer.put_hex(byte);
  }
  writer.put("\"}\n");
  return crypto::SecretBytes::copy_of(buffer.expose().first(writer.size));
}

}  // namespace kms::cli
