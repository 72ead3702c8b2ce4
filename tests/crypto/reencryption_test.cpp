#include "crypto/reencryption.h"

#include <gtest/gtest.h>

#include "crypto/polynomial.h"
#include "crypto/secret_point.h"
#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using boost::json::value;
using test::SeededEntropy;
using test::text_of;

struct Recipient {
  SecretScalar secret;
  Point point;
};
Recipient recipient_of(Entropy& entropy) {
  SecretScalar secret = SecretScalar::random(entropy);
  const Point point = multiply_generator(secret).point();
  return {std::move(secret), point};
}

std::function<void(Transcript&)> context_numbered(std::uint32_t number) {
  return [number](Transcript& transcript) { transcript.u32(number); };
}

struct Case {
  SeededEntropy entropy{11};
  SecretScalar share = SecretScalar::random(entropy);
  Point k = multiply_generator(SecretScalar::random(entropy)).point();
  Recipient recipient = recipient_of(entropy);
  ReencryptionStatement statement{context_numbered(1), k, recipient.point, multiply_generator(share).point()};
};

TEST(Reencryption, OpensForItsRecipientAndForNobodyElse) {
  Case it;
  const Reencryption sent = reencrypt(it.share, it.statement, it.entropy);
  EXPECT_TRUE(verify_reencryption(it.statement, sent));
  EXPECT_EQ(open_reencryption(sent.u, sent.w, it.recipient.secret)->expose(), ecdh_x(it.share, it.k).expose());
  const Recipient other = recipient_of(it.entropy);
  EXPECT_NE(open_reencryption(sent.u, sent.w, other.secret)->expose(), ecdh_x(it.share, it.k).expose());
  EXPECT_NE(sent.w.x(), ecdh_x(it.share, it.k).expose());
}

TEST(Reencryption, RefusesEveryOtherStatement) {
  Case it;
  const Reencryption sent = reencrypt(it.share, it.statement, it.entropy);
  auto is_accepted = [&](auto change) {
    ReencryptionStatement other = it.statement;
    change(other);
    return verify_reencryption(other, sent);
  };
  EXPECT_TRUE(is_accepted([](ReencryptionStatement&) {}));
  EXPECT_FALSE(is_accepted([](ReencryptionStatement& other) { other.context = context_numbered(2); }));
  EXPECT_FALSE(is_accepted([](ReencryptionStatement& other) { other.k = -other.k; }));
  EXPECT_FALSE(is_accepted([](ReencryptionStatement& other) { other.recipient = -other.recipient; }));
  EXPECT_FALSE(is_accepted([](ReencryptionStatement& other) { other.s = -other.s; }));
}

TEST(Reencryption, RefusesEveryChangeOfWhatWasSent) {
  Case it;
  const Reencryption sent = reencrypt(it.share, it.statement, it.entropy);
  const auto& [c, z_s, z_r] = sent.proof;
  const Scalar one(1);
  EXPECT_FALSE(verify_reencryption(it.statement, {-sent.u, sent.w, sent.proof}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, -sent.w, sent.proof}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.w, sent.u, sent.proof}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, sent.w, {c + one, z_s, z_r}}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, sent.w, {c, z_s + one, z_r}}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, sent.w, {c, z_s, z_r + one}}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, sent.w, {Scalar(), z_s, z_r}}));
  EXPECT_FALSE(verify_reencryption(it.statement, {sent.u, sent.w, {}}));
}

// Each of the three equations is needed: a liar who satisfies the two others is refused.
TEST(Reencryption, RefusesALiarWhoProvesAllButOneEquation) {
  Case it;
  const SecretScalar other_share = SecretScalar::random(it.entropy);
  // W of another share: A1 holds for no share of S.
  EXPECT_FALSE(verify_reencryption(it.statement, reencrypt(other_share, it.statement, it.entropy)));
  // A true proof for another P, another K.
  ReencryptionStatement other = it.statement;
  other.recipient = recipient_of(it.entropy).point;
  EXPECT_FALSE(verify_reencryption(it.statement, reencrypt(it.share, other, it.entropy)));
  // U with another r than W: only the second equation sees it.
  Reencryption sent = reencrypt(it.share, it.statement, it.entropy);
  sent.u = reencrypt(it.share, it.statement, it.entropy).u;
  EXPECT_FALSE(verify_reencryption(it.statement, sent));
}

TEST(Reencryption, NeverRepeatsItsMask) {
  Case it;
  const Reencryption first = reencrypt(it.share, it.statement, it.entropy);
  EXPECT_FALSE(first.u == reencrypt(it.share, it.statement, it.entropy).u);
  // Not even with a generator that repeats, when the statement is another one.
  for (int field = 0; field < 3; ++field) {
    Case again;
    if (field == 0) again.statement.context = context_numbered(2);
    if (field == 1) again.statement.k = -again.statement.k;
    if (field == 2) again.statement.recipient = -again.statement.recipient;
    EXPECT_FALSE(first.u == reencrypt(again.share, again.statement, again.entropy).u) << field;
  }
}

TEST(Reencryption, ParsesWhatItWritesAndNoScalarOutOfRange) {
  Case it;
  const ReencryptionProof proof = reencrypt(it.share, it.statement, it.entropy).proof;
  const auto wire = proof.bytes();
  EXPECT_EQ(ReencryptionProof::parse(wire).value(), proof);
  EXPECT_FALSE(ReencryptionProof::parse(ByteView(wire).first(95)));
  for (std::size_t at : {0, 32, 64}) {
    auto bad = wire;
    std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(at), 32, std::uint8_t{0xff});
    EXPECT_FALSE(ReencryptionProof::parse(bad)) << at;
  }
}

TEST(Reencryption, NamesWhatIsNoCiphertext) {
  Case it;
  const Point u = it.k;
  const Point w = multiply(it.recipient.secret, u).point();
  EXPECT_FALSE(open_reencryption(u, w, it.recipient.secret));
  EXPECT_TRUE(is_plus_or_minus(u, -u) && is_plus_or_minus(u, u) && !is_plus_or_minus(u, w));
}

TEST(SecretPoint, AddsAsPublicPointsDo) {
  SeededEntropy entropy(12);
  for (int i = 0; i < 20; ++i) {
    const SecretScalar a = SecretScalar::random(entropy);
    const SecretScalar b = SecretScalar::random(entropy);
    const Point x = multiply_generator(entropy.scalar()).point();
    const Point y = multiply_generator(entropy.scalar()).point();
    const Element sum = multiply(a, x) + multiply(b, y);
    const SecretPoint left = SecretPoint::product(a, x);
    EXPECT_EQ(left.publish_sum(SecretPoint::product(b, y)), sum);
    EXPECT_EQ(left.x_of_sum(SecretPoint::product(b, y))->expose(), sum.point().x());
    EXPECT_TRUE(left.publish_sum(-left).is_infinity());
    EXPECT_FALSE(left.x_of_sum(-left));
    EXPECT_EQ(left.publish_sum(left), multiply(a, x) + multiply(a, x));
  }
}

TEST(Oracle, ReencryptsAlike) {
  const value v = test::own_vectors("partial_c.json");
  const Point k = test::point(text_of(v, "K"));
  const Point recipient = test::point(text_of(v, "P"));
  std::map<Position, Reencryption> sent;
  for (const value& each : v.at("partials").as_array()) {
    const auto index = static_cast<Position>(each.at("index").as_int64());
    const auto at = static_cast<std::size_t>(index - 1);
    const ReencryptionStatement statement{[&](Transcript& transcript) {
                                            transcript.bytes(test::hex(text_of(v, "key_id")))
                                                .u32(static_cast<std::uint32_t>(v.at("epoch").as_int64()))
                                                .bytes(test::hex(text_of(v, "T")))
                                                .u16(index)
                                                .bytes(test::hex(text_of(v, "rh")));
                                          },
                                          k, recipient, test::point(std::string(v.at("S_i").at(at).as_string()))};
    Bytes random;
    for (const value& drawn : each.at("rands").as_array()) {
      const Bytes bytes = test::hex_of(drawn);
      random.insert(random.end(), bytes.begin(), bytes.end());
    }
    test::ScriptedEntropy entropy(random);
    const SecretScalar share = test::secret(std::string(v.at("shares").at(at).as_string()));
    const Reencryption made = reencrypt(share, statement, entropy);
    EXPECT_TRUE(entropy.is_used_up());
    EXPECT_EQ(to_hex(made.u.bytes()), text_of(each, "U"));
    EXPECT_EQ(to_hex(made.w.bytes()), text_of(each, "W"));
    EXPECT_EQ(to_hex(made.proof.bytes()), text_of(each, "c") + text_of(each, "z_s") + text_of(each, "z_r"));
    EXPECT_TRUE(verify_reencryption(statement, made));
    sent.emplace(index, made);
  }
  for (const value& each : v.at("combined").as_array()) {
    std::vector<Position> positions;
    std::vector<Element> us;
    std::vector<Element> ws;
    for (const value& index : each.at("from").as_array()) {
      positions.push_back(static_cast<Position>(index.as_int64()));
      us.push_back(sent.at(positions.back()).u);
      ws.push_back(sent.at(positions.back()).w);
    }
    const Element u = interpolate(positions, us);
    const Element w = interpolate(positions, ws);
    EXPECT_EQ(to_hex(u.bytes()), text_of(each, "U"));
    EXPECT_EQ(to_hex(w.bytes()), text_of(each, "W"));
    const auto x = open_reencryption(u.point(), w.point(), test::secret(text_of(v, "p")));
    EXPECT_EQ(to_hex(x->expose()), text_of(each, "sK").substr(2));
  }
}

}  // namespace
}  // namespace kms::crypto
