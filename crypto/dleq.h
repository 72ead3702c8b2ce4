// BIP-374 discrete logarithm equality with any generator and always a 32-byte message (PROTOCOL.md 4.3):
// A = a * generator, C = a * B; wire e || s (64 bytes). `e` is a hash and need not be below q, `s` must be.
#pragma once

#include "crypto/point.h"

namespace kms::crypto {

struct DleqProof {
  Hash32 e{};
  Scalar s;
  ByteArray<64> bytes() const;
  static Result<DleqProof> parse(ByteView bytes64);
};

enum class SelfCheck { on, off };  // off only for delegation partials, where the benchmark shows what it costs

// BIP-374 GenerateProof(a, B, r, G, m). `r` is 32 fresh random bytes. Fails only for a = 0.
Result<DleqProof> prove_dleq(const SecretScalar& a, const Point& b, const Hash32& r, const Point& generator,
                             const Hash32& message, SelfCheck self_check = SelfCheck::on);
bool verify_dleq(const Point& a, const Point& b, const Point& c, const DleqProof& proof, const Point& generator,
                 const Hash32& message);

}  // namespace kms::crypto
