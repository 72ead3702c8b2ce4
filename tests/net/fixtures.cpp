#include "fixtures.h"

#include <fstream>
#include <sstream>

#include <openssl/sha.h>

#include "base/assert.h"

namespace kms::net {

namespace {

boost::json::value vectors_of(const char* name) {
  std::ifstream file(std::string(KMS_SOURCE_DIR "/tests/vectors/") + name);
  std::stringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str());
}

}  // namespace

const boost::json::object& vectors() {
  static const boost::json::value value = vectors_of("libp2p.json");
  return value.as_object();
}

const boost::json::object& published_vectors() {
  static const boost::json::value value = vectors_of("libp2p_published.json");
  return value.as_object();
}

Bytes unhex(std::string_view digits) {
  return parse_hex(digits).value();
}

Bytes hex_field(const boost::json::value& object, std::string_view name) {
  return unhex(object.as_object().at(name).as_string());
}

std::string text_field(const boost::json::value& object, std::string_view name) {
  return std::string(object.as_object().at(name).as_string());
}

Hash32 sha256(ByteView bytes) {
  Hash32 digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

Identity identity_named(std::string_view name) {
  return Identity::from_secp256k1(sha256(as_bytes(name))).value();
}

void FixedEntropy::fill(MutableByteView out) {
  KMS_ASSERT(bytes_.size() - used_ >= out.size());
  std::memcpy(out.data(), bytes_.data() + used_, out.size());
  used_ += out.size();
}

void SeededEntropy::fill(MutableByteView out) {
  for (std::uint8_t& byte : out) {
    Bytes input;
    for (std::uint64_t word : {seed_, counter_++}) {
      for (unsigned shift = 0; shift < 64; shift += 8) input.push_back(static_cast<std::uint8_t>(word >> shift));
    }
    byte = sha256(input)[0];
  }
}

}  // namespace kms::net
