// From the Deals of a decided T to the own share and everybody's verification points (PROTOCOL.md 4.6, 4.7).
#pragma once

#include "dkg/dealing.h"

namespace kms::dkg {

// Factor of each dealer's polynomial, in the list's order: 1 in a DKG, lambda_j(0) over Q in a reshare.
std::vector<crypto::Scalar> combination_weights(Kind kind, const DealList& list);

// s_i of every key: sum of weights[d] * shares[d][kappa - 1], shares in the list's order.
std::vector<crypto::SecretScalar> combine_shares(const std::vector<crypto::Scalar>& weights,
                                                 const std::vector<OwnShares>& shares);

// C'_0 .. C'_{t'-1} of key `kappa`, deals in the list's order. In a reshare C'_0 is S, which the caller compares.
std::vector<crypto::Element> combine_commitments(Kind kind, const std::vector<crypto::Scalar>& weights,
                                                 const std::vector<const Deal*>& deals, std::uint32_t kappa);

// V_1 .. V_n' = sum_k C'_k i^k; over G (reshare) these are the S_i.
std::vector<crypto::Element> verification_points(const std::vector<crypto::Element>& commitments, std::size_t members);

// s_i J == V_i.
bool share_fits(Base base, const crypto::SecretScalar& share, const crypto::Element& verification_point);

// As they rest in the record "share" of a slot: 32 bytes each.
crypto::SecretBytes pack_shares(const std::vector<crypto::SecretScalar>& shares);

}  // namespace kms::dkg
