// The public result of an epoch: per key the public key S and every member's S_i, its hash and the root over all keys;
// and the ACTIVE messages from which a DKG's table is built (PROTOCOL.md 3 "table", 4.3, 4.6).
#pragma once

#include <map>

#include "dkg/shares.h"

namespace kms::dkg {

struct KeyTable {
  crypto::Point public_key;             // S
  std::vector<crypto::Element> shares;  // S_1 .. S_n; infinity for a member whose share is zero
  const crypto::Element& share(Position position) const { return shares[position - 1u]; }
  bool operator==(const KeyTable&) const = default;
};

// Which shares a proof or a table is about. `kappa`-th key of the slot's key set.
struct EpochNames {
  KeySetTerms terms;
  std::uint32_t epoch = 0;
  std::uint32_t branch = 0;
  TranscriptHash transcript;
  KeyId key(std::uint32_t kappa) const { return key_id(terms.key_set, kappa, terms.labels[kappa - 1]); }
  SlotId slot() const { return slot_id(terms.key_set, epoch, branch); }
};
EpochNames epoch_names(const CeremonyHeader& header, const TranscriptHash& transcript);

Hash32 table_hash(const EpochNames& names, std::uint32_t kappa, const Threshold& threshold, const KeyTable& table);
// Over all tables of the set, in order.
Root root_of(const EpochNames& names, const Threshold& threshold, const std::vector<KeyTable>& tables);

// S and all S_j of one key from at least t of them: `known` by position (members whose V_i is infinity belong to it
// with infinity). Unique, since T fixes the polynomial. An error if S would be infinity.
Result<KeyTable> complete_table(const std::map<Position, crypto::Element>& known, const Threshold& threshold);
// A reshare's table: all S_i are public. An error if S is infinity.
Result<KeyTable> table_of_commitments(const std::vector<crypto::Element>& commitments, std::size_t members);
// Whether the table has degree < t and its shares give its public key; what a joiner asks of a Link.
bool is_consistent(const KeyTable& table, const Threshold& threshold);

// The BIP-374 message of ACTIVE (row of 4.3): H_"KMS1/active"(key_id, e, branch, T, i).
Hash32 active_context(const EpochNames& names, std::uint32_t kappa, Position index);
// `shares`: s_i of every key, none zero (such a member sends no ACTIVE). Fresh randomness for each proof.
Active make_active(Base base, const EpochNames& names, Position index, const std::vector<crypto::SecretScalar>& shares,
                   Entropy& entropy);
// `verification_points`: V_i of member i for every key (over G in a reshare). slot, T and the count of keys are
// checked, too; that the sender is at `index` belongs to the ceremony. Cost: one DLEQ verification a key.
Result<void> verify_active(const Active& active, Base base, const EpochNames& names,
                           const std::vector<crypto::Element>& verification_points);

// The same row for the key of an IMPORT: proof of s under H_"KMS1/import"(key_id, sid).
Hash32 import_context(const KeyId& key, const Sid& sid);

}  // namespace kms::dkg
