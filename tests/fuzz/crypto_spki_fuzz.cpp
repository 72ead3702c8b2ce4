// crypto/: the DER of RSA keys. What parses is the one encoding of its numbers.
#include "crypto/rsa_oaep.h"
#include "crypto/rsa_spki.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;

namespace {

void append_tlv(Bytes& to, std::uint8_t tag, ByteView value) {
  to.push_back(tag);
  if (value.size() >= 0x80) {
    to.push_back(value.size() < 0x100 ? 0x81 : 0x82);
    if (value.size() >= 0x100) to.push_back(static_cast<std::uint8_t>(value.size() >> 8));
  }
  to.push_back(static_cast<std::uint8_t>(value.size()));
  append(to, value);
}

void append_integer(Bytes& to, ByteView magnitude) {
  Bytes value;
  if (magnitude.front() >= 0x80) value.push_back(0);
  append(value, magnitude);
  append_tlv(to, 0x02, value);
}

Bytes spki_of(const crypto::RsaNumbers& numbers) {
  Bytes exponent;
  for (unsigned shift = 64; shift > 0; shift -= 8) {
    auto byte = static_cast<std::uint8_t>(numbers.exponent >> (shift - 8));
    if (byte != 0 || !exponent.empty()) exponent.push_back(byte);
  }
  Bytes integers;
  append_integer(integers, numbers.modulus);
  append_integer(integers, exponent);
  Bytes bits{0};
  append_tlv(bits, 0x30, integers);
  Bytes fields{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
  append_tlv(fields, 0x03, bits);
  Bytes spki;
  append_tlv(spki, 0x30, fields);
  return spki;
}

}  // namespace

KMS_FUZZER(crypto_spki) {
  auto numbers = crypto::parse_rsa_spki(input);
  auto key = crypto::RsaPublicKey::parse_spki(input);
  KMS_ASSERT(numbers.has_value() == key.has_value());
  if (!key) return;
  KMS_ASSERT(numbers->modulus.size() >= 256 && numbers->modulus.size() <= 512 && numbers->exponent >= 65537);
  KMS_ASSERT(key->modulus_bytes() == numbers->modulus.size());
  KMS_ASSERT(equal(spki_of(*numbers), input));
  sim::Random entropy(1);
  auto ciphertext = key->encrypt_oaep(input.first(32), {}, entropy);
  KMS_ASSERT(ciphertext && ciphertext->size() == key->modulus_bytes());
  KMS_ASSERT(!key->encrypt_oaep(input.first(key->modulus_bytes() - 65), {}, entropy));
}
