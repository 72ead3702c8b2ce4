#include "node/delegation/partial.h"

#include "base/assert.h"
#include "crypto/dleq.h"
#include "crypto/transcript.h"

namespace kms::delegation {

Hash32 partial_context(const ServingKey& key, Position index, const Hash32& rh, Form form, const dkg::NodeId& entry,
                       const ByteArray<33>& reply_key) {
  crypto::Transcript transcript("KMS1/partial");
  transcript.id(key.key).u32(key.epoch).id(key.transcript).u16(index).bytes(rh).u8(static_cast<std::uint8_t>(form));
  transcript.id(entry).bytes(reply_key);
  return transcript.hash();
}

void prove_partial(const ServingKey& key, const crypto::Point& ephemeral, const Hash32& context, MutableByteView out,
                   Entropy& entropy) {
  KMS_ASSERT(key.share && out.size() == kProvenPartialBytes);
  const crypto::Secret<33> partial = crypto::multiply_secretly(*key.share, ephemeral);
  std::copy(partial.expose().begin(), partial.expose().end(), out.begin());
  auto point = crypto::Point::parse(partial.expose());
  KMS_ASSERT(point.has_value());
  const crypto::WipeAtExit wiped(*point);
  // A and C are known already: two multiplications instead of four.
  crypto::DleqStatement statement{key.table.share(key.self).point(), ephemeral, *point, crypto::Point::generator(),
                                  context};
  const crypto::WipeAtExit wiped_statement(statement);
  // Without the self-check, which would be a third of this: whoever combines verifies the proof before it counts, and
  // fresh randomness in every nonce leaves a fault of the machine nothing to reveal.
  auto proof = crypto::prove_dleq(*key.share, statement, entropy.array<32>(), crypto::SelfCheck::off);
  KMS_ASSERT(proof.has_value());
  const crypto::WipeAtExit wiped_proof(*proof);
  ByteArray<64> proof_bytes = proof->bytes();
  const crypto::WipeAtExit wiped_bytes(proof_bytes);
  std::copy(proof_bytes.begin(), proof_bytes.end(), out.begin() + 33);
}

}  // namespace kms::delegation
