#include "node/delegation/rank.h"

#include <algorithm>

namespace kms::delegation {

std::vector<Position> ranking(const ServingKey& key, const Hash32& rh, Position entry) {
  std::vector<std::pair<Hash32, Position>> ranked;
  for (Position i = 1; i <= key.members.size(); ++i) {
    if (i == entry || key.table.share(i).is_infinity()) continue;
    crypto::Transcript transcript("KMS1/rank");
    transcript.bytes(rh).u16(i);
    ranked.emplace_back(transcript.hash(), i);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<Position> out;
  for (const auto& [hash, position] : ranked) out.push_back(position);
  return out;
}

std::size_t first_responders(const ServingKey& key, Position entry, std::uint32_t spare) {
  bool entry_has_share = entry != 0 && !key.table.share(entry).is_infinity();
  return key.threshold.t() - (entry_has_share ? 1u : 0u) + spare;
}

}  // namespace kms::delegation
