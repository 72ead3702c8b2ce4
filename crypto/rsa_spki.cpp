#include "crypto/rsa_spki.h"

#include <bit>
#include <optional>

namespace kms::crypto {
namespace {

enum Tag : std::uint8_t { kInteger = 0x02, kBitString = 0x03, kSequence = 0x30 };

// SEQUENCE { OID 1.2.840.113549.1.1.1 rsaEncryption, NULL }: canonical DER has exactly one encoding of it.
constexpr std::uint8_t kRsaEncryption[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                           0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

// Takes the content of the next element off `rest`; nothing if the tag differs, the length is not minimal, or the
// content is cut short. No key within the bounds needs a length beyond 16 bits.
std::optional<ByteView> take(ByteView& rest, Tag tag) {
  if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
  std::size_t length = rest[1];
  std::size_t header = 2;
  if (length == 0x81) {
    if (rest.size() < 3 || rest[2] < 0x80) return std::nullopt;
    length = rest[2];
    header = 3;
  } else if (length == 0x82) {
    if (rest.size() < 4 || rest[2] == 0) return std::nullopt;
    length = static_cast<std::size_t>(rest[2] << 8 | rest[3]);
    header = 4;
  } else if (length >= 0x80) {
    return std::nullopt;
  }
  if (rest.size() - header < length) return std::nullopt;
  const ByteView content = rest.subspan(header, length);
  rest = rest.subspan(header + length);
  return content;
}

// A positive INTEGER without the zero byte that keeps its sign.
std::optional<ByteView> take_positive(ByteView& rest) {
  const auto content = take(rest, kInteger);
  if (!content || content->empty()) return std::nullopt;
  const ByteView bytes = *content;
  if (bytes[0] >= 0x80) return std::nullopt;  // negative
  if (bytes[0] != 0) return bytes;
  if (bytes.size() < 2 || bytes[1] < 0x80) return std::nullopt;  // zero, or padded
  return bytes.subspan(1);
}

Error malformed(const char* what) {
  return error(std::string("RSA public key: ") + what + "; send a DER SubjectPublicKeyInfo as WebCrypto exports it");
}

}  // namespace

Result<RsaNumbers> parse_rsa_spki(ByteView der) {
  const auto outer = take(der, kSequence);
  if (!outer) return malformed("not one canonical DER sequence");
  if (!der.empty()) return malformed("bytes behind the key");
  ByteView rest = *outer;
  if (rest.size() < sizeof kRsaEncryption || !equal(rest.first(sizeof kRsaEncryption), kRsaEncryption)) {
    return malformed("the algorithm is not rsaEncryption with NULL parameters");
  }
  rest = rest.subspan(sizeof kRsaEncryption);
  const auto bits = take(rest, kBitString);
  if (!bits || !rest.empty() || bits->empty() || (*bits)[0] != 0) return malformed("no canonical bit string");
  rest = bits->subspan(1);
  const auto numbers = take(rest, kSequence);
  if (!numbers || !rest.empty()) return malformed("no canonical sequence of modulus and exponent");
  rest = *numbers;
  const auto modulus = take_positive(rest);
  if (!modulus) return malformed("the modulus is not a canonical positive integer");
  const auto exponent = take_positive(rest);
  if (!exponent || !rest.empty()) return malformed("the exponent is not a canonical positive integer");

  const std::size_t modulus_bits = modulus->size() * 8 - static_cast<std::size_t>(std::countl_zero((*modulus)[0]));
  if (modulus_bits < 2048 || modulus_bits > 4096) {
    return error("RSA public key: the modulus has " + std::to_string(modulus_bits) +
                 " bits, 2048 to 4096 are accepted");
  }
  if (modulus->back() % 2 == 0) return error("RSA public key: the modulus is even, so this is no RSA key");
  if (exponent->size() > 8) return error("RSA public key: the exponent has more than 64 bits; use 65537");
  RsaNumbers out{*modulus, 0};
  for (std::uint8_t byte : *exponent) out.exponent = out.exponent << 8 | byte;
  if (out.exponent < 65537 || out.exponent % 2 == 0) {
    return error("RSA public key: the exponent is " + std::to_string(out.exponent) +
                 ", it must be odd and at least 65537");
  }
  return out;
}

}  // namespace kms::crypto
