#include "dkg/repair_parts.h"

#include "base/assert.h"
#include "dkg/derive.h"

namespace kms::dkg {
namespace {

using crypto::Element;
using crypto::Point;
using crypto::Scalar;
using crypto::SecretScalar;
using crypto::Transcript;

crypto::Statement target_statement(const RepairRequest& request, const NetworkId& network) {
  return {"KMS1/repairpok", [&request, network](Transcript& out) {
            out.id(network).id(request.key_set).u32(request.epoch).id(request.transcript).u16(request.index);
            out.bytes(request.nonce).point(request.target);
          }};
}

crypto::Statement delta_statement(const RepairDelta& delta) {
  return {"KMS1/deltapok", [&delta](Transcript& out) {
            out.id(delta.rid).u16(delta.giver).point(delta.ephemeral);
            for (const DealKey& key : delta.keys) {
              out.count(key.commitments.size());
              for (const Point& point : key.commitments) out.point(point);
              out.count(key.ciphertexts.size());
              for (const Scalar& scalar : key.ciphertexts) out.scalar(scalar);
            }
          }};
}

crypto::Statement sigma_statement(const RepairSigma& sigma, const Point& target) {
  return {"KMS1/sigmapok", [&sigma, &target](Transcript& out) {
            out.id(sigma.rid).u16(sigma.giver).point(sigma.ephemeral).count(sigma.deltas.size());
            for (const DeltaHash& delta : sigma.deltas) out.id(delta);
            out.count(sigma.ciphertexts.size());
            for (const Scalar& scalar : sigma.ciphertexts) out.scalar(scalar);
            out.point(target);
          }};
}

Transcript delta_pad(const RepairTerms& terms, std::uint32_t kappa, Position from, std::size_t to, const Point& eph) {
  const RepairGiver& giver = terms.request.givers[to];
  Transcript out("KMS1/deltapad");
  out.id(terms.rid).u32(kappa).u16(from).u16(giver.position).point(eph).point(giver.key);
  return out;
}

Transcript sigma_pad(const RepairTerms& terms, std::uint32_t kappa, const RepairSigma& sigma) {
  Transcript out("KMS1/sigmapad");
  out.id(terms.rid).u32(kappa).u16(sigma.giver).point(sigma.ephemeral).point(terms.request.target);
  return out;
}

std::vector<Position> positions_of(const RepairRequest& request) {
  std::vector<Position> out;
  for (const RepairGiver& giver : request.givers) out.push_back(giver.position);
  return out;
}

Scalar weight_of(const RepairRequest& request, std::size_t place) {
  return crypto::lagrange_coefficients(positions_of(request), request.index)[place];
}

Element column(const std::vector<const RepairDelta*>& deltas, std::size_t key, std::size_t place) {
  std::vector<Element> terms;
  for (const auto* delta : deltas) terms.emplace_back(delta->keys[key].commitments[place]);
  return crypto::sum(terms);
}

Hash32 delta_context(const RepairDelta& delta, Position accuser) {
  return Transcript("KMS1/deltacomplaint").id(delta.rid).u16(delta.giver).u16(accuser).id(delta.hash()).hash();
}

Hash32 sigma_context(const RepairSigma& sigma) {
  return Transcript("KMS1/sigmacomplaint").id(sigma.rid).u16(sigma.giver).id(sigma.hash()).hash();
}

}  // namespace

void prove_target(RepairRequest& request, const NetworkId& network, const SecretScalar& secret, Entropy& entropy) {
  request.pok = crypto::prove_schnorr(secret, target_statement(request, network), entropy);
}

bool verify_target(const RepairRequest& request, const NetworkId& network) {
  return crypto::verify_schnorr(request.target, target_statement(request, network), request.pok);
}

crypto::Secret<32> repair_seed(const crypto::Secret<32>& fresh, const crypto::Secret<32>& node_secret, const Rid& rid) {
  return crypto::Secret<32>(Transcript("KMS1/seed").secret(fresh.expose()).secret(node_secret.expose()).id(rid).hash());
}

RepairDelta make_delta(const RepairTerms& terms, Position giver, const KeyScalars& shares,
                       const crypto::Secret<32>& seed, Entropy& entropy) {
  const auto place = terms.request.place_of(giver);
  KMS_ASSERT(place && shares.size() == terms.keys);
  const Scalar weight = weight_of(terms.request, *place);
  const std::size_t count = terms.request.givers.size();
  SecretScalar ephemeral =
      derive("KMS1/eph", [&](Transcript& out) { out.secret(seed.expose()).id(terms.rid).u16(giver); });
  RepairDelta out{terms.rid, giver, {}, crypto::multiply_generator(ephemeral).point(), {}};
  std::vector<KeyScalars> parts(terms.keys);
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    const SecretScalar& share = shares[kappa - 1];
    KMS_ASSERT(!share.is_zero());
    SecretScalar rest = share * weight;
    DealKey row;
    for (std::size_t to = 0; to < count; ++to) {
      SecretScalar part = to + 1 == count ? rest.clone() : derive("KMS1/delta", [&](Transcript& in) {
        in.secret(seed.expose()).id(terms.rid).u32(kappa).u16(giver).u16(terms.request.givers[to].position);
        in.secret(share.expose());
      });
      rest = rest - part;
      row.commitments.push_back(crypto::multiply_generator(part).point());
      parts[kappa - 1].push_back(std::move(part));
    }
    row.ciphertexts.resize(count);
    out.keys.push_back(std::move(row));
  }
  for (std::size_t to = 0; to < count; ++to) {
    auto shared = crypto::multiply_secretly(ephemeral, terms.request.givers[to].key);
    for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
      SecretScalar pad = delta_pad(terms, kappa, giver, to, out.ephemeral).secret(shared.expose()).secret_scalar();
      KMS_ASSERT(!pad.is_zero());
      out.keys[kappa - 1].ciphertexts[to] = (parts[kappa - 1][to] + pad).publish();
    }
  }
  out.pok = crypto::prove_schnorr(ephemeral, delta_statement(out), entropy);
  return out;
}

Result<void> check_delta(const RepairTerms& terms, const RepairDelta& delta, const std::vector<KeyTable>& tables) {
  const auto place = terms.request.place_of(delta.giver);
  if (delta.rid != terms.rid || !place) return error("the delta is for another session");
  if (delta.keys.size() != terms.keys || tables.size() != terms.keys) {
    return error("the delta has " + std::to_string(delta.keys.size()) + " keys, not " + std::to_string(terms.keys));
  }
  const std::size_t count = terms.request.givers.size();
  for (const DealKey& key : delta.keys) {
    if (key.commitments.size() != count || key.ciphertexts.size() != count) {
      return error("the delta has " + std::to_string(key.commitments.size()) + " parts, not " + std::to_string(count));
    }
  }
  if (!crypto::verify_schnorr(delta.ephemeral, delta_statement(delta), delta.pok)) {
    return error("the delta's proof of its ephemeral does not verify");
  }
  const Scalar weight = weight_of(terms.request, *place);
  for (std::size_t key = 0; key < terms.keys; ++key) {
    const std::vector<Element> parts(delta.keys[key].commitments.begin(), delta.keys[key].commitments.end());
    if (crypto::sum(parts) != crypto::multiply(weight, tables[key].share(delta.giver))) {
      return error("the parts of key " + std::to_string(key + 1) + " do not add up to the share of position " +
                   std::to_string(delta.giver));
    }
  }
  return {};
}

OpenedParts open_delta(const RepairTerms& terms, const RepairDelta& delta, Position giver, const SecretScalar& secret) {
  const auto place = terms.request.place_of(giver);
  KMS_ASSERT(place.has_value());
  auto shared = crypto::multiply_secretly(secret, delta.ephemeral);
  KeyScalars out;
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    const DealKey& key = delta.keys[kappa - 1];
    SecretScalar pad =
        delta_pad(terms, kappa, delta.giver, *place, delta.ephemeral).secret(shared.expose()).secret_scalar();
    SecretScalar part = -pad + key.ciphertexts[*place];
    if (crypto::multiply_generator(part) != Element(key.commitments[*place])) return BadPart{kappa};
    out.push_back(std::move(part));
  }
  return out;
}

RepairSigma make_sigma(const RepairTerms& terms, Position giver, std::vector<DeltaHash> deltas, const KeyScalars& sums,
                       const crypto::Secret<32>& seed, Entropy& entropy) {
  KMS_ASSERT(sums.size() == terms.keys && deltas.size() == terms.request.givers.size());
  SecretScalar ephemeral =
      derive("KMS1/sigmaeph", [&](Transcript& out) { out.secret(seed.expose()).id(terms.rid).u16(giver); });
  RepairSigma out{terms.rid, giver, crypto::multiply_generator(ephemeral).point(), {}, {}, std::move(deltas)};
  auto shared = crypto::multiply_secretly(ephemeral, terms.request.target);
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    SecretScalar pad = sigma_pad(terms, kappa, out).secret(shared.expose()).secret_scalar();
    KMS_ASSERT(!pad.is_zero());
    out.ciphertexts.push_back((sums[kappa - 1] + pad).publish());
  }
  out.pok = crypto::prove_schnorr(ephemeral, sigma_statement(out, terms.request.target), entropy);
  return out;
}

Result<void> check_sigma(const RepairTerms& terms, const RepairSigma& sigma) {
  if (sigma.rid != terms.rid || !terms.request.place_of(sigma.giver)) {
    return error("the sigma is for another session");
  }
  if (sigma.ciphertexts.size() != terms.keys) {
    return error("the sigma has " + std::to_string(sigma.ciphertexts.size()) + " keys, not " +
                 std::to_string(terms.keys));
  }
  if (sigma.deltas.size() != terms.request.givers.size()) {
    return error("the sigma is a sum of " + std::to_string(sigma.deltas.size()) + " deltas, not " +
                 std::to_string(terms.request.givers.size()));
  }
  if (!crypto::verify_schnorr(sigma.ephemeral, sigma_statement(sigma, terms.request.target), sigma.pok)) {
    return error("the sigma's proof of its ephemeral does not verify");
  }
  return {};
}

OpenedParts open_sigma(const RepairTerms& terms, const RepairSigma& sigma,
                       const std::vector<const RepairDelta*>& deltas, const SecretScalar& secret) {
  const auto place = terms.request.place_of(sigma.giver);
  KMS_ASSERT(place && deltas.size() == sigma.deltas.size());
  auto shared = crypto::multiply_secretly(secret, sigma.ephemeral);
  KeyScalars out;
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    SecretScalar pad = sigma_pad(terms, kappa, sigma).secret(shared.expose()).secret_scalar();
    SecretScalar sum = -pad + sigma.ciphertexts[kappa - 1];
    if (crypto::multiply_generator(sum) != column(deltas, kappa - 1, *place)) return BadPart{kappa};
    out.push_back(std::move(sum));
  }
  return out;
}

KeyScalars sum_parts(const std::vector<KeyScalars>& parts) {
  KMS_ASSERT(!parts.empty());
  KeyScalars out(parts[0].size());
  for (const KeyScalars& part : parts) {
    KMS_ASSERT(part.size() == out.size());
    for (std::size_t key = 0; key < out.size(); ++key) out[key] = out[key] + part[key];
  }
  return out;
}

RepairComplaint complain(const RepairTerms& terms, const RepairDelta& delta, Position accuser, std::uint32_t kappa,
                         const SecretScalar& secret, const Hash32& fresh) {
  Element shared = crypto::multiply(secret, delta.ephemeral);
  auto proof = crypto::prove_dleq(secret, delta.ephemeral, fresh, Point::generator(), delta_context(delta, accuser));
  KMS_ASSERT(proof.has_value());  // a prekey is not zero
  return {RepairFault::delta, terms.rid, delta.giver, accuser, delta.hash().bytes, kappa, shared.point(), *proof};
}

RepairComplaint complain(const RepairTerms& terms, const RepairSigma& sigma, std::uint32_t kappa,
                         const SecretScalar& secret, const Hash32& fresh) {
  Element shared = crypto::multiply(secret, sigma.ephemeral);
  auto proof = crypto::prove_dleq(secret, sigma.ephemeral, fresh, Point::generator(), sigma_context(sigma));
  KMS_ASSERT(proof.has_value());
  return {RepairFault::sigma, terms.rid, sigma.giver,    terms.request.index,
          sigma.hash().bytes, kappa,     shared.point(), *proof};
}

bool convicts(const RepairTerms& terms, const RepairDelta& delta, const RepairComplaint& complaint) {
  const auto place = terms.request.place_of(complaint.accuser);
  if (!place || complaint.kappa < 1 || complaint.kappa > terms.keys) return false;
  if (!crypto::verify_dleq(terms.request.givers[*place].key, delta.ephemeral, complaint.shared, complaint.proof,
                           Point::generator(), delta_context(delta, complaint.accuser))) {
    return false;
  }
  const Scalar pad =
      delta_pad(terms, complaint.kappa, delta.giver, *place, delta.ephemeral).point(complaint.shared).scalar_hash();
  const DealKey& key = delta.keys[complaint.kappa - 1];
  return crypto::multiply_generator(key.ciphertexts[*place] - pad) != Element(key.commitments[*place]);
}

bool convicts(const RepairTerms& terms, const RepairSigma& sigma, const std::vector<const RepairDelta*>& deltas,
              const RepairComplaint& complaint) {
  const auto place = terms.request.place_of(sigma.giver);
  if (!place || complaint.accuser != terms.request.index || sigma.deltas.size() != deltas.size()) return false;
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    if (deltas[i]->hash() != sigma.deltas[i]) return false;
  }
  if (complaint.kappa < 1 || complaint.kappa > terms.keys) return false;
  if (!crypto::verify_dleq(terms.request.target, sigma.ephemeral, complaint.shared, complaint.proof, Point::generator(),
                           sigma_context(sigma))) {
    return false;
  }
  const Scalar pad = sigma_pad(terms, complaint.kappa, sigma).point(complaint.shared).scalar_hash();
  return crypto::multiply_generator(sigma.ciphertexts[complaint.kappa - 1] - pad) !=
         column(deltas, complaint.kappa - 1, *place);
}

}  // namespace kms::dkg
