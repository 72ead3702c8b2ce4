// A text encrypted to a network's key, as JSON that travels from the encrypting to the asking and the reading side:
//   {"ephemeralPubKey":"0x02..","nonce":"0x..","ciphertext":"0x..","chainId":31337,"publicKey":"0x02.."}
// "ciphertext" is ciphertext || tag; "chainId" is absent where the encrypting side did not know it.
#pragma once

#include <optional>

#include <boost/json/object.hpp>

#include "crypto/ecies.h"

namespace kms::sdk {

inline constexpr std::size_t kPlaintextBytesMax = 1024 * 1024;

struct Ciphertext {
  crypto::EciesCiphertext sealed;
  std::optional<std::uint64_t> chain_id;
  crypto::Point public_key;
};

Result<Ciphertext> encrypt(const crypto::Point& public_key, std::optional<std::uint64_t> chain_id, ByteView plaintext,
                           Entropy& entropy);
boost::json::object to_json(const Ciphertext& ciphertext);
Result<Ciphertext> ciphertext_from(const boost::json::object& json);

}  // namespace kms::sdk
