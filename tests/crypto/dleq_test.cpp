#include "crypto/dleq.h"

#include <gtest/gtest.h>

#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::Row;
using test::SeededEntropy;

// A row of bip374_generate_proof: INVALID where no proof may come out.
void expect_generated(const Row& row) {
  auto a = SecretScalar::parse(test::hex(row.at("scalar_a")));
  auto b = Point::parse(row.at("point_B") == "INFINITY" ? Bytes(33) : test::hex(row.at("point_B")));
  std::string made = "INVALID";
  if (a && b) {
    auto proof = prove_dleq(*a, *b, to_array<32>(test::hex(row.at("auxrand_r"))), test::point(row.at("point_G")),
                            to_array<32>(test::hex(row.at("message"))));
    if (proof) made = to_hex(proof->bytes());
  }
  EXPECT_EQ(made, row.at("result_proof")) << row.at("comment");
}

void expect_verified(const Row& row) {
  auto proof = DleqProof::parse(test::hex(row.at("proof")));
  bool accepted = proof && verify_dleq(test::point(row.at("point_A")), test::point(row.at("point_B")),
                                       test::point(row.at("point_C")), *proof, test::point(row.at("point_G")),
                                       to_array<32>(test::hex(row.at("message"))));
  EXPECT_EQ(accepted ? "TRUE" : "FALSE", row.at("result_success")) << row.at("comment");
}

// Our proofs always have a message; the BIP also allows none, and one of its rows in each file has none.
std::vector<Row> rows_with_message(const std::string& csv) {
  auto rows = test::rows_of(csv);
  std::erase_if(rows, [](const Row& row) { return row.at("message").empty(); });
  return rows;
}

TEST(Dleq, AgreesWithEveryVectorOfBip374ThatHasAMessage) {
  auto generate = test::read_shared("vectors/bip374_generate_proof.csv");
  auto verify = test::read_shared("vectors/bip374_verify_proof.csv");
  if (!generate || !verify) GTEST_SKIP() << "set KMS_SHARED to the folder with vectors/bip374_*.csv";
  auto to_generate = rows_with_message(*generate);
  auto to_verify = rows_with_message(*verify);
  EXPECT_GE(to_generate.size(), 10U);
  EXPECT_GE(to_verify.size(), 14U);
  for (const Row& row : to_generate) expect_generated(row);
  for (const Row& row : to_verify) expect_verified(row);
}

struct Example {
  SeededEntropy entropy{11};
  SecretScalar a = SecretScalar::random(entropy);
  Point b = multiply_generator(entropy.scalar()).point();
  DleqStatement statement{multiply_generator(a).point(), b, multiply(a, b).point(), Point::generator(),
                          entropy.array<32>()};
};

TEST(Dleq, MakesTheSameProofFromPointsThatAreKnown) {
  Example x;
  Hash32 r = x.entropy.array<32>();
  auto from_scratch = prove_dleq(x.a, x.b, r, Point::generator(), x.statement.message);
  auto from_points = prove_dleq(x.a, x.statement, r);
  EXPECT_EQ(from_scratch.value(), from_points.value());
  EXPECT_EQ(prove_dleq(x.a, x.statement, r, SelfCheck::off).value(), from_points.value());
}

TEST(Dleq, RefusesEveryChangeOfTheStatement) {
  Example x;
  DleqProof proof = prove_dleq(x.a, x.statement, x.entropy.array<32>()).value();
  ASSERT_TRUE(verify_dleq(x.statement, proof));
  for (Point DleqStatement::*field :
       {&DleqStatement::a, &DleqStatement::b, &DleqStatement::c, &DleqStatement::generator}) {
    DleqStatement changed = x.statement;
    changed.*field = -(changed.*field);
    EXPECT_FALSE(verify_dleq(changed, proof));
  }
  DleqStatement changed = x.statement;
  changed.message[31] ^= 1;
  EXPECT_FALSE(verify_dleq(changed, proof));
  DleqProof other = proof;
  other.e[0] ^= 1;
  EXPECT_FALSE(verify_dleq(x.statement, other));
  EXPECT_FALSE(verify_dleq(x.statement, {proof.e, proof.s + Scalar(1)}));
  EXPECT_FALSE(verify_dleq(x.statement, {}));
}

TEST(Dleq, ProvesOwnershipWhenBothBasesAreTheGenerator) {
  SeededEntropy entropy(12);
  for (const Point& base : {Point::generator(), Point::second_generator()}) {
    SecretScalar a = SecretScalar::random(entropy);
    Point image = multiply(a, base).point();
    DleqStatement statement{image, base, image, base, entropy.array<32>()};
    DleqProof proof = prove_dleq(a, statement, entropy.array<32>()).value();
    EXPECT_TRUE(verify_dleq(statement, proof));
    statement.c = -image;
    EXPECT_FALSE(verify_dleq(statement, proof));
  }
}

TEST(Dleq, MakesNoProofOfZeroOrOfAFalseStatement) {
  Example x;
  Hash32 r = x.entropy.array<32>();
  EXPECT_FALSE(prove_dleq(SecretScalar(), x.b, r, Point::generator(), x.statement.message));
  EXPECT_FALSE(prove_dleq(SecretScalar(), x.statement, r));
  DleqStatement wrong = x.statement;
  wrong.c = -wrong.c;
  EXPECT_FALSE(prove_dleq(x.a, wrong, r));
}

TEST(Dleq, TakesAChallengeAboveTheOrderAndNoSuchResponse) {
  Bytes wire(64);
  std::fill(wire.begin(), wire.begin() + 32, std::uint8_t{0xff});
  EXPECT_TRUE(DleqProof::parse(wire));
  std::fill(wire.begin() + 32, wire.end(), std::uint8_t{0xff});
  EXPECT_FALSE(DleqProof::parse(wire));
  EXPECT_FALSE(DleqProof::parse(Bytes(63)));
  EXPECT_FALSE(DleqProof::parse(Bytes(65)));
}

}  // namespace
}  // namespace kms::crypto
