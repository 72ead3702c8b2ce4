// A KMS of one local key, for tests of the requester's side: it does what POST /v0/delegate promises and no more.
#pragma once

#include <boost/json/object.hpp>

#include "crypto/rsa_oaep.h"
#include "sdk/delegation.h"
#include "sdk/json_text.h"

namespace kms::tests {

struct LocalKms {
  crypto::SecretScalar key;     // d
  crypto::SecretScalar wallet;  // signs answers
  crypto::Address gateway;

  crypto::Point public_key() const { return crypto::multiply_generator(key).point(); }
  crypto::Address signer() const { return crypto::address_of(crypto::multiply_generator(wallet).point()); }

  // The body of a 200, or an error.
  Result<boost::json::object> delegate(std::uint64_t chain_id, const Hash32& salt, std::string_view authorization,
                                       std::string_view body, Entropy& entropy) const {
    auto json = sdk::parse_object(body, 16384, "body");
    if (!json) return json.error();
    const auto* ephemeral = sdk::text_in(*json, "ephemeralPubKey");
    const auto* target = sdk::text_in(*json, "targetPubKey");
    if (ephemeral == nullptr || target == nullptr || !authorization.starts_with("Bearer 0x")) return error("shape");
    auto signature = crypto::RecoverableSignature::parse(*parse_hex(authorization.substr(7)));
    auto signer = crypto::recover(*signature, crypto::delegate_authorization_digest(chain_id, *ephemeral, *target));
    if (!signer || crypto::address_of(*signer) != gateway) return error("Unauthorized");
    auto point = crypto::Point::parse(*parse_hex(*ephemeral));
    auto rsa = crypto::RsaPublicKey::parse_spki(*parse_hex(*target));
    if (!point || !rsa) return error("keys");
    auto shared = crypto::ecdh_x(key, *point);
    const std::string secret = to_0x(*rsa->encrypt_oaep(shared.expose(), {}, entropy));
    const Hash32 digest = crypto::delegate_response_digest(chain_id, salt, secret);
    return boost::json::object{{"encryptedSharedSecret", secret},
                               {"proof", to_0x(crypto::sign_recoverable(wallet, digest).bytes)}};
  }
};

}  // namespace kms::tests
