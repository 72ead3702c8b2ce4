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
  bool operator==(const DleqProof&) const = default;
};

enum class SelfCheck { on, off };  // off only for delegation partials, where the benchmark shows what it costs

// What is proven: the logarithm of `a` to `generator` is that of `c` to `b`.
struct DleqStatement {
  Point a;
  Point b;
  Point c;
  Point generator;
  Hash32 message{};
};

// BIP-374 GenerateProof(a, B, r, G, m); `r`: 32 fresh random bytes. Fails only for a = 0. Constant time in `a`. Where C
// is a secret (a partial): encodings of it and R2, from which it follows, are wiped here and in verify_dleq.
Result<DleqProof> prove_dleq(const SecretScalar& a, const Point& b, const Hash32& r, const Point& generator,
                             const Hash32& message, SelfCheck self_check = SelfCheck::on);
// The same proof for who has A and C already: two multiplications less. A statement that is not true of `a` gives an
// error with the self-check and a worthless proof without it.
Result<DleqProof> prove_dleq(const SecretScalar& a, const DleqStatement& statement, const Hash32& r,
                             SelfCheck self_check = SelfCheck::on);

bool verify_dleq(const DleqStatement& statement, const DleqProof& proof);
bool verify_dleq(const Point& a, const Point& b, const Point& c, const DleqProof& proof, const Point& generator,
                 const Hash32& message);

}  // namespace kms::crypto
