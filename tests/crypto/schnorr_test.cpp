#include "crypto/schnorr.h"

#include <gtest/gtest.h>

#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::SeededEntropy;

Statement statement_about(std::uint32_t number, std::string_view tag = "KMS1/test") {
  return {tag, [number](Transcript& transcript) { transcript.u32(number); }};
}

TEST(Schnorr, AcceptsItsOwnProofsThroughTheWire) {
  SeededEntropy entropy(8);
  for (std::uint32_t i = 0; i < 20; ++i) {
    SecretScalar secret = SecretScalar::random(entropy);
    Point x = multiply_generator(secret).point();
    auto wire = prove_schnorr(secret, statement_about(i), entropy).bytes();
    EXPECT_TRUE(verify_schnorr(x, statement_about(i), SchnorrProof::parse(wire).value()));
  }
}

TEST(Schnorr, RefusesAnotherStatementTagKeyOrProof) {
  SeededEntropy entropy(9);
  SecretScalar secret = SecretScalar::random(entropy);
  Point x = multiply_generator(secret).point();
  SchnorrProof proof = prove_schnorr(secret, statement_about(1), entropy);
  EXPECT_FALSE(verify_schnorr(x, statement_about(2), proof));
  EXPECT_FALSE(verify_schnorr(x, statement_about(1, "KMS1/other"), proof));
  EXPECT_FALSE(verify_schnorr(-x, statement_about(1), proof));
  EXPECT_FALSE(verify_schnorr(Point::generator(), statement_about(1), proof));
  EXPECT_FALSE(verify_schnorr(x, statement_about(1), {proof.c + Scalar(1), proof.z}));
  EXPECT_FALSE(verify_schnorr(x, statement_about(1), {proof.c, proof.z + Scalar(1)}));
  EXPECT_FALSE(verify_schnorr(x, statement_about(1), {Scalar(), proof.z}));
  EXPECT_FALSE(verify_schnorr(x, statement_about(1), {}));
}

TEST(Schnorr, MakesTheNonceFromTheTagWithNonceBehindIt) {
  SeededEntropy entropy(10);
  SecretScalar secret = SecretScalar::random(entropy);
  SeededEntropy same = entropy;
  Hash32 fresh = same.array<32>();
  SchnorrProof proof = prove_schnorr(secret, statement_about(1), entropy);
  Scalar nonce = Transcript("KMS1/test/nonce").secret(secret).bytes(fresh).u32(1).scalar_hash();
  EXPECT_EQ(proof.z, nonce + proof.c * secret.publish());
  EXPECT_EQ(proof.c, Transcript("KMS1/test").u32(1).point(multiply_generator(nonce).point()).scalar_hash());
}

TEST(Schnorr, RefusesScalarsOutOfRangeAndOtherLengths) {
  Bytes wire(64);
  EXPECT_TRUE(SchnorrProof::parse(wire));
  std::fill(wire.begin(), wire.begin() + 32, std::uint8_t{0xff});
  EXPECT_FALSE(SchnorrProof::parse(wire));
  std::fill(wire.begin(), wire.begin() + 32, std::uint8_t{0});
  std::fill(wire.begin() + 32, wire.end(), std::uint8_t{0xff});
  EXPECT_FALSE(SchnorrProof::parse(wire));
  EXPECT_FALSE(SchnorrProof::parse(Bytes(63)));
  EXPECT_FALSE(SchnorrProof::parse(Bytes(65)));
}

}  // namespace
}  // namespace kms::crypto
