// Requests of v1 as a requester signs them, and what a requester makes of the answers.
#pragma once

#include "crypto/dleq.h"
#include "crypto/polynomial.h"
#include "crypto/reencryption.h"
#include "node/delegation/effects.h"
#include "node/delegation/partial.h"
#include "tests/node/delegation/dealt_committee.h"

namespace kms::test {

struct V1Requester {
  explicit V1Requester(Entropy& entropy)
      : ephemeral(crypto::SecretScalar::random(entropy)), secret(crypto::SecretScalar::random(entropy)) {}

  crypto::Point k() const { return crypto::multiply_generator(ephemeral).point(); }
  crypto::Point p() const { return crypto::multiply_generator(secret).point(); }

  crypto::SecretScalar ephemeral;  // K = ephemeral * G
  crypto::SecretScalar secret;     // P = secret * G
};

inline void sign(delegation::V1Authorisation& a, const delegation::ServingKey& key,
                 const crypto::SecretScalar& gateway) {
  const bool is_c = a.form == delegation::Form::c;
  const Bytes target = is_c ? a.target : to_bytes(crypto::sha256(a.target));
  const crypto::DelegationAuthorization signed_fields{key.network.bytes,
                                                      key.key.bytes,
                                                      static_cast<std::uint8_t>(a.form),
                                                      a.entry,
                                                      a.ephemeral,
                                                      static_cast<std::uint8_t>(is_c ? 2 : 1),
                                                      target,
                                                      a.nonce,
                                                      a.deadline};
  a.signature =
      crypto::sign_recoverable(gateway, crypto::delegation_authorization_digest(key.chain_id, signed_fields)).bytes;
}

inline delegation::V1Authorisation v1_request(delegation::Form form, const V1Requester& requester,
                                              const delegation::ServingKey& key, const crypto::SecretScalar& gateway,
                                              std::uint64_t deadline, std::uint8_t nonce = 1) {
  delegation::V1Authorisation out;
  out.form = form;
  out.ephemeral = requester.k().bytes();
  out.target = form == delegation::Form::c ? to_bytes(requester.p().bytes()) : requester_key().public_spki();
  out.nonce[0] = nonce;
  out.deadline = deadline;
  sign(out, key, gateway);
  return out;
}

// x(s*K) from U and W.
inline bool opens(const ByteArray<33>& u, const ByteArray<33>& w, const V1Requester& requester,
                  const crypto::Point& public_key) {
  auto opened = crypto::open_reencryption(*crypto::Point::parse(u), *crypto::Point::parse(w), requester.secret);
  return opened && opened->expose() == crypto::ecdh_x(requester.ephemeral, public_key).expose();
}

// The D_i in a partial of form B, if ciphertext, proof and member's signature are right.
inline std::optional<crypto::Point> open_b(const delegation::PartialB& partial, const V1Requester& requester,
                                           const delegation::ServingKey& key) {
  crypto::Transcript label("KMS1/oaep");
  label.bytes(partial.rh).u32(partial.epoch).id(partial.transcript).u16(partial.index);
  const auto plain = requester_key().decrypt_oaep(partial.ciphertext, label.hash());
  if (!plain || plain->size() != 104) return std::nullopt;
  const ByteView bytes = plain->expose();
  const bool is_headed = bytes[0] == 1 && bytes[1] == 0 && bytes[2] == partial.index && bytes[6] == partial.epoch;
  const auto point = crypto::Point::parse(bytes.subspan(7, 33));
  const auto proof = crypto::DleqProof::parse(bytes.last(64));
  if (!is_headed || !point || !proof) return std::nullopt;
  const Hash32 context = delegation::partial_context(key, partial.index, partial.rh, delegation::Form::b, {}, {});
  const bool is_proven = crypto::verify_dleq(
      {key.table.share(partial.index).point(), requester.k(), *point, crypto::Point::generator(), context}, *proof);
  const bool is_signed = crypto::verify(key.members.at(partial.index).key, partial.signature, partial.signing_digest());
  return is_proven && is_signed ? std::optional(*point) : std::nullopt;
}

// Whether what a client gets gives x(s*K), in form B or C.
inline bool is_right(const delegation::PublicResult& result, const V1Requester& requester) {
  const delegation::ServingKey& key = *result.key;
  if (result.combined) return opens(result.combined->u, result.combined->w, requester, key.table.public_key);
  std::vector<crypto::Position> positions;
  std::vector<crypto::Element> points;
  for (const auto& partial : result.partials) {
    const auto point = open_b(std::get<delegation::PartialB>(partial), requester, key);
    if (!point) return false;
    positions.push_back(delegation::index_of(partial));
    points.emplace_back(*point);
  }
  const crypto::Element sum = crypto::interpolate(positions, points);
  return positions.size() == key.threshold.t() && !sum.is_infinity() &&
         sum.point().x() == crypto::ecdh_x(requester.ephemeral, key.table.public_key).expose();
}

}  // namespace kms::test
