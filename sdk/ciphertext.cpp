#include "sdk/ciphertext.h"

#include "sdk/json_text.h"

namespace kms::sdk {
namespace {

constexpr std::size_t kTagBytes = 16;

Result<Bytes> hex_member(const boost::json::object& json, std::string_view name) {
  const auto* text = text_in(json, name);
  if (text == nullptr)
    return error("the ciphertext has no text \"" + std::string(name) + "\"; kmsctl encrypt writes one");
  auto bytes = parse_hex(*text);
  if (!bytes) return error("the ciphertext's \"" + std::string(name) + "\": " + bytes.error().message);
  return bytes;
}

Result<Bytes> hex_member_of(const boost::json::object& json, std::string_view name, std::size_t size) {
  auto bytes = hex_member(json, name);
  if (bytes && bytes->size() != size) {
    return error("the ciphertext's \"" + std::string(name) + "\" has " + std::to_string(bytes->size()) +
                 " bytes, not " + std::to_string(size));
  }
  return bytes;
}

}  // namespace

Result<Ciphertext> encrypt(const crypto::Point& public_key, std::optional<std::uint64_t> chain_id, ByteView plaintext,
                           Entropy& entropy) {
  if (plaintext.size() > kPlaintextBytesMax) {
    return error("the text has " + std::to_string(plaintext.size()) +
                 " bytes, at most 1048576 are encrypted at once; encrypt the key of a larger file instead");
  }
  return Ciphertext{crypto::ecies_encrypt(public_key, plaintext, entropy), chain_id, public_key};
}

boost::json::object to_json(const Ciphertext& ciphertext) {
  boost::json::object json;
  json["ephemeralPubKey"] = to_0x(ciphertext.sealed.ephemeral);
  json["nonce"] = to_0x(ciphertext.sealed.nonce);
  json["ciphertext"] = to_0x(ciphertext.sealed.sealed);
  if (ciphertext.chain_id) json["chainId"] = *ciphertext.chain_id;
  json["publicKey"] = to_0x(ciphertext.public_key.bytes());
  return json;
}

Result<Ciphertext> ciphertext_from(const boost::json::object& json) {
  auto ephemeral = hex_member_of(json, "ephemeralPubKey", 33);
  if (!ephemeral) return ephemeral.error();
  if (auto point = crypto::Point::parse(*ephemeral); !point) {
    return error("the ciphertext's \"ephemeralPubKey\": " + point.error().message);
  }
  auto nonce = hex_member_of(json, "nonce", 12);
  if (!nonce) return nonce.error();
  auto sealed = hex_member(json, "ciphertext");
  if (!sealed) return sealed.error();
  if (sealed->size() < kTagBytes || sealed->size() > kPlaintextBytesMax + kTagBytes) {
    return error("the ciphertext's \"ciphertext\" has " + std::to_string(sealed->size()) +
                 " bytes, not 16 (an empty text) to 1048592");
  }
  auto key = hex_member_of(json, "publicKey", 33);
  if (!key) return key.error();
  auto public_key = crypto::Point::parse(*key);
  if (!public_key) return error("the ciphertext's \"publicKey\": " + public_key.error().message);
  const auto chain_id = number_in(json, "chainId");
  if (!chain_id && json.contains("chainId")) return error("the ciphertext's \"chainId\" is no number from 0");
  return Ciphertext{{to_array<33>(*ephemeral), to_array<12>(*nonce), std::move(*sealed)}, chain_id, *public_key};
}

}  // namespace kms::sdk
