// The vectors of the plain-Python oracle (tests/oracle) that crypto/ alone can answer.
#include <gtest/gtest.h>

#include "crypto/dleq.h"
#include "crypto/eip712.h"
#include "crypto/hkdf.h"
#include "crypto/polynomial.h"
#include "crypto/schnorr.h"
#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using boost::json::value;
using test::text_of;

Bytes bytes_of(const value& object, std::string_view key) {
  return test::hex(text_of(object, key));
}
Hash32 hash_of(const value& object, std::string_view key) {
  return to_array<32>(bytes_of(object, key));
}
Point point_of(const value& object, std::string_view key) {
  return test::point(text_of(object, key));
}
template <class Integer>
Integer integer_of(const value& object, std::string_view key) {
  return static_cast<Integer>(object.at(key).as_int64());
}
template <class Parse>
auto list_of(const value& object, std::string_view key, Parse parse) {
  std::vector<decltype(parse(object))> out;
  for (const value& each : object.at(key).as_array()) out.push_back(parse(each));
  return out;
}
Element element_of(const value& text) {
  return Element::parse(test::hex(std::string(text.as_string()))).value();
}

TEST(Oracle, HashesItemsAlike) {
  value vectors = test::own_vectors("anchors.json");
  for (const value& each : vectors.at("hash").as_array()) {
    Transcript hash("KMS1/test");
    Transcript scalar("KMS1/test");
    for (const value& item : each.at("items").as_array()) {
      Bytes bytes = test::hex(std::string(item.as_string()));
      hash.bytes(bytes);
      scalar.bytes(bytes);
    }
    EXPECT_EQ(to_hex(hash.hash()), text_of(each, "hash"));
    EXPECT_EQ(to_hex(scalar.scalar_hash().bytes()), text_of(each, "scalar"));
  }
  for (const value& each : vectors.at("keccak256").as_array()) {
    EXPECT_EQ(to_hex(keccak256(bytes_of(each, "message"))), text_of(each, "hash"));
  }
  for (const value& each : vectors.at("hkdf").as_array()) {
    auto key = hkdf_sha256(bytes_of(each, "ikm"), bytes_of(each, "salt"), bytes_of(each, "info"), 32);
    EXPECT_EQ(to_hex(key.expose()), text_of(each, "okm"));
  }
  EXPECT_EQ(point_of(vectors, "G"), Point::generator());
  EXPECT_EQ(point_of(vectors, "H"), Point::second_generator());
}

TEST(Oracle, SignsAlike) {
  value vectors = test::own_vectors("anchors.json");
  for (const value& each : vectors.at("ecdsa").as_array()) {
    NodeKey key = NodeKey::from_secret(test::secret(text_of(each, "secret"))).value();
    EXPECT_EQ(to_hex(key.sign(hash_of(each, "digest")).bytes), text_of(each, "sig"));
    EXPECT_EQ(to_hex(key.node_id()), text_of(each, "node_id"));
  }
}

TEST(Oracle, AcceptsTheSamePointsAndScalars) {
  value vectors = test::own_vectors("curve.json");
  for (const value& each : vectors.at("points").as_array()) {
    EXPECT_EQ(Point::parse(bytes_of(each, "bytes")).has_value(), each.at("ok").as_bool()) << each;
  }
  for (const value& each : vectors.at("scalars").as_array()) {
    auto scalar = Scalar::parse(bytes_of(each, "bytes"));
    EXPECT_EQ(scalar.has_value(), each.at("ok").as_bool()) << each;
    EXPECT_EQ(scalar && !scalar->is_zero(), each.at("ok_as_key").as_bool()) << each;
  }
}

TEST(Oracle, EvaluatesThroughInfinityAlike) {
  value vectors = test::own_vectors("curve.json");
  for (const value& each : vectors.at("horner").as_array()) {
    auto commitments = list_of(each, "commitments", element_of);
    EXPECT_EQ(evaluate_commitments(commitments, integer_of<Position>(each, "x")), element_of(each.at("value")));
  }
  const value& table = vectors.at("table_with_infinity");
  auto members = list_of(table, "members", element_of);
  std::vector<Element> first(members.begin(), members.begin() + integer_of<int>(table, "t"));
  EXPECT_EQ(interpolate({1, 2, 3}, first), Element(point_of(table, "S")));
  for (Position i = 1; i <= members.size(); ++i) EXPECT_EQ(interpolate({1, 2, 3}, first, i), members[i - 1U]);
}

TEST(Oracle, InterpolatesAlike) {
  value vectors = test::own_vectors("lagrange.json");
  for (const value& each : vectors.at("cases").as_array()) {
    auto positions = list_of(each, "indices", [](const value& i) { return i.to_number<Position>(); });
    auto expected =
        list_of(each, "lambda", [](const value& text) { return test::scalar(std::string(text.as_string())); });
    EXPECT_EQ(lagrange_coefficients(positions, integer_of<Position>(each, "x")), expected);
  }
}

DleqStatement statement_of(const value& each) {
  return {point_of(each, "A"), point_of(each, "B"), point_of(each, "C"), point_of(each, "generator"),
          hash_of(each, "m")};
}

void expect_dleq(const value& each) {
  SecretScalar a = test::secret(text_of(each, "a"));
  auto proof = prove_dleq(a, point_of(each, "B"), hash_of(each, "r"), point_of(each, "generator"), hash_of(each, "m"));
  EXPECT_EQ(to_hex(proof.value().bytes()), text_of(each, "proof")) << each;
  EXPECT_EQ(prove_dleq(a, statement_of(each), hash_of(each, "r"), SelfCheck::off).value(), *proof);
  EXPECT_TRUE(verify_dleq(statement_of(each), *proof));
}

TEST(Oracle, ProvesEveryUseOfDleqAlike) {
  value vectors = test::own_vectors("dleq.json");
  for (const value& each : vectors.at("uses").as_array()) {
    Transcript message(text_of(each, "tag"));
    for (const value& item : each.at("items").as_array()) message.bytes(test::hex(std::string(item.as_string())));
    EXPECT_EQ(to_hex(message.hash()), text_of(each, "m"));
    expect_dleq(each);
  }
}

TEST(Oracle, ForgesNothingByShortChallenges) {
  value vectors = test::own_vectors("forgeries.json");
  expect_dleq(vectors.at("honest"));
  for (const value& each : vectors.at("refused").as_array()) {
    auto proof = DleqProof::parse(bytes_of(each, "proof"));
    EXPECT_FALSE(proof && verify_dleq(statement_of(each), *proof)) << each;
  }
}

// Gives the bytes of a vector once.
class GivenEntropy final : public Entropy {
 public:
  explicit GivenEntropy(Hash32 bytes) : bytes_(bytes) {}
  void fill(MutableByteView out) override {
    ASSERT_EQ(out.size(), 32U);
    std::memcpy(out.data(), bytes_.data(), 32);
  }

 private:
  Hash32 bytes_;
};

Statement ephpok(const value& v, Bytes label, Hash32 ct_hash, Point k) {
  return {"KMS1/ephpok", [&v, label, ct_hash, k](Transcript& transcript) {
            transcript.bytes(hash_of(v, "key_id")).bytes(label).point(k).bytes(ct_hash);
          }};
}

TEST(Oracle, ProvesKnowledgeAlike) {
  value v = test::own_vectors("ephpok.json");
  Point k = point_of(v, "K");
  Bytes label = bytes_of(v, "label");
  Hash32 ct_hash = hash_of(v, "ct_hash");
  GivenEntropy entropy(hash_of(v, "rand"));
  SchnorrProof proof = prove_schnorr(test::secret(text_of(v, "k")), ephpok(v, label, ct_hash, k), entropy);
  EXPECT_EQ(to_hex(proof.bytes()), text_of(v, "pok"));
  EXPECT_TRUE(verify_schnorr(k, ephpok(v, label, ct_hash, k), proof));
  for (const value& other : v.at("refused_for_labels").as_array()) {
    Bytes other_label = test::hex(std::string(other.as_string()));
    EXPECT_FALSE(verify_schnorr(k, ephpok(v, other_label, ct_hash, k), proof));
  }
  for (const value& other : v.at("refused_for_ct_hash").as_array()) {
    Hash32 other_hash = to_array<32>(test::hex(std::string(other.as_string())));
    EXPECT_FALSE(verify_schnorr(k, ephpok(v, label, other_hash, k), proof));
  }
  for (const value& other : v.at("refused_for_K").as_array()) {
    Point other_k = test::point(std::string(other.as_string()));
    EXPECT_FALSE(verify_schnorr(other_k, ephpok(v, label, ct_hash, other_k), proof));
  }
}

void expect_signed(const value& each, std::string_view field, const Hash32& digest, const Address& by) {
  auto signature = RecoverableSignature::parse_ethereum(bytes_of(each, field));
  ASSERT_TRUE(signature) << each;
  EXPECT_EQ(address_of(recover(*signature, digest).value()), by);
}

TEST(Oracle, HashesDelegationsAlike) {
  value vectors = test::own_vectors("eip712.json");
  Address requester = Address::parse(text_of(vectors, "requester")).value();
  for (const value& each : vectors.at("v0").as_array()) {
    Hash32 digest = delegate_authorization_digest(integer_of<std::uint64_t>(each, "chain_id"),
                                                  text_of(each, "ephemeralPubKey"), text_of(each, "targetPubKey"));
    EXPECT_EQ(to_hex(digest), text_of(each, "digest"));
    expect_signed(each, "sig", digest, requester);
    if (each.as_object().contains("sig_high_s")) expect_signed(each, "sig_high_s", digest, requester);
  }
  for (const value& each : vectors.at("v1").as_array()) {
    DelegationAuthorization signed_fields;
    signed_fields.network_id = hash_of(vectors, "network_id");
    signed_fields.key_id = hash_of(vectors, "key_id");
    signed_fields.form = integer_of<std::uint8_t>(each, "form");
    signed_fields.entry = Address::parse(text_of(each, "entry")).value();
    signed_fields.ephemeral = point_of(vectors, "K").bytes();
    signed_fields.target_kind = integer_of<std::uint8_t>(each, "target_kind");
    signed_fields.target = bytes_of(each, "target");
    signed_fields.nonce = hash_of(each, "nonce");
    signed_fields.deadline = integer_of<std::uint64_t>(each, "deadline");
    Hash32 digest = delegation_authorization_digest(integer_of<std::uint64_t>(each, "chain_id"), signed_fields);
    EXPECT_EQ(to_hex(digest), text_of(each, "digest"));
    expect_signed(each, "sig", digest, requester);
  }
  const value& response = vectors.at("v0_response");
  EXPECT_EQ(to_hex(delegate_response_digest(integer_of<std::uint64_t>(response, "chain_id"), hash_of(response, "salt"),
                                            text_of(response, "encryptedSharedSecret"))),
            text_of(response, "digest"));
}

}  // namespace
}  // namespace kms::crypto
