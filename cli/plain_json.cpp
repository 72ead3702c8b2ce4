#include "cli/plain_json.h"

#include "base/utf8.h"

namespace kms::cli {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

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
  if (is_utf8(as_text(plain))) {
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
