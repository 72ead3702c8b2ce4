#include "crypto/ecies.h"

#include "base/io/os_entropy.h"
#include "vector_file.h"

namespace kms::crypto {
namespace {
using test::hex_of;

TEST(Ecies, MatchesVectorsOfWebCryptoBothWays) {
  const auto file = test::own_vectors("ecies.json");
  for (const auto& c : file.at("cases").as_array()) {
    SCOPED_TRACE(c.at("name").as_string().c_str());
    auto public_key = Point::parse(hex_of(c.at("publicKey")));
    ASSERT_TRUE(public_key);
    Bytes drawn = hex_of(c.at("ephemeralPrivateKey"));
    append(drawn, hex_of(c.at("nonce")));
    test::ScriptedEntropy entropy(drawn);
    const auto made = ecies_encrypt(*public_key, hex_of(c.at("plaintext")), entropy);
    EXPECT_EQ(to_hex(made.ephemeral), c.at("ephemeral").as_string());
    EXPECT_EQ(to_hex(made.sealed), c.at("sealed").as_string());

    auto owner = SecretScalar::parse(hex_of(c.at("privateKey")));
    ASSERT_TRUE(owner);
    auto ephemeral = Point::parse(made.ephemeral);
    ASSERT_TRUE(ephemeral);
    const auto shared = ecdh_x(*owner, *ephemeral);
    EXPECT_EQ(to_hex(shared.expose()), c.at("shared").as_string());
    auto opened = ecies_decrypt(shared.expose(), made);
    ASSERT_TRUE(opened);
    EXPECT_EQ(to_hex(opened->expose()), c.at("plaintext").as_string());
  }
}

TEST(Ecies, AnotherSharedSecretDoesNotOpen) {
  io::OsEntropy entropy;
  const auto key = SecretScalar::random(entropy);
  const auto ciphertext = ecies_encrypt(multiply_generator(key).point(), as_bytes("secret"), entropy);
  EXPECT_FALSE(ecies_decrypt(Hash32{}, ciphertext));
}

TEST(Ecies, TwoEncryptionsOfOneTextShareNothing) {
  io::OsEntropy entropy;
  const auto key = multiply_generator(SecretScalar::random(entropy)).point();
  const auto one = ecies_encrypt(key, as_bytes("secret"), entropy);
  const auto other = ecies_encrypt(key, as_bytes("secret"), entropy);
  EXPECT_NE(one.ephemeral, other.ephemeral);
  EXPECT_NE(one.nonce, other.nonce);
  EXPECT_NE(one.sealed, other.sealed);
}

}  // namespace
}  // namespace kms::crypto
