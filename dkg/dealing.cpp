#include "dkg/dealing.h"

#include "base/assert.h"
#include "dkg/break.h"
#include "dkg/derive.h"

namespace kms::dkg {
namespace {

using crypto::Element;
using crypto::Point;
using crypto::Scalar;
using crypto::SecretScalar;
using crypto::Transcript;

Element times(Base base, const SecretScalar& scalar) {
  return base == Base::g ? crypto::multiply_generator(scalar) : crypto::multiply(scalar, Point::second_generator());
}

Element times(Base base, const Scalar& scalar) {
  return base == Base::g ? crypto::multiply_generator(scalar) : crypto::multiply(scalar, Point::second_generator());
}

// z J - c X.
Element commitment_of(Base base, const Scalar& z, const Scalar& c, const Point& x) {
  if (base == Base::g) return crypto::multiply_add(z, -c, x);
  return times(base, z) + crypto::multiply(-c, x);
}

struct Pair {
  Position dealer;
  Position receiver;
};

Transcript pad_transcript(const DealTerms& terms, std::uint32_t kappa, Pair pair, const Point& ephemeral) {
  Transcript out("KMS1/pad");
  out.id(terms.sid).u32(kappa).u16(pair.dealer).u16(pair.receiver).point(ephemeral);
  out.point(*terms.prekeys[pair.receiver - 1u]);
  return out;
}

// The AND-proof's challenge.
Scalar challenge_of(const Hash32& core, Base base, const Deal& deal, const std::vector<Element>& constants,
                    const Element& ephemeral) {
  Transcript out("KMS1/dealpok");
  out.bytes(core).point(generator_of(base));
  for (const DealKey& key : deal.keys) out.point(key.commitments[0]);
  out.point(deal.ephemeral);
  for (const Element& constant : constants) out.element(constant);
  return out.element(ephemeral).scalar_hash();
}

// alpha_kappa for kappa >= 1, beta for 0.
SecretScalar proof_nonce(const crypto::Secret<32>& seed, const Sid& sid, const Hash32& core, std::uint32_t index,
                         const SecretScalar& secret) {
  return derive("KMS1/dealnonce", [&](Transcript& out) {
    out.secret(seed.expose()).id(sid).bytes(core).u32(index).secret(secret.expose());
  });
}

void prove(Deal& deal, const DealTerms& terms, const crypto::Secret<32>& seed,
           const std::vector<crypto::SecretPolynomial>& polynomials, const SecretScalar& ephemeral) {
  Hash32 core = deal.core();
  std::vector<SecretScalar> nonces;
  std::vector<Element> constants;
  for (std::size_t k = 0; k < polynomials.size(); ++k) {
    nonces.push_back(
        proof_nonce(seed, terms.sid, core, static_cast<std::uint32_t>(k + 1), polynomials[k].coefficient(0)));
    constants.push_back(times(terms.base, nonces.back()));
  }
  SecretScalar beta = proof_nonce(seed, terms.sid, core, 0, ephemeral);
  deal.challenge = challenge_of(core, terms.base, deal, constants, crypto::multiply_generator(beta));
  KMS_ASSERT(!deal.challenge.is_zero());
  for (std::size_t k = 0; k < polynomials.size(); ++k) {
    deal.responses.push_back((nonces[k] + polynomials[k].coefficient(0) * deal.challenge).publish());
  }
  deal.ephemeral_response = (beta + ephemeral * deal.challenge).publish();
}

crypto::SecretPolynomial polynomial_of(const DealTerms& terms, Position dealer, std::uint32_t kappa,
                                       const crypto::Secret<32>& seed, const SecretScalar* share) {
  std::vector<SecretScalar> coefficients;
  SecretScalar none;
  const SecretScalar& bound = share ? *share : none;
  for (std::uint16_t k = 0; k < terms.receivers.t(); ++k) {
    if (k == 0 && share) {
      coefficients.push_back(share->clone());
      continue;
    }
    coefficients.push_back(derive("KMS1/coef", [&](Transcript& out) {
      out.secret(seed.expose()).id(terms.sid).u16(dealer).u32(kappa).u16(k).secret(bound.expose());
    }));
  }
  return crypto::SecretPolynomial(std::move(coefficients));
}

Element committed_share(const DealKey& key, Position receiver) {
  std::vector<Element> commitments(key.commitments.begin(), key.commitments.end());
  return crypto::evaluate_commitments(commitments, receiver);
}

Result<void> check_shape(const DealTerms& terms, const Deal& deal) {
  if (deal.sid != terms.sid) return error("the Deal is for another sid");
  if (deal.dealer < 1 || deal.dealer > terms.dealers) {
    return error("position " + std::to_string(deal.dealer) + " is no dealer");
  }
  if (deal.keys.size() != terms.keys || deal.responses.size() != terms.keys) {
    return error("the Deal has " + std::to_string(deal.keys.size()) + " keys, not " + std::to_string(terms.keys));
  }
  for (const DealKey& key : deal.keys) {
    if (key.commitments.size() != terms.receivers.t()) {
      return error("the Deal commits to " + std::to_string(key.commitments.size()) + " coefficients, not " +
                   std::to_string(terms.receivers.t()));
    }
    if (key.ciphertexts.size() != terms.receivers.n()) {
      return error("the Deal has " + std::to_string(key.ciphertexts.size()) + " ciphertexts, not " +
                   std::to_string(terms.receivers.n()));
    }
    for (std::size_t i = 0; i < key.ciphertexts.size(); ++i) {
      if (!terms.prekeys[i] && !key.ciphertexts[i].is_zero()) {
        return error("the Deal has a ciphertext for absent position " + std::to_string(i + 1));
      }
    }
  }
  return {};
}

Hash32 complaint_context(const Sid& sid, Position dealer, Position receiver, const DealHash& hash) {
  return Transcript("KMS1/complaint").id(sid).u16(dealer).u16(receiver).id(hash).hash();
}

}  // namespace

DealTerms deal_terms(const CeremonyHeader& header, const Sid& sid, std::vector<std::vector<Element>> old_shares) {
  KMS_ASSERT(header.kind != Kind::import);
  DealTerms out{sid, header.base(), header.keys(), header.threshold, header.members.size(), {}, {}};
  if (header.old) {
    out.dealers = header.old->threshold.n();
    KMS_ASSERT(old_shares.size() == out.keys);
    for (const auto& shares : old_shares) KMS_ASSERT(shares.size() == out.dealers);
  } else {
    KMS_ASSERT(old_shares.empty());
  }
  out.constant = std::move(old_shares);
  for (const HeaderMember& entry : header.members) {
    out.prekeys.push_back(entry.prekey ? std::optional(entry.prekey->key) : std::nullopt);
  }
  return out;
}

crypto::Secret<32> deal_seed(const crypto::Secret<32>& fresh, const crypto::Secret<32>& node_secret, const Sid& sid) {
  return crypto::Secret<32>(Transcript("KMS1/seed").secret(fresh.expose()).secret(node_secret.expose()).id(sid).hash());
}

// PROTOCOL.md 4.2, step by step: polynomials, ephemeral, padded shares, AND-proof.
Deal make_deal(const DealTerms& terms, Position dealer, const crypto::Secret<32>& seed,
               const std::vector<SecretScalar>& shares) {
  KMS_ASSERT(dealer >= 1 && dealer <= terms.dealers);
  KMS_ASSERT(shares.size() == terms.constant.size());
  SecretScalar ephemeral =
      derive("KMS1/eph", [&](Transcript& out) { out.secret(seed.expose()).id(terms.sid).u16(dealer); });
  Deal out{terms.sid, dealer, crypto::multiply_generator(ephemeral).point(), {}, {}, {}, {}};
  std::vector<crypto::SecretPolynomial> polynomials;
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    const SecretScalar* share = shares.empty() ? nullptr : &shares[kappa - 1];
    KMS_ASSERT(!share || !share->is_zero());
    polynomials.push_back(polynomial_of(terms, dealer, kappa, seed, share));
    out.keys.push_back({polynomials.back().commit(generator_of(terms.base)), {}});
    out.keys.back().ciphertexts.resize(terms.receivers.n());
  }
  for (Position i = 1; i <= terms.receivers.n(); ++i) {
    if (!terms.prekeys[i - 1u]) continue;
    crypto::Secret<33> shared = crypto::multiply_secretly(ephemeral, *terms.prekeys[i - 1u]);
    for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
      SecretScalar pad =
          pad_transcript(terms, kappa, {dealer, i}, out.ephemeral).secret(shared.expose()).secret_scalar();
      KMS_ASSERT(!pad.is_zero());
      out.keys[kappa - 1].ciphertexts[i - 1u] = (polynomials[kappa - 1].evaluate(i) + pad).publish();
    }
  }
  prove(out, terms, seed, polynomials, ephemeral);
  return out;
}

Result<void> check_deal(const DealTerms& terms, const Deal& deal) {
  if (auto shape = check_shape(terms, deal); !shape) return shape.error();
  for (std::size_t k = 0; k < terms.constant.size(); ++k) {
    if (Element(deal.keys[k].commitments[0]) != terms.constant[k][deal.dealer - 1u]) {
      return error("the Deal of position " + std::to_string(deal.dealer) + " does not share its old share of key " +
                   std::to_string(k + 1));
    }
  }
  std::vector<Element> constants;
  for (std::size_t k = 0; k < terms.keys; ++k) {
    constants.push_back(commitment_of(terms.base, deal.responses[k], deal.challenge, deal.keys[k].commitments[0]));
    if (constants.back().is_infinity()) return error("the Deal's proof has an infinite commitment");
  }
  Element ephemeral = commitment_of(Base::g, deal.ephemeral_response, deal.challenge, deal.ephemeral);
  if (ephemeral.is_infinity()) return error("the Deal's proof has an infinite commitment");
  Scalar challenge = challenge_of(deal.core(), terms.base, deal, constants, ephemeral);
  if (challenge.is_zero() || challenge != deal.challenge) {
    return error("the Deal's proof of knowledge does not verify");
  }
  return {};
}

std::variant<OwnShares, BadShare> open_shares(const DealTerms& terms, const Deal& deal, Position receiver,
                                              const SecretScalar& secret) {
  KMS_ASSERT(terms.prekeys.at(receiver - 1u).has_value());
  crypto::Secret<33> shared = crypto::multiply_secretly(secret, deal.ephemeral);
  OwnShares out;
  for (std::uint32_t kappa = 1; kappa <= terms.keys; ++kappa) {
    const DealKey& key = deal.keys[kappa - 1];
    SecretScalar pad =
        pad_transcript(terms, kappa, {deal.dealer, receiver}, deal.ephemeral).secret(shared.expose()).secret_scalar();
    SecretScalar share = -pad + key.ciphertexts[receiver - 1u];
    if (times(terms.base, share) != committed_share(key, receiver)) return BadShare{kappa};
    out.push_back(std::move(share));
  }
  return out;
}

Complaint make_complaint(const DealTerms& terms, const Deal& deal, const DealHash& hash, Position receiver,
                         std::uint32_t kappa, const SecretScalar& secret, const Hash32& fresh) {
  Element shared = crypto::multiply(secret, deal.ephemeral);
  Hash32 context = complaint_context(terms.sid, deal.dealer, receiver, hash);
  auto proof = crypto::prove_dleq(secret, deal.ephemeral, fresh, Point::generator(), context);
  KMS_ASSERT(!shared.is_infinity() && proof.has_value());  // a prekey is not zero
  return {terms.sid, deal.dealer, receiver, hash, kappa, shared.point(), *proof};
}

ComplaintVerdict judge(const DealTerms& terms, const Deal& deal, const DealHash& hash, const Complaint& complaint) {
  bool about_this = complaint.sid == terms.sid && complaint.dealer == deal.dealer && complaint.deal == hash;
  bool by_receiver = complaint.receiver >= 1 && complaint.receiver <= terms.receivers.n() &&
                     terms.prekeys[complaint.receiver - 1u].has_value();
  if (!about_this || !by_receiver) return ComplaintVerdict::irrelevant;
  if (is_broken("complaints")) return ComplaintVerdict::convicts_dealer;
  if (complaint.kappa < 1 || complaint.kappa > terms.keys) return ComplaintVerdict::convicts_receiver;
  const Point& prekey = *terms.prekeys[complaint.receiver - 1u];
  Hash32 context = complaint_context(terms.sid, deal.dealer, complaint.receiver, hash);
  if (!crypto::verify_dleq(prekey, deal.ephemeral, complaint.shared, complaint.proof, Point::generator(), context)) {
    return ComplaintVerdict::convicts_receiver;
  }
  Scalar pad = pad_transcript(terms, complaint.kappa, {deal.dealer, complaint.receiver}, deal.ephemeral)
                   .point(complaint.shared)
                   .scalar_hash();
  const DealKey& key = deal.keys[complaint.kappa - 1];
  Scalar share = key.ciphertexts[complaint.receiver - 1u] - pad;
  bool fits = times(terms.base, share) == committed_share(key, complaint.receiver);
  return fits ? ComplaintVerdict::convicts_receiver : ComplaintVerdict::convicts_dealer;
}

}  // namespace kms::dkg
