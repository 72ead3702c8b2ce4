#include "dkg/shares.h"

#include "base/assert.h"

namespace kms::dkg {

using crypto::Element;
using crypto::Scalar;
using crypto::SecretScalar;

std::vector<Scalar> combination_weights(Kind kind, const DealList& list) {
  if (kind == Kind::dkg) return std::vector<Scalar>(list.size(), Scalar(1));
  std::vector<Position> dealers;
  for (const DealRef& ref : list) dealers.push_back(ref.dealer);
  return crypto::lagrange_coefficients(dealers);
}

std::vector<SecretScalar> combine_shares(const std::vector<Scalar>& weights, const std::vector<OwnShares>& shares) {
  KMS_ASSERT(!shares.empty() && weights.size() == shares.size());
  std::vector<SecretScalar> out(shares[0].size());
  for (std::size_t d = 0; d < shares.size(); ++d) {
    KMS_ASSERT(shares[d].size() == out.size());
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = out[k] + shares[d][k] * weights[d];
  }
  return out;
}

std::vector<Element> combine_commitments(Kind kind, const std::vector<Scalar>& weights,
                                         const std::vector<const Deal*>& deals, std::uint32_t kappa) {
  KMS_ASSERT(!deals.empty() && weights.size() == deals.size());
  std::size_t needed = deals[0]->keys[kappa - 1].commitments.size();
  std::vector<Element> out;
  for (std::size_t k = 0; k < needed; ++k) {
    std::vector<Element> terms;
    for (std::size_t d = 0; d < deals.size(); ++d) {
      Element commitment(deals[d]->keys[kappa - 1].commitments[k]);
      terms.push_back(kind == Kind::dkg ? commitment : crypto::multiply(weights[d], commitment));
    }
    out.push_back(crypto::sum(terms));
  }
  return out;
}

std::vector<Element> verification_points(const std::vector<Element>& commitments, std::size_t members) {
  std::vector<Element> out;
  for (std::size_t i = 1; i <= members; ++i) {
    out.push_back(crypto::evaluate_commitments(commitments, static_cast<Position>(i)));
  }
  return out;
}

bool share_fits(Base base, const SecretScalar& share, const Element& verification_point) {
  Element own = base == Base::g ? crypto::multiply_generator(share) : crypto::multiply(share, generator_of(base));
  return own == verification_point;
}

crypto::SecretBytes pack_shares(const std::vector<crypto::SecretScalar>& shares) {
  crypto::SecretBytes packed(32 * shares.size());
  for (std::size_t key = 0; key < shares.size(); ++key) {
    std::memcpy(packed.expose_mutable().data() + 32 * key, shares[key].expose().data(), 32);
  }
  return packed;
}

}  // namespace kms::dkg
