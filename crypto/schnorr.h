// Schnorr proof of knowledge of log_G X: wire c || z (64 bytes), verified as c == H2S(.., A) with A = zG - cX
// (PROTOCOL.md 3). The caller supplies the full statement; A is appended as its last item.
#pragma once

#include <functional>

#include "crypto/transcript.h"

namespace kms::crypto {

struct SchnorrProof {
  Scalar c;
  Scalar z;
  ByteArray<64> bytes() const;
  static Result<SchnorrProof> parse(ByteView bytes64);
};

// The full statement: the challenge's tag and every challenge input but A, appended in order. The nonce of a proof
// comes from the same fields under the tag with "/nonce" behind it (docs/TRANSCRIPTS.md).
struct Statement {
  std::string_view tag;
  std::function<void(Transcript&)> append;
};

// The nonce is H2S_"<tag>/nonce"(secret, rand32, statement): a repeated generator repeats it only for the same
// statement. Constant time in the secret, which is not zero.
SchnorrProof prove_schnorr(const SecretScalar& secret, const Statement& statement, Entropy& entropy);
bool verify_schnorr(const Point& x, const Statement& statement, const SchnorrProof& proof);

}  // namespace kms::crypto
