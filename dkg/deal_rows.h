// Rows of commitments and ciphertexts, one element a key: field `keys` of a Deal and of a RepairDelta.
#pragma once

#include "dkg/messages.h"
#include "dkg/wire.h"

namespace kms::dkg {

void write_rows(BodyWriter& out, std::uint32_t field, const std::vector<DealKey>& keys);
// 1 to 16 keys of the same two sizes, each row of 1 to 128.
std::vector<DealKey> read_rows(BodyReader& in, std::uint32_t field);

}  // namespace kms::dkg
