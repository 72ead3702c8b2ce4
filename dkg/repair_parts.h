// The mathematics of a repair (PROTOCOL.md 4.8, TRANSCRIPTS.md 8): giver k splits lambda_k(i) s_k into one part a
// giver, giver l sums its column, the requester sums the sums. Pure functions; secrets are move-only and wiped.
#pragma once

#include <variant>

#include "dkg/key_table.h"
#include "dkg/repair_messages.h"

namespace kms::dkg {

// One scalar a key, in the key set's order.
using KeyScalars = std::vector<crypto::SecretScalar>;
// The first key whose part does not fit its commitment.
struct BadPart {
  std::uint32_t kappa = 0;
};
using OpenedParts = std::variant<KeyScalars, BadPart>;

// A request and its rid; what every message of one session has to fit.
struct RepairTerms {
  RepairRequest request;
  Rid rid;
  std::size_t keys = 1;  // m
};

// Fills in `pok` of the request, whose other fields but the ticket are set and Y = secret * G.
void prove_target(RepairRequest& request, const NetworkId& network, const crypto::SecretScalar& secret,
                  Entropy& entropy);
bool verify_target(const RepairRequest& request, const NetworkId& network);

// H_"KMS1/seed" of a giver.
crypto::Secret<32> repair_seed(const crypto::Secret<32>& fresh, const crypto::Secret<32>& node_secret, const Rid& rid);

// `shares`: s_k of every key, none zero. `entropy` only for the proof's nonce.
RepairDelta make_delta(const RepairTerms& terms, Position giver, const KeyScalars& shares,
                       const crypto::Secret<32>& seed, Entropy& entropy);
// Objective: one verdict everywhere. A giver of the request, counts, proof, and that the commitments add up to
// lambda_k(i) S_k of the certified tables.
Result<void> check_delta(const RepairTerms& terms, const RepairDelta& delta, const std::vector<KeyTable>& tables);
// Giver l's parts of a delta that passed check_delta; `secret` is its prekey.
OpenedParts open_delta(const RepairTerms& terms, const RepairDelta& delta, Position giver,
                       const crypto::SecretScalar& secret);

// `sums`: giver l's column of every key, over the deltas with these hashes, in the request's order.
RepairSigma make_sigma(const RepairTerms& terms, Position giver, std::vector<DeltaHash> deltas, const KeyScalars& sums,
                       const crypto::Secret<32>& seed, Entropy& entropy);
// Objective: a giver of the request, counts, proof. Before this the requester must not use Y's secret on E'.
Result<void> check_sigma(const RepairTerms& terms, const RepairSigma& sigma);
// `deltas` are those that the sigma names; `secret` is log_G Y.
OpenedParts open_sigma(const RepairTerms& terms, const RepairSigma& sigma,
                       const std::vector<const RepairDelta*>& deltas, const crypto::SecretScalar& secret);

// s_i of every key: the sum over the givers.
KeyScalars sum_parts(const std::vector<KeyScalars>& parts);

// `fresh` are 32 random bytes.
RepairComplaint complain(const RepairTerms& terms, const RepairDelta& delta, Position accuser, std::uint32_t kappa,
                         const crypto::SecretScalar& secret, const Hash32& fresh);
RepairComplaint complain(const RepairTerms& terms, const RepairSigma& sigma, std::uint32_t kappa,
                         const crypto::SecretScalar& secret, const Hash32& fresh);
// Whether the complaint convicts the giver; else it convicts its author. The object's hash was compared and the object
// passed its check; the deltas are those that the sigma names.
bool convicts(const RepairTerms& terms, const RepairDelta& delta, const RepairComplaint& complaint);
bool convicts(const RepairTerms& terms, const RepairSigma& sigma, const std::vector<const RepairDelta*>& deltas,
              const RepairComplaint& complaint);

}  // namespace kms::dkg
