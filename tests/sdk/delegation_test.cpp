#include "sdk/delegation.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "sdk/node_url.h"
#include "tests/sdk/local_kms.h"

namespace kms::sdk {
namespace {

class Delegating : public testing::Test {
 protected:
  kms::io::OsEntropy entropy;
  crypto::SecretScalar gateway_key = crypto::SecretScalar::random(entropy);
  tests::LocalKms kms{crypto::SecretScalar::random(entropy), crypto::SecretScalar::random(entropy),
                      crypto::address_of(crypto::multiply_generator(gateway_key).point())};
  Ciphertext ciphertext = encrypt(kms.public_key(), 31337, as_bytes("hello"), entropy).value();

  static const crypto::RsaPrivateKey& requester() {
    static const auto key = crypto::RsaPrivateKey::generate(2048);
    return key;
  }
  DelegationRequest request() {
    return sign_request(gateway_key, 31337, ciphertext.sealed, requester().public_spki(), entropy).value();
  }
  std::string answer_to(const DelegationRequest& asked) {
    auto answer = kms.delegate(asked.chain_id, asked.salt, asked.authorization, asked.body, entropy);
    EXPECT_TRUE(answer) << answer.error().message;
    return boost::json::serialize(*answer);
  }
  Delegated delegated() {
    auto asked = request();
    return {verify_answer(asked, answer_to(asked), kms.signer()).value(), ciphertext};
  }
};

TEST_F(Delegating, ATextComesBackThroughEveryDocument) {
  auto again = ciphertext_from(to_json(ciphertext));
  ASSERT_TRUE(again) << again.error().message;
  auto document = to_json(delegated());
  auto parsed = delegated_from(document);
  ASSERT_TRUE(parsed) << parsed.error().message;
  auto text = open(*parsed, requester());
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(as_text(text->expose()), "hello");
  EXPECT_EQ(parsed->delegation.signer, kms.signer());
}

TEST_F(Delegating, TheRequestNamesChainAndSaltInItsTarget) {
  const auto asked = request();
  EXPECT_EQ(asked.target, "/v0/delegate?chain_id=31337&salt=" + to_0x(asked.salt));
  EXPECT_NE(request().salt, asked.salt);
}

TEST_F(Delegating, RefusesAChainThatV0CannotName) {
  EXPECT_FALSE(
      sign_request(gateway_key, std::uint64_t{1} << 32, ciphertext.sealed, requester().public_spki(), entropy));
}

TEST_F(Delegating, RefusesAnAnswerByAnotherSignerAndNamesBoth) {
  auto asked = request();
  const crypto::Address other{{1}};
  auto refused = verify_answer(asked, answer_to(asked), other);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(kms.signer().hex()), std::string::npos);
  EXPECT_NE(refused.error().message.find(other.hex()), std::string::npos);
  EXPECT_EQ(verify_answer(asked, answer_to(asked), {})->signer, kms.signer());
}

TEST_F(Delegating, RefusesAProofForAnotherSaltOrSecret) {
  auto asked = request();
  const std::string answer = answer_to(asked);
  auto other = asked;
  other.salt[0] ^= 1;
  EXPECT_FALSE(verify_answer(other, answer, kms.signer()));
  std::string changed = answer;
  char& digit = changed[changed.find("0x") + 10];
  digit = digit == '0' ? '1' : '0';
  EXPECT_FALSE(verify_answer(asked, changed, kms.signer()));
  auto chain = asked;
  chain.chain_id = 1;
  EXPECT_FALSE(verify_answer(chain, answer, kms.signer()));
}

TEST_F(Delegating, RefusesAnswersOfTheWrongShape) {
  const auto asked = request();
  const std::string proof(130, '1');
  for (const std::string& body :
       {std::string(), std::string("[]"), std::string("{}"),
        std::string("{\"encryptedSharedSecret\":1,\"proof\":\"0x\"}"),
        "{\"encryptedSharedSecret\":\"0x00\",\"proof\":\"0x" + proof + "\"}",
        "{\"encryptedSharedSecret\":\"0x" + std::string(512, 'z') + "\",\"proof\":\"0x" + proof + "\"}",
        "{\"encryptedSharedSecret\":\"0x" + std::string(512, '1') + "\",\"proof\":\"0x11\"}",
        "{\"encryptedSharedSecret\":\"0x" + std::string(512, '1') + "\",\"proof\":\"0x" + proof + "\"}",
        std::string(20000, ' ')}) {
    EXPECT_FALSE(verify_answer(asked, body, {})) << body.substr(0, 80);
  }
}

TEST_F(Delegating, ADocumentThatWasChangedDoesNotParse) {
  const auto document = to_json(delegated());
  for (const auto& member : document) {
    auto without = document;
    without.erase(member.key());
    EXPECT_FALSE(delegated_from(without)) << member.key();
  }
  auto signer = document;
  signer["signer"] = crypto::Address{{1}}.hex();
  EXPECT_NE(delegated_from(signer).error().message.find("was changed"), std::string::npos);
  auto salt = document;
  salt["salt"] = to_0x(Hash32{});
  EXPECT_FALSE(delegated_from(salt));
}

TEST_F(Delegating, SaysWhyADelegationDoesNotOpen) {
  const auto whole = delegated();
  auto stranger = open(whole, crypto::RsaPrivateKey::generate(2048));
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("another requester"), std::string::npos);
  Delegated swapped{whole.delegation, encrypt(kms.public_key(), 31337, as_bytes("other"), entropy).value()};
  auto other = open(swapped, requester());
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("another ciphertext"), std::string::npos);
}

TEST_F(Delegating, ACiphertextOfTheWrongShapeIsRefusedByName) {
  const auto good = to_json(ciphertext);
  auto refused = [&](const char* name, const auto& value) {
    auto changed = good;
    changed[name] = value;
    auto parsed = ciphertext_from(changed);
    return !parsed && parsed.error().message.find(name) != std::string::npos;
  };
  EXPECT_TRUE(refused("ephemeralPubKey", "0x02"));
  EXPECT_TRUE(refused("ephemeralPubKey", "0x02" + std::string(63, '0') + "5"));  // not on the curve
  EXPECT_TRUE(refused("nonce", to_0x(Bytes(11))));
  EXPECT_TRUE(refused("ciphertext", to_0x(Bytes(15))));
  EXPECT_TRUE(refused("ciphertext", 7));
  EXPECT_TRUE(refused("publicKey", to_0x(Bytes(33))));
  EXPECT_TRUE(refused("chainId", -1));
  EXPECT_TRUE(refused("chainId", "31337"));
  auto without_chain = good;
  without_chain.erase("chainId");
  EXPECT_FALSE(ciphertext_from(without_chain)->chain_id);
}

TEST_F(Delegating, TheLargestTextIsEncryptedAndALongerOneRefused) {
  const Bytes largest(kPlaintextBytesMax, 'a');
  auto sealed = encrypt(kms.public_key(), 1, largest, entropy);
  ASSERT_TRUE(sealed);
  EXPECT_TRUE(ciphertext_from(to_json(*sealed)));
  EXPECT_FALSE(encrypt(kms.public_key(), 1, Bytes(kPlaintextBytesMax + 1), entropy));
}

TEST(NodeUrl, AcceptsHostsAndPorts) {
  auto text = [](const char* url) {
    auto parsed = NodeUrl::parse(url);
    return parsed ? parsed->text() : parsed.error().message;
  };
  EXPECT_EQ(text("http://127.0.0.1:9101"), "http://127.0.0.1:9101");
  EXPECT_EQ(text("http://127.0.0.1:9101/"), "http://127.0.0.1:9101");
  EXPECT_EQ(text("http://kms.example"), "http://kms.example:80");
  EXPECT_EQ(text("http://[::1]:9101"), "http://[::1]:9101");
}

TEST(NodeUrl, RefusesWhatIsNoPlainNodeAddress) {
  for (const char* url : {"", "127.0.0.1:9101", "https://a", "http://", "http://:80", "http://a:0", "http://a:65536",
                          "http://a:", "http://a:9x", "http://a/b", "http://u@a", "http://a?b", "http://[::1",
                          "http://[::1]x", "http://a b", "http://a\r\nX: y", "ftp://a", "HTTP://a"}) {
    auto parsed = NodeUrl::parse(url);
    EXPECT_FALSE(parsed) << url;
  }
}

}  // namespace
}  // namespace kms::sdk
