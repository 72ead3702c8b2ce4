// Re-encryption of s*K to a point P with a public proof (PROTOCOL.md 5.4): U = rG, W = sK + rP. Who knows p with P = pG
// computes sK = W - pU; who does not learns nothing. The proof shows one (s, r) behind S = sG, U and W: for random a, b
// A1 = aG, A2 = bG, A3 = aK + bP, c = H(statement, A1, A2, A3), z_s = a + cs, z_r = b + cr.
#pragma once

#include <functional>

#include "crypto/transcript.h"

namespace kms::crypto {

// What is re-encrypted, for whom, and in which context; `context` appends key_id, e, T, i, rh (docs/TRANSCRIPTS.md 7).
struct ReencryptionStatement {
  std::function<void(Transcript&)> context;
  Point k;          // the ephemeral point K of the ciphertext
  Point recipient;  // P
  Point s;          // S = s*G, of the share or of the key
};

struct ReencryptionProof {
  Scalar c;
  Scalar z_s;
  Scalar z_r;
  ByteArray<96> bytes() const;  // c || z_s || z_r
  static Result<ReencryptionProof> parse(ByteView bytes96);
  bool operator==(const ReencryptionProof&) const = default;
};

struct Reencryption {
  Point u;
  Point w;
  ReencryptionProof proof;
};

// r is made of the share, fresh randomness and the statement, so that it repeats only for the same statement: one r for
// two K would show s(K - K') to everybody. `share` is not zero and belongs to `statement.s`. Constant time in the
// share.
Reencryption reencrypt(const SecretScalar& share, const ReencryptionStatement& statement, Entropy& entropy);
bool verify_reencryption(const ReencryptionStatement& statement, const Reencryption& reencryption);

// x(sK) of combined U and W for the owner of `recipient_secret` = p, which is not zero. An error for U, W that belong
// to no ciphertext (sK would be infinity). Constant time in p.
Result<Secret<32>> open_reencryption(const Point& u, const Point& w, const SecretScalar& recipient_secret);

// Whether two points have the same x. No recipient may be +-G, +-K, +-S or +-S_j: with a known relation between P and
// these, U and W would say more about s than sK.
bool is_plus_or_minus(const Point& a, const Point& b);

}  // namespace kms::crypto
