// Deals of every shape the oracle has, and what a dishonest dealer could change.
#include "dkg/derive.h"
#include "tests/dkg/oracle.h"

namespace kms::dkg::test {
namespace {

struct Case {
  const Json* json;
  DealTerms terms;
  Position dealer;
  std::vector<crypto::SecretScalar> old_shares;
  bool pretends_zeros() const { return !json->at("pretended_zeros").as_array().empty(); }
  crypto::SecretScalar prekey_secret(Position receiver) const {
    return secret_of(json->at("prekey_secrets").as_array()[receiver - 1u]);
  }
};

Case read_case(const Json& json) {
  std::size_t n = number_of(json.at("n"));
  Base base = point_of(json.at("base")) == crypto::Point::generator() ? Base::g : Base::h;
  DealTerms terms{
      id_of<Sid>(json.at("sid")),
      base,
      number_of(json.at("m")),
      Threshold::make(static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(number_of(json.at("t")))).value(),
      n,
      {},
      {}};
  Case out{&json, std::move(terms), position_of(json.at("dealer")), {}};
  for (const Json& secret : json.at("prekey_secrets").as_array()) {
    out.terms.prekeys.push_back(crypto::multiply_generator(secret_of(secret)).point());
  }
  for (const Json& absent : json.at("absent").as_array()) out.terms.prekeys[number_of(absent) - 1].reset();
  for (const Json& share : json.at("old_shares").as_array()) {
    out.old_shares.push_back(secret_of(share));
    std::vector<crypto::Element> row(n);
    row[out.dealer - 1u] = crypto::multiply_generator(out.old_shares.back());
    out.terms.constant.push_back(row);
  }
  return out;
}

class Dealing : public testing::Test {
 protected:
  Dealing() : json_(own_vectors("deal.json")) {
    for (const Json& entry : json_.at("deals").as_array()) cases_.push_back(read_case(entry));
  }
  Json json_;
  std::vector<Case> cases_;
};

TEST_F(Dealing, GivesTheBytesOfTheOracle) {
  for (const Case& c : cases_) {
    if (c.pretends_zeros()) continue;  // below
    auto seed = deal_seed(secret_bytes_of(c.json->at("rand")), secret_bytes_of(c.json->at("node_secret")), c.terms.sid);
    Deal deal = make_deal(c.terms, c.dealer, seed, c.old_shares);
    EXPECT_EQ(to_hex(deal.body()), to_hex(deal_body(*c.json))) << c.json->at("case");
    EXPECT_EQ(deal.hash(), id_of<DealHash>(c.json->at("dh")));
  }
}

TEST_F(Dealing, ResamplesCoefficientsThatAreZeroAsTheOracleDoes) {
  std::size_t checked = 0;
  for (const Case& c : cases_) {
    for (const Json& zero : c.json->at("pretended_zeros").as_array()) {
      auto kappa = static_cast<std::uint32_t>(number_of(zero.at("kappa")));
      auto k = static_cast<std::uint16_t>(number_of(zero.at("k")));
      auto zeros = number_of(zero.at("count"));
      auto coefficient = derive(
          "KMS1/coef",
          [&](crypto::Transcript& out) {
            out.secret(hex_of(c.json->at("secret").at("seed"))).id(c.terms.sid).u16(c.dealer).u32(kappa).u16(k);
            out.bytes(Hash32{});
          },
          [&zeros](crypto::Transcript& transcript) {
            if (zeros == 0) return transcript.secret_scalar();
            --zeros;
            return crypto::SecretScalar();
          });
      const Json& expected = c.json->at("secret").at("coefficients").as_array()[kappa - 1].as_array()[k];
      EXPECT_EQ(to_bytes(coefficient.expose()), hex_of(expected));
      ++checked;
    }
  }
  EXPECT_GE(checked, 2u);
}

TEST_F(Dealing, OfEveryShapePassesAndOpensForEachReceiverPresent) {
  for (const Case& c : cases_) {
    auto deal = parsed<Deal>(deal_body(*c.json));
    auto verdict = check_deal(c.terms, deal);
    ASSERT_TRUE(verdict) << verdict.error().message;
    for (Position i = 1; i <= c.terms.receivers.n(); ++i) {
      if (!c.terms.prekeys[i - 1u]) {
        EXPECT_TRUE(deal.keys[0].ciphertexts[i - 1u].is_zero());
        continue;
      }
      auto opened = open_shares(c.terms, deal, i, c.prekey_secret(i));
      ASSERT_TRUE(std::holds_alternative<OwnShares>(opened)) << c.json->at("case") << ' ' << i;
      EXPECT_EQ(std::get<OwnShares>(opened).size(), c.terms.keys);
    }
  }
}

TEST_F(Dealing, WithAnyByteChangedIsRefusedAndHasAnotherHash) {
  for (const Case& c : cases_) {
    Bytes body = deal_body(*c.json);
    DealHash hash = parsed<Deal>(body).hash();
    std::size_t parsed_count = 0;
    for (std::size_t i = 0; i < body.size(); ++i) {
      for (std::uint8_t flip : {std::uint8_t{0x01}, std::uint8_t{0x80}}) {
        Bytes altered = body;
        altered[i] ^= flip;
        auto deal = Deal::parse(altered);
        if (!deal) continue;
        ++parsed_count;
        EXPECT_NE(deal->hash(), hash) << "byte " << i;
        EXPECT_FALSE(check_deal(c.terms, *deal)) << "byte " << i;
      }
    }
    EXPECT_GT(parsed_count, body.size() / 4);  // the test reaches the checks, not only the parser
  }
}

TEST_F(Dealing, ForAnotherSidDealerOrCountIsRefused) {
  auto deal = parsed<Deal>(deal_body(*cases_[1].json));
  auto refuses = [&](const DealTerms& terms) { return !check_deal(terms, deal).has_value(); };
  DealTerms terms = cases_[1].terms;
  EXPECT_FALSE(refuses(terms));
  terms.sid.bytes[0] ^= 1;
  EXPECT_TRUE(refuses(terms));
  terms = cases_[1].terms;
  terms.dealers = 1;  // dealer is 2
  EXPECT_TRUE(refuses(terms));
  terms = cases_[1].terms;
  terms.keys = 1;
  EXPECT_TRUE(refuses(terms));
  terms = cases_[1].terms;
  terms.receivers = Threshold::make(4, 2).value();
  EXPECT_TRUE(refuses(terms));
  terms = cases_[1].terms;
  terms.receivers = Threshold::make(5, 3).value();
  terms.prekeys.push_back(crypto::Point::generator());
  EXPECT_TRUE(refuses(terms));
  terms = cases_[1].terms;
  terms.base = Base::g;
  EXPECT_TRUE(refuses(terms));
}

TEST_F(Dealing, WithACiphertextForAnAbsentReceiverIsRefused) {
  Case& c = cases_[1];
  auto seed = deal_seed(secret_bytes_of(c.json->at("rand")), secret_bytes_of(c.json->at("node_secret")), c.terms.sid);
  Deal deal = make_deal(c.terms, c.dealer, seed);
  EXPECT_TRUE(check_deal(c.terms, deal));
  DealTerms absent = c.terms;
  absent.prekeys[2].reset();
  auto verdict = check_deal(absent, deal);
  ASSERT_FALSE(verdict);
  EXPECT_THAT(verdict.error().message, testing::HasSubstr("absent position 3"));
}

TEST_F(Dealing, OfAReshareMustShareTheOldShare) {
  const Case& c = cases_.back();
  ASSERT_FALSE(c.old_shares.empty());
  auto deal = parsed<Deal>(deal_body(*c.json));
  EXPECT_TRUE(check_deal(c.terms, deal));
  for (std::size_t k = 0; k < c.terms.keys; ++k) {
    DealTerms terms = c.terms;
    terms.constant[k][c.dealer - 1u] = crypto::Point::generator();
    EXPECT_FALSE(check_deal(terms, deal));
    terms.constant[k][c.dealer - 1u] = {};
    EXPECT_FALSE(check_deal(terms, deal));
  }
}

// A dealer that encrypts another share but proves everything rightly.
TEST_F(Dealing, WithAWrongShareIsCaughtByItsReceiverAndConvictedByTheComplaint) {
  Case& c = cases_[1];
  auto seed = deal_seed(secret_bytes_of(c.json->at("rand")), secret_bytes_of(c.json->at("node_secret")), c.terms.sid);
  // Lies about the prekey of receiver 4: the ciphertext opens under another one.
  DealTerms lying = c.terms;
  lying.prekeys[3] = crypto::Point::generator();
  Deal deal = make_deal(lying, c.dealer, seed);
  ASSERT_TRUE(check_deal(c.terms, deal));
  DealHash hash = deal.hash();
  EXPECT_TRUE(std::holds_alternative<OwnShares>(open_shares(c.terms, deal, 1, c.prekey_secret(1))));
  auto opened = open_shares(c.terms, deal, 4, c.prekey_secret(4));
  ASSERT_TRUE(std::holds_alternative<BadShare>(opened));
  std::uint32_t kappa = std::get<BadShare>(opened).kappa;
  EXPECT_EQ(kappa, 1u);
  Complaint complaint = make_complaint(c.terms, deal, hash, 4, kappa, c.prekey_secret(4), Hash32{1});
  EXPECT_EQ(judge(c.terms, deal, hash, complaint), ComplaintVerdict::convicts_dealer);
  Complaint lie = make_complaint(c.terms, deal, hash, 1, 1, c.prekey_secret(1), Hash32{1});
  EXPECT_EQ(judge(c.terms, deal, hash, lie), ComplaintVerdict::convicts_receiver);
}

// An IMPORT as PROTOCOL.md 12 has it: one member, base G, no prekeys, proofs of the key in the Link.
TEST(Import, GivesALinkThatVerifiesAndFailsWithoutItsProof) {
  auto node = crypto::NodeKey::from_secret(crypto::SecretScalar() + crypto::Scalar(7));
  ASSERT_TRUE(node);
  NetworkId network{{1}};
  Member member = Member::of(node->public_key());
  KeySetTerms terms{Origin::imported, Decider::simplex, KeySetId{{2}}, {Label{31337, {}}}};
  CeremonyHeader header{Kind::import,  false, terms, 0, 0, {}, 0, 1, {}, {{member, {}}}, Threshold::make(1, 1).value(),
                        FileHash{{3}}, 0,     {},    {}};
  EXPECT_EQ(parsed<CeremonyHeader>(header.body()).sid(), header.sid());
  EXPECT_TRUE(header.absent().empty());
  auto transcript = transcript_hash(header.sid(), {});
  EpochNames names = epoch_names(header, transcript);
  crypto::SecretScalar secret = crypto::SecretScalar() + crypto::Scalar(99);
  crypto::Point key = crypto::multiply_generator(secret).point();
  std::vector<KeyTable> tables{{key, {key}}};
  Root root = root_of(names, header.threshold, tables);
  Vote vote{Instance::slot, header.slot(), 1, VoteKind::finalize,
            value_hash(header.slot(), header.sid(), transcript, {})};
  auto sign = [&](const auto& message) {
    return Signatures{{1, node->sign(message.signing_digest(network, member.node))}};
  };
  Confirm confirm{header.slot(), transcript, root, 1};
  auto proof = crypto::prove_dleq(secret, crypto::Point::generator(), Hash32{5}, crypto::Point::generator(),
                                  import_context(header.key(1), header.sid()));
  ASSERT_TRUE(proof);
  Link link{header,
            {},
            final_certificate(vote, header.sid(), transcript, {}, sign(vote)),
            activation_certificate(confirm, {}, sign(confirm)),
            {},
            {},
            tables,
            {*proof}};
  auto record = verify_link(parsed<Link>(link.body()), network, nullptr, {key});
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_TRUE(record->is_released());
  EXPECT_EQ(record->link()->body(), link.body());
  link.import_proofs.clear();
  EXPECT_FALSE(verify_link(link, network, nullptr, {key}));
  auto other = crypto::prove_dleq(secret, crypto::Point::generator(), Hash32{5}, crypto::Point::generator(), Hash32{});
  link.import_proofs = {*other};
  EXPECT_FALSE(verify_link(link, network, nullptr, {key}));
}

}  // namespace
}  // namespace kms::dkg::test
