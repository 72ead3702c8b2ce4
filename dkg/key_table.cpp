#include "dkg/key_table.h"

#include "base/assert.h"

namespace kms::dkg {

using crypto::Element;
using crypto::Point;
using crypto::SecretScalar;

EpochNames epoch_names(const CeremonyHeader& header, const TranscriptHash& transcript) {
  return {header.terms, header.epoch, header.branch, transcript};
}

Hash32 table_hash(const EpochNames& names, std::uint32_t kappa, const Threshold& threshold, const KeyTable& table) {
  KMS_ASSERT(table.shares.size() == threshold.n());
  crypto::Transcript out("KMS1/table");
  out.id(names.key(kappa)).u32(names.epoch).u32(names.branch).id(names.transcript);
  out.u16(threshold.n()).u16(threshold.t()).point(table.public_key);
  for (const Element& share : table.shares) out.element(share);
  return out.hash();
}

Root root_of(const EpochNames& names, const Threshold& threshold, const std::vector<KeyTable>& tables) {
  KMS_ASSERT(tables.size() == names.terms.labels.size());
  crypto::Transcript out("KMS1/root");
  out.id(names.slot()).count(tables.size());
  for (std::size_t k = 0; k < tables.size(); ++k) {
    out.bytes(table_hash(names, static_cast<std::uint32_t>(k + 1), threshold, tables[k]));
  }
  return {out.hash()};
}

Result<KeyTable> complete_table(const std::map<Position, Element>& known, const Threshold& threshold) {
  KMS_ASSERT(known.size() >= threshold.t());
  std::vector<Position> positions;
  std::vector<Element> shares;
  for (const auto& [position, share] : known) {
    if (positions.size() == threshold.t()) break;
    positions.push_back(position);
    shares.push_back(share);
  }
  Element key = crypto::interpolate(positions, shares);
  if (key.is_infinity()) return error("the shares of this epoch give no public key");
  KeyTable out{key.point(), {}};
  for (Position j = 1; j <= threshold.n(); ++j) {
    auto found = known.find(j);
    out.shares.push_back(found != known.end() ? found->second : crypto::interpolate(positions, shares, j));
  }
  return out;
}

Result<KeyTable> table_of_commitments(const std::vector<Element>& commitments, std::size_t members) {
  KMS_ASSERT(!commitments.empty());
  if (commitments[0].is_infinity()) return error("the commitments give no public key");
  return KeyTable{commitments[0].point(), verification_points(commitments, members)};
}

bool is_consistent(const KeyTable& table, const Threshold& threshold) {
  if (table.shares.size() != threshold.n()) return false;
  std::map<Position, Element> first;
  for (Position i = 1; i <= threshold.t(); ++i) first[i] = table.share(i);
  auto complete = complete_table(first, threshold);
  return complete && *complete == table;
}

Hash32 active_context(const EpochNames& names, std::uint32_t kappa, Position index) {
  return crypto::Transcript("KMS1/active")
      .id(names.key(kappa))
      .u32(names.epoch)
      .u32(names.branch)
      .id(names.transcript)
      .u16(index)
      .hash();
}

Active make_active(Base base, const EpochNames& names, Position index, const std::vector<SecretScalar>& shares,
                   Entropy& entropy) {
  Active out{names.slot(), names.transcript, index, {}};
  for (std::size_t k = 0; k < shares.size(); ++k) {
    Hash32 context = active_context(names, static_cast<std::uint32_t>(k + 1), index);
    Element point = crypto::multiply_generator(shares[k]);
    KMS_ASSERT(!point.is_infinity());
    auto proof = crypto::prove_dleq(shares[k], Point::generator(), entropy.array<32>(), generator_of(base), context);
    KMS_ASSERT(proof.has_value());
    out.keys.push_back({point.point(), *proof});
  }
  return out;
}

Result<void> verify_active(const Active& active, Base base, const EpochNames& names,
                           const std::vector<Element>& verification_points) {
  if (active.slot != names.slot() || active.transcript != names.transcript) {
    return error("the ACTIVE is for another slot or transcript");
  }
  if (active.keys.size() != names.terms.labels.size() || active.keys.size() != verification_points.size()) {
    return error("the ACTIVE has " + std::to_string(active.keys.size()) + " keys");
  }
  for (std::size_t k = 0; k < active.keys.size(); ++k) {
    const Element& expected = verification_points[k];
    const ActiveKey& key = active.keys[k];
    bool fits = !expected.is_infinity() && (base == Base::h || expected == Element(key.share)) &&
                crypto::verify_dleq(expected.point(), Point::generator(), key.share, key.proof, generator_of(base),
                                    active_context(names, static_cast<std::uint32_t>(k + 1), active.index));
    if (!fits) {
      return error("the ACTIVE of position " + std::to_string(active.index) + " does not prove its share of key " +
                   std::to_string(k + 1));
    }
  }
  return {};
}

Hash32 import_context(const KeyId& key, const Sid& sid) {
  return crypto::Transcript("KMS1/import").id(key).id(sid).hash();
}

}  // namespace kms::dkg
