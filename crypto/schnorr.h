// Schnorr proof of knowledge of log_G X: wire c || z (64 bytes), verified as c == H2S(.., A) with A = zG - cX
// (PROTOCOL.md 3). The caller supplies the transcript of the full statement; A is appended as its last item.
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

// Makes a fresh Transcript with every challenge input but A. Called twice by prove (nonce and challenge).
using Statement = std::function<Transcript()>;

// The nonce is H2S(secret, rand32, full statement) (PROTOCOL.md 3): a repeated generator repeats it only for the same
// statement. Constant time in the secret, which is not zero.
SchnorrProof prove_schnorr(const SecretScalar& secret, const Statement& statement, Entropy& entropy);
bool verify_schnorr(const Point& x, const Statement& statement, const SchnorrProof& proof);

}  // namespace kms::crypto
