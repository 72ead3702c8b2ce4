#include "node/delegation/authorisation.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/eip712.h"
#include "crypto/transcript.h"

namespace kms::delegation {
namespace {

std::size_t hex_digits(std::string_view text) {
  return text.starts_with("0x") ? text.size() - 2 : text.size();
}

AuthorisationError unauthorised(std::string message) {
  return {AuthorisationFault::unauthorised, std::move(message)};
}

boost::system::result<crypto::Point, AuthorisationError> parse_ephemeral(std::string_view text) {
  auto bad = [](std::string why) { return AuthorisationError{AuthorisationFault::bad_point, std::move(why)}; };
  if (hex_digits(text) != 66) {
    return bad("ephemeralPubKey must be 66 hex digits (a compressed point), got " + std::to_string(hex_digits(text)));
  }
  auto bytes = parse_hex(text);
  if (!bytes) return bad("ephemeralPubKey: " + bytes.error().message);
  auto point = crypto::Point::parse(*bytes);
  if (!point) return bad("ephemeralPubKey: " + point.error().message);
  return *point;
}

}  // namespace

void throw_exception_from_error(const AuthorisationError& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

boost::system::result<Authorised, AuthorisationError> check(const V0Authorisation& authorisation,
                                                            const std::vector<crypto::Address>& allowed) {
  auto signature = crypto::RecoverableSignature::parse_ethereum(authorisation.signature);
  if (!signature) return unauthorised(signature.error().message);
  Hash32 digest = crypto::delegate_authorization_digest(authorisation.chain_id, authorisation.ephemeral_pub_key,
                                                        authorisation.target_pub_key);
  auto signer = crypto::recover(*signature, digest);
  if (!signer) return unauthorised("the signature recovers to no key");
  crypto::Address requester = crypto::address_of(*signer);
  if (std::find(allowed.begin(), allowed.end(), requester) == allowed.end()) {
    return unauthorised("signer " + requester.hex() + " is not the gateway of chain " +
                        std::to_string(authorisation.chain_id));
  }

  auto ephemeral = parse_ephemeral(authorisation.ephemeral_pub_key);
  if (!ephemeral) return ephemeral.error();

  auto bad_target = [](std::string why) { return AuthorisationError{AuthorisationFault::bad_target, std::move(why)}; };
  std::size_t digits = hex_digits(authorisation.target_pub_key);
  if (digits < 512 || authorisation.target_pub_key.size() > kKeyStringBytesMax) {
    return bad_target("targetPubKey must be an RSA SPKI of 2048 to 4096 bits, got " + std::to_string(digits) +
                      " hex digits");
  }
  auto spki = parse_hex(authorisation.target_pub_key);
  if (!spki) return bad_target("targetPubKey: " + spki.error().message);
  auto target = crypto::RsaPublicKey::parse_spki(*spki);
  if (!target) return bad_target("targetPubKey: " + target.error().message);
  return Authorised{*ephemeral, std::move(*target), crypto::sha256(*spki), requester, digest};
}

}  // namespace kms::delegation
