#include "crypto/pem.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace kms::crypto {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END PRIVATE KEY-----";
constexpr std::size_t kFileBytesMax = 16 * 1024;
constexpr std::size_t kLineBytes = 48;  // 64 characters

std::size_t put(MutableByteView out, std::size_t at, std::string_view text) {
  std::memcpy(out.data() + at, text.data(), text.size());
  return at + text.size();
}

// What else a file may hold, for an error that helps.
std::string kind_of(std::string_view text) {
  if (text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != text.npos) {
    return "it is encrypted; decrypt it with: openssl pkey -in FILE -out NEW";
  }
  if (text.find("-----BEGIN RSA PRIVATE KEY-----") != text.npos) {
    return "it is a PKCS#1 key; convert it with: openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW";
  }
  if (text.find("-----BEGIN PUBLIC KEY-----") != text.npos) return "it is a public key; the private key is needed";
  return "it has no \"" + std::string(kBegin) + "\" and is no DER; kmsctl keygen rsa --out FILE makes a key";
}

// Base64 characters of the block, without blanks.
Result<SecretBytes> decode_block(std::string_view block) {
  SecretBytes compact(block.size());
  std::size_t size = 0;
  for (char c : block) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    compact.expose_mutable()[size++] = static_cast<std::uint8_t>(c);
  }
  const ByteView digits = compact.expose().first(size);
  if (size == 0 || size % 4 != 0) return error("its base64 is cut short");
  std::size_t padding = 0;
  while (padding < 2 && digits[size - 1 - padding] == '=') ++padding;
  SecretBytes der(size / 4 * 3);
  const int decoded = EVP_DecodeBlock(der.expose_mutable().data(), digits.data(), static_cast<int>(size));
  if (decoded < 0) return error("its base64 is damaged");
  return SecretBytes::copy_of(der.expose().first(static_cast<std::size_t>(decoded) - padding));
}

}  // namespace

SecretBytes pkcs8_to_pem(ByteView der) {
  KMS_ASSERT(!der.empty() && der.size() <= kFileBytesMax);
  const std::size_t lines = (der.size() + kLineBytes - 1) / kLineBytes;
  const std::size_t digits = (der.size() + 2) / 3 * 4;
  SecretBytes pem(kBegin.size() + 1 + digits + lines + kEnd.size() + 1);
  // EVP_EncodeBlock ends with a zero byte that has no room in the last place.
  SecretBytes line(65);
  MutableByteView out = pem.expose_mutable();
  std::size_t at = put(out, put(out, 0, kBegin), "\n");
  for (std::size_t from = 0; from < der.size(); from += kLineBytes) {
    const std::size_t size = std::min(kLineBytes, der.size() - from);
    const int written = EVP_EncodeBlock(line.expose_mutable().data(), der.data() + from, static_cast<int>(size));
    at = put(out, at, as_text(line.expose().first(static_cast<std::size_t>(written))));
    at = put(out, at, "\n");
  }
  at = put(out, put(out, at, kEnd), "\n");
  KMS_ASSERT(at == pem.size());
  return pem;
}

Result<SecretBytes> pkcs8_in(ByteView file) {
  if (file.size() > kFileBytesMax) return error("it has " + std::to_string(file.size()) + " bytes, a key has fewer");
  // A SEQUENCE of 256 bytes or more, as every RSA key is; a lone 30 would also be the digit 0.
  if (file.size() > 4 && file[0] == 0x30 && file[1] == 0x82) return SecretBytes::copy_of(file);
  const std::string_view text = as_text(file);
  const std::size_t begin = text.find(kBegin);
  if (begin == text.npos) return error(kind_of(text));
  const std::size_t from = begin + kBegin.size();
  const std::size_t end = text.find(kEnd, from);
  if (end == text.npos) return error("it is cut short: \"" + std::string(kEnd) + "\" is missing");
  return decode_block(text.substr(from, end - from));
}

}  // namespace kms::crypto
