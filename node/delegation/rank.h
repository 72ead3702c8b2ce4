// Who answers a request first (PROTOCOL.md 5.5).
#pragma once

#include <vector>

#include "node/delegation/serving.h"

namespace kms::delegation {

using dkg::Position;

// Members with a usable share other than the entry, ascending by H_"KMS1/rank"(rh, i).
std::vector<Position> ranking(const ServingKey& key, const Hash32& rh, Position entry);

// How many of the ranking answer at once. The entry's own partial needs no message, so a member that is the entry
// counts as the first of the t.
std::size_t first_responders(const ServingKey& key, Position entry, std::uint32_t spare);

}  // namespace kms::delegation
