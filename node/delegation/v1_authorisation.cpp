#include "node/delegation/v1_authorisation.h"

#include <algorithm>

#include "crypto/eip712.h"
#include "crypto/reencryption.h"
#include "crypto/transcript.h"

namespace kms::delegation {
namespace {

constexpr std::uint8_t kTargetIsRsa = 1;
constexpr std::uint8_t kTargetIsPoint = 2;

std::uint8_t target_kind(Form form) {
  return form == Form::c ? kTargetIsPoint : kTargetIsRsa;
}

AuthorisationError refused(AuthorisationFault fault, std::string why) {
  return {fault, std::move(why)};
}

// With a known relation between P and one of these, U and W would say more than s*K.
bool is_related(const crypto::Point& recipient, const crypto::Point& ephemeral, const ServingKey& key) {
  const auto is = [&](const crypto::Point& other) { return crypto::is_plus_or_minus(recipient, other); };
  if (is(crypto::Point::generator()) || is(ephemeral) || is(key.table.public_key)) return true;
  for (Position i = 1; i <= key.members.size(); ++i) {
    const crypto::Element& share = key.table.share(i);
    if (!share.is_infinity() && is(share.point())) return true;
  }
  return false;
}

using V1Target = std::variant<crypto::Point, crypto::RsaPublicKey>;

boost::system::result<V1Target, AuthorisationError> parse_target(const V1Authorisation& authorisation,
                                                                 const crypto::Point& ephemeral,
                                                                 const ServingKey& key) {
  const auto bad = [](std::string why) { return refused(AuthorisationFault::bad_target, "target: " + std::move(why)); };
  if (authorisation.form != Form::c) {
    auto target = crypto::RsaPublicKey::parse_spki(authorisation.target);
    if (!target) return bad(target.error().message);
    return V1Target(std::move(*target));
  }
  auto target = crypto::Point::parse(authorisation.target);
  if (!target) return bad(target.error().message);
  if (is_related(*target, ephemeral, key))
    return bad("P must not be G, K, the public key or a member's share, up to sign");
  return V1Target(*target);
}

}  // namespace

char letter_of(Form form) {
  return static_cast<char>('A' + static_cast<int>(form) - 1);
}

boost::system::result<V1Authorised, AuthorisationError> check(const V1Authorisation& authorisation,
                                                              const ServingKey& key,
                                                              const std::vector<crypto::Address>& allowed) {
  const V1Authorisation& a = authorisation;
  auto signature = crypto::RecoverableSignature::parse_ethereum(a.signature);
  if (!signature) return refused(AuthorisationFault::unauthorised, signature.error().message);
  const Bytes target_name = a.form == Form::c ? a.target : to_bytes(crypto::sha256(a.target));
  const Hash32 digest = crypto::delegation_authorization_digest(
      key.chain_id, {key.network.bytes, key.key.bytes, static_cast<std::uint8_t>(a.form), a.entry, a.ephemeral,
                     target_kind(a.form), target_name, a.nonce, a.deadline});
  auto signer = crypto::recover(*signature, digest);
  if (!signer) return refused(AuthorisationFault::unauthorised, "the signature recovers to no key");
  const crypto::Address requester = crypto::address_of(*signer);
  if (std::find(allowed.begin(), allowed.end(), requester) == allowed.end()) {
    return refused(AuthorisationFault::unauthorised, "signer " + requester.hex() + " is not a gateway of chain " +
                                                         std::to_string(key.chain_id) +
                                                         "; or something else was signed than what is asked");
  }
  auto ephemeral = crypto::Point::parse(a.ephemeral);
  if (!ephemeral) return refused(AuthorisationFault::bad_point, "ephemeralPubKey: " + ephemeral.error().message);
  auto target = parse_target(a, *ephemeral, key);
  if (!target) return target.error();
  const Hash32 rh = request_hash(key, {a.form, *ephemeral, target_name, requester, digest, a.nonce, a.deadline});
  return V1Authorised{*ephemeral, std::move(*target), {requester, a.nonce, rh, a.deadline}};
}

Hash32 request_hash(const ServingKey& key, const RequestTerms& terms) {
  crypto::Transcript transcript("KMS1/req");
  transcript.id(key.network).id(key.key).u8(static_cast<std::uint8_t>(terms.form)).point(terms.ephemeral);
  transcript.u8(target_kind(terms.form)).bytes(terms.target).bytes(terms.requester.bytes).bytes(terms.auth_digest);
  transcript.bytes(terms.nonce).u64(terms.deadline);
  return transcript.hash();
}

}  // namespace kms::delegation
