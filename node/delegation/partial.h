// One member's partial D_i = s_i K with its proof, as forms A and B carry it (PROTOCOL.md 5.2, 5.3).
#pragma once

#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

inline constexpr std::size_t kProvenPartialBytes = 33 + 64;

// What the proof of a partial is bound to (TRANSCRIPTS.md 5, `partial`). Form B: entry and reply key are zeros.
Hash32 partial_context(const ServingKey& key, Position index, const Hash32& rh, Form form, const dkg::NodeId& entry,
                       const ByteArray<33>& reply_key);

// Writes D_i || proof, which are secret, over `out` (97 bytes), and leaves no other copy of them. The key has a share.
// Constant time in the share.
void prove_partial(const ServingKey& key, const crypto::Point& ephemeral, const Hash32& context, MutableByteView out,
                   Entropy& entropy);

}  // namespace kms::delegation
