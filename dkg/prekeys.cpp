#include "dkg/prekeys.h"

#include "base/assert.h"

namespace kms::dkg {
namespace {

crypto::Statement pok_statement(const PrekeyScope& scope, const NodeId& node, std::uint32_t number,
                                const crypto::Point& key) {
  return {"KMS1/prekeypok", [&scope, &node, number, &key](crypto::Transcript& out) {
            out.id(scope.network).id(node).u8(static_cast<std::uint8_t>(scope.series)).id(scope.key_set);
            out.u32(scope.epoch).u32(scope.branch).u32(number).point(key);
          }};
}

Hash32 psig_digest(const PrekeyScope& scope, std::uint32_t number, const crypto::Point& key) {
  return crypto::Transcript("KMS1/sig/prekey")
      .u8(static_cast<std::uint8_t>(scope.series))
      .id(scope.key_set)
      .u32(scope.epoch)
      .u32(scope.branch)
      .u32(number)
      .point(key)
      .hash();
}

}  // namespace

SignedPrekey sign_prekey(const crypto::NodeKey& node, const PrekeyScope& scope, std::uint32_t number,
                         const crypto::SecretScalar& secret, Entropy& entropy) {
  KMS_ASSERT(!secret.is_zero());
  crypto::Point key = crypto::multiply_generator(secret).point();
  NodeId id{node.node_id()};
  crypto::SchnorrProof pok = crypto::prove_schnorr(secret, pok_statement(scope, id, number, key), entropy);
  return {key, pok, node.sign(psig_digest(scope, number, key))};
}

PrekeyWindow make_prekeys(const crypto::NodeKey& node, const PrekeyScope& scope, std::uint32_t first,
                          Entropy& entropy) {
  KMS_ASSERT(first % PreKeyAnnounce::kWindow == 0);
  PrekeyWindow out;
  out.announce = {scope.series, scope.key_set, scope.epoch, scope.branch, first, {}};
  for (std::uint32_t i = 0; i < PreKeyAnnounce::kWindow; ++i) {
    out.secrets.push_back(crypto::SecretScalar::random(entropy));
    out.announce.prekeys.push_back(sign_prekey(node, scope, first + i, out.secrets.back(), entropy));
  }
  return out;
}

bool verify_prekey(const SignedPrekey& prekey, const Member& owner, const PrekeyScope& scope, std::uint32_t number) {
  return crypto::verify(owner.key, prekey.psig, psig_digest(scope, number, prekey.key)) &&
         crypto::verify_schnorr(prekey.key, pok_statement(scope, owner.node, number, prekey.key), prekey.pok);
}

Result<void> verify_announce(const PreKeyAnnounce& announce, const Member& owner, const PrekeyScope& scope) {
  if (announce.series != scope.series || announce.key_set != scope.key_set || announce.epoch != scope.epoch ||
      announce.branch != scope.branch) {
    return error("the announcement is for another series, key set, epoch or branch");
  }
  for (std::uint32_t i = 0; i < announce.prekeys.size(); ++i) {
    if (!verify_prekey(announce.prekeys[i], owner, scope, announce.first + i)) {
      return error("prekey " + std::to_string(announce.first + i) + " of node " + owner.node.hex() +
                   " lacks a valid proof or signature");
    }
  }
  return {};
}

}  // namespace kms::dkg
