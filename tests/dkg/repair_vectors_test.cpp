// Position 2 of the oracle's DKG gets its two shares from 1, 3 and 4, byte by byte as the oracle has it.
#include "dkg/repair_parts.h"
#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

constexpr Position kGivers[] = {1, 3, 4};

class RepairVectors : public testing::Test {
 protected:
  RepairVectors()
      : json_(own_vectors("repair.json")),
        terms_{parsed<RepairRequest>(repair_request_body(json_.at("request"))), id_of<Rid>(json_.at("rid")), 2},
        tables_(tables_of(json_.at("tables"))) {}

  NetworkId network() const { return id_of<NetworkId>(json_.at("network_id")); }
  const boost::json::array& givers() const { return json_.at("givers").as_array(); }
  const Json& giver(Position position) const {
    for (const Json& one : givers()) {
      if (position_of(one.at("index")) == position) return one;
    }
    throw std::runtime_error("no such giver");
  }
  static KeyScalars scalars_of(const Json& list) {
    KeyScalars out;
    for (const Json& one : list.as_array()) out.push_back(secret_of(one));
    return out;
  }
  RepairDelta delta(Position position) const {
    return parsed<RepairDelta>(repair_delta_body(giver(position).at("delta")));
  }
  std::vector<DeltaHash> hashes() const {
    std::vector<DeltaHash> out;
    for (const Json& one : givers()) out.push_back(delta(position_of(one.at("index"))).hash());
    return out;
  }
  RepairSigma sigma(Position position) const {
    return parsed<RepairSigma>(repair_sigma_body(giver(position).at("sigma")));
  }
  crypto::SecretScalar prekey(Position position) const { return secret_of(giver(position).at("prekey_secret")); }

  // The maker's signature over a message is the oracle's.
  template <class M>
  void expect_signed(const M& message, const Json& node_key, const Json& signature) const {
    auto node = crypto::NodeKey::from_secret(secret_of(node_key)).value();
    const NodeId sender{node.node_id()};
    const auto digest = message.signing_digest(network(), sender);
    EXPECT_EQ(to_hex(digest), std::string_view(signature.at("digest").as_string()));
    EXPECT_EQ(to_hex(node.sign(digest).bytes), std::string_view(signature.at("sig").as_string()));
  }

  Json json_;
  RepairTerms terms_;
  std::vector<KeyTable> tables_;
};

TEST_F(RepairVectors, TheRequestHasTheRidAndItsProof) {
  EXPECT_EQ(terms_.request.rid(), terms_.rid);
  EXPECT_TRUE(verify_target(terms_.request, network()));
  auto again = terms_.request;
  ScriptedEntropy entropy(hex_of(json_.at("pok_rand")));
  prove_target(again, network(), secret_of(json_.at("y")), entropy);
  EXPECT_EQ(again.pok.bytes(), terms_.request.pok.bytes());
  again.index = 3;
  EXPECT_FALSE(verify_target(again, network()));
  EXPECT_NE(again.rid(), terms_.rid);
}

TEST_F(RepairVectors, EachGiverMakesTheOraclesDeltaAndSigma) {
  for (const Json& one : givers()) {
    const auto position = position_of(one.at("index"));
    const auto seed = repair_seed(secret_bytes_of(one.at("rand")), secret_bytes_of(one.at("node_secret")), terms_.rid);
    EXPECT_EQ(to_hex(seed.expose()), std::string_view(one.at("seed").as_string()));
    ScriptedEntropy delta_entropy(hex_of(one.at("delta_rand")));
    const auto made = make_delta(terms_, position, scalars_of(one.at("shares")), seed, delta_entropy);
    EXPECT_EQ(made.body(), repair_delta_body(one.at("delta")));
    EXPECT_EQ(made.hash(), id_of<DeltaHash>(one.at("delta").at("dhash")));
    expect_signed(made, one.at("node_key"), one.at("delta_signature"));
    ScriptedEntropy sigma_entropy(hex_of(one.at("sigma_rand")));
    const auto sum = make_sigma(terms_, position, hashes(), scalars_of(one.at("sums")), seed, sigma_entropy);
    EXPECT_EQ(sum.body(), repair_sigma_body(one.at("sigma")));
    EXPECT_EQ(sum.hash(), id_of<SigmaHash>(one.at("sigma").at("shash")));
    expect_signed(sum, one.at("node_key"), one.at("sigma_signature"));
  }
}

TEST_F(RepairVectors, ColumnsAndSumsGiveTheSharesOfTheTable) {
  std::vector<RepairDelta> deltas;
  for (Position from : kGivers) deltas.push_back(delta(from));
  std::vector<const RepairDelta*> in_order;
  for (const auto& one : deltas) {
    EXPECT_TRUE(check_delta(terms_, one, tables_));
    in_order.push_back(&one);
  }
  std::vector<KeyScalars> sums;
  for (Position to : kGivers) {
    std::vector<KeyScalars> column;
    for (const auto& one : deltas) {
      auto opened = open_delta(terms_, one, to, prekey(to));
      ASSERT_TRUE(std::holds_alternative<KeyScalars>(opened));
      column.push_back(std::move(std::get<KeyScalars>(opened)));
    }
    const auto summed = sum_parts(column);
    const auto expected = scalars_of(giver(to).at("sums"));
    for (std::size_t key = 0; key < 2; ++key) EXPECT_EQ(summed[key].expose(), expected[key].expose());
    EXPECT_TRUE(check_sigma(terms_, sigma(to)));
    auto opened = open_sigma(terms_, sigma(to), in_order, secret_of(json_.at("y")));
    ASSERT_TRUE(std::holds_alternative<KeyScalars>(opened));
    sums.push_back(std::move(std::get<KeyScalars>(opened)));
  }
  const auto shares = sum_parts(sums);
  const auto expected = scalars_of(json_.at("shares"));
  for (std::size_t key = 0; key < 2; ++key) {
    EXPECT_EQ(shares[key].expose(), expected[key].expose());
    EXPECT_EQ(crypto::multiply_generator(shares[key]), tables_[key].share(2));
  }
}

TEST_F(RepairVectors, CopiedEphemeralsAndPartsOfAnotherShareAreRefused) {
  ASSERT_EQ(json_.at("refused").as_array().size(), 5u);
  for (const Json& row : json_.at("refused").as_array()) {
    const auto name = std::string(row.at("case").as_string());
    if (row.at("kind").as_string() == "sigma") {
      EXPECT_FALSE(check_sigma(terms_, parsed<RepairSigma>(repair_sigma_body(row.at("message"))))) << name;
    } else {
      EXPECT_FALSE(check_delta(terms_, parsed<RepairDelta>(repair_delta_body(row.at("message"))), tables_)) << name;
    }
  }
  RepairTerms other = terms_;
  other.rid.bytes[0] ^= 1;
  EXPECT_FALSE(check_delta(other, delta(1), tables_));
  EXPECT_FALSE(check_sigma(other, sigma(1)));
  auto stranger = delta(1);
  stranger.giver = 2;
  EXPECT_FALSE(check_delta(terms_, stranger, tables_));
}

TEST_F(RepairVectors, AWrongPartOfADeltaIsFoundByItsReceiverAndTheComplaintConvicts) {
  const Json& wrong = json_.at("wrong_delta");
  const auto bad = parsed<RepairDelta>(repair_delta_body(wrong.at("delta")));
  EXPECT_TRUE(check_delta(terms_, bad, tables_));
  EXPECT_TRUE(std::holds_alternative<KeyScalars>(open_delta(terms_, bad, 4, prekey(4))));
  const auto opened = open_delta(terms_, bad, 1, prekey(1));
  ASSERT_TRUE(std::holds_alternative<BadPart>(opened));
  const auto complaint =
      complain(terms_, bad, 1, std::get<BadPart>(opened).kappa, prekey(1), to_array<32>(hex_of(wrong.at("rand"))));
  EXPECT_EQ(complaint.body(), repair_complaint_body(wrong.at("complaint")));
  expect_signed(complaint, giver(1).at("node_key"), wrong);
  EXPECT_TRUE(convicts(terms_, bad, complaint));
  auto altered = complaint;
  altered.kappa = 1;
  EXPECT_FALSE(convicts(terms_, bad, altered)) << "the part of key 1 is right";
  EXPECT_FALSE(convicts(terms_, delta(3), complaint)) << "it is about another delta";
  altered = complaint;
  altered.accuser = 4;
  EXPECT_FALSE(convicts(terms_, bad, altered));
  EXPECT_FALSE(convicts(terms_, delta(3), complain(terms_, delta(3), 1, 2, prekey(1), {}))) << "nothing is wrong";
}

TEST_F(RepairVectors, AWrongSumIsFoundByTheRequesterAndTheComplaintConvicts) {
  const Json& wrong = json_.at("wrong_sigma");
  const auto bad = parsed<RepairSigma>(repair_sigma_body(wrong.at("sigma")));
  const std::vector<RepairDelta> deltas{delta(1), delta(3), delta(4)};
  const std::vector<const RepairDelta*> in_order{&deltas[0], &deltas[1], &deltas[2]};
  EXPECT_TRUE(check_sigma(terms_, bad));
  const auto y = secret_of(json_.at("y"));
  const auto opened = open_sigma(terms_, bad, in_order, y);
  ASSERT_TRUE(std::holds_alternative<BadPart>(opened));
  const auto complaint =
      complain(terms_, bad, std::get<BadPart>(opened).kappa, y, to_array<32>(hex_of(wrong.at("rand"))));
  EXPECT_EQ(complaint.body(), repair_complaint_body(wrong.at("complaint")));
  EXPECT_TRUE(convicts(terms_, bad, in_order, complaint));
  EXPECT_FALSE(convicts(terms_, sigma(4), in_order, complain(terms_, sigma(4), 1, y, {}))) << "nothing is wrong";
  auto altered = complaint;
  altered.accuser = 1;
  EXPECT_FALSE(convicts(terms_, bad, in_order, altered)) << "only the requester can open it";
  // Its giver added up other parts than the requester holds, because giver 3 sent two deltas.
  const auto second = parsed<RepairDelta>(repair_delta_body(json_.at("wrong_delta").at("delta")));
  const std::vector<const RepairDelta*> others{&deltas[0], &second, &deltas[2]};
  EXPECT_FALSE(convicts(terms_, bad, others, complaint)) << "these are not the deltas that were added up";
}

}  // namespace
}  // namespace kms::dkg::test
