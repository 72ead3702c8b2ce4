#include "crypto/schnorr.h"

#include "base/assert.h"

namespace kms::crypto {
namespace {

Transcript begin(const Statement& statement) {
  Transcript out(statement.tag);
  statement.append(out);
  return out;
}

// Not zero: a zero is made again with a counter behind the fields (docs/TRANSCRIPTS.md, section 1).
SecretScalar nonce_of(const SecretScalar& secret, const Statement& statement, Entropy& entropy) {
  auto fresh = Secret<32>::random(entropy);
  for (std::uint32_t counter = 0;; ++counter) {
    Transcript transcript(std::string(statement.tag) + "/nonce");
    transcript.secret(secret).secret(fresh.expose());
    statement.append(transcript);
    if (counter > 0) transcript.u32(counter);
    SecretScalar nonce = transcript.secret_scalar();
    if (!nonce.is_zero()) return nonce;
  }
}

}  // namespace

ByteArray<64> SchnorrProof::bytes() const {
  ByteArray<64> out;
  std::memcpy(out.data(), c.bytes().data(), 32);
  std::memcpy(out.data() + 32, z.bytes().data(), 32);
  return out;
}

Result<SchnorrProof> SchnorrProof::parse(ByteView bytes64) {
  if (bytes64.size() != 64) return error("a Schnorr proof has 64 bytes, not " + std::to_string(bytes64.size()));
  auto c = Scalar::parse(bytes64.first(32));
  if (!c) return c.error();
  auto z = Scalar::parse(bytes64.last(32));
  if (!z) return z.error();
  return SchnorrProof{*c, *z};
}

SchnorrProof prove_schnorr(const SecretScalar& secret, const Statement& statement, Entropy& entropy) {
  KMS_ASSERT(!secret.is_zero());
  for (;;) {
    SecretScalar nonce = nonce_of(secret, statement, entropy);
    Element commitment = multiply_generator(nonce);
    Scalar c = begin(statement).point(commitment.point()).scalar_hash();
    // No one will see a zero challenge; the verifier refuses it.
    if (!c.is_zero()) return {c, (nonce + secret * c).publish()};
  }
}

bool verify_schnorr(const Point& x, const Statement& statement, const SchnorrProof& proof) {
  if (proof.c.is_zero()) return false;
  Element commitment = multiply_add(proof.z, -proof.c, x);
  return !commitment.is_infinity() && begin(statement).point(commitment.point()).scalar_hash() == proof.c;
}

}  // namespace kms::crypto
