// Deals: making, checking, opening, complaining (PROTOCOL.md 4.2 and 4.3, TRANSCRIPTS.md 5). Pure functions of their
// arguments; secrets are move-only and wiped.
#pragma once

#include <variant>

#include "dkg/header.h"

namespace kms::dkg {

// What every Deal of one sid has to fit; made once per header.
struct DealTerms {
  Sid sid;
  Base base = Base::h;
  std::size_t keys = 1;                                // m
  Threshold receivers;                                 // n', t'
  std::size_t dealers = 1;                             // |D|: positions 1..dealers may deal
  std::vector<std::optional<crypto::Point>> prekeys;   // B_i of receiver i at i - 1; nothing if absent
  std::vector<std::vector<crypto::Element>> constant;  // reshare: [kappa - 1][j - 1] = S_j of the old table; DKG: empty
};
// `old_shares` as in `constant`: empty for a DKG, m lists of n elements otherwise (asserted).
DealTerms deal_terms(const CeremonyHeader& header, const Sid& sid,
                     std::vector<std::vector<crypto::Element>> old_shares = {});

// H_"KMS1/seed": sealed before the Deal exists; a restart re-sends the stored Deal.
crypto::Secret<32> deal_seed(const crypto::Secret<32>& fresh, const crypto::Secret<32>& node_secret, const Sid& sid);

// `shares` are the old shares s_{j,kappa} in a reshare (none zero: such a member does not deal), empty in a DKG.
// Deterministic in its arguments. Cost: m t' multiplications of the base and one ECDH a receiver.
Deal make_deal(const DealTerms& terms, Position dealer, const crypto::Secret<32>& seed,
               const std::vector<crypto::SecretScalar>& shares = {});

// Objective checks: one verdict everywhere. j in D, exact counts, absent slots zero, AND-proof, C_0 = S_j. The
// signature of the envelope and deal.sid == terms.sid are checked here and there: sid here.
Result<void> check_deal(const DealTerms& terms, const Deal& deal);

using OwnShares = std::vector<crypto::SecretScalar>;  // x_{j,kappa}, kappa = 1..m
struct BadShare {
  std::uint32_t kappa = 0;  // the first key whose share does not fit
};
// Decrypts and checks the shares for receiver i (not absent), whose prekey is `secret`, of a Deal that passed
// check_deal.
std::variant<OwnShares, BadShare> open_shares(const DealTerms& terms, const Deal& deal, Position receiver,
                                              const crypto::SecretScalar& secret);

// Z and its proof. `fresh` are 32 random bytes.
Complaint make_complaint(const DealTerms& terms, const Deal& deal, const DealHash& hash, Position receiver,
                         std::uint32_t kappa, const crypto::SecretScalar& secret, const Hash32& fresh);
enum class ComplaintVerdict {
  convicts_dealer,
  convicts_receiver,  // signed by the receiver, but its proof or its claim is false
  irrelevant,         // names another sid, Deal or dealer, a key or receiver that is not there, or an absent receiver
};
// For a Deal that passed check_deal and whose dh is `hash`; the complaint's envelope was signed by its receiver.
ComplaintVerdict judge(const DealTerms& terms, const Deal& deal, const DealHash& hash, const Complaint& complaint);

}  // namespace kms::dkg
