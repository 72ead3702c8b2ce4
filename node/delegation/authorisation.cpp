#include "node/delegation/authorisation.h"

#include <algorithm>
#include <deque>
#include <map>
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

struct Target {
  crypto::RsaPublicKey key;
  Hash32 hash{};  // of the SPKI
};
using ParsedTarget = boost::system::result<Target, AuthorisationError>;

ParsedTarget parse_target(const std::string& text) {
  auto bad = [](std::string why) { return AuthorisationError{AuthorisationFault::bad_target, std::move(why)}; };
  std::size_t digits = hex_digits(text);
  if (digits < 512 || text.size() > kKeyStringBytesMax) {
    return bad("targetPubKey must be an RSA SPKI of 2048 to 4096 bits, got " + std::to_string(digits) + " hex digits");
  }
  auto spki = parse_hex(text);
  if (!spki) return bad("targetPubKey: " + spki.error().message);
  auto key = crypto::RsaPublicKey::parse_spki(*spki);
  if (!key) return bad("targetPubKey: " + key.error().message);
  return Target{std::move(*key), crypto::sha256(*spki)};
}

// A requester asks many times with one key, and what encryption needs of it is prepared with it. One of each thread, so
// that jobs share nothing; the oldest of kTargetsMax (3 KB each) makes room.
ParsedTarget parsed_target(const std::string& text) {
  constexpr std::size_t kTargetsMax = 512;
  thread_local std::map<Hash32, Target> known;
  thread_local std::deque<Hash32> order;
  const Hash32 name = crypto::sha256(as_bytes(text));
  if (const auto found = known.find(name); found != known.end()) return found->second;
  auto parsed = parse_target(text);
  if (!parsed) return parsed;
  if (order.size() >= kTargetsMax) {
    known.erase(order.front());
    order.pop_front();
  }
  known.emplace(name, *parsed);
  order.push_back(name);
  return parsed;
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

  auto target = parsed_target(authorisation.target_pub_key);
  if (!target) return target.error();
  return Authorised{*ephemeral, target->key, target->hash, requester, digest};
}

}  // namespace kms::delegation
