#include "crypto/keystore.h"

#include <gtest/gtest.h>

#include "base/io/os_entropy.h"

namespace kms::crypto {
namespace {

std::string complaint(ByteView file, std::string_view passphrase) {
  auto opened = open_node_secrets(file, as_bytes(passphrase));
  return opened ? "opened" : opened.error().message;
}

TEST(Keystore, OpensWhatItSealedAndNamesItsKeyWithoutThePassphrase) {
  io::OsEntropy entropy;
  const auto secrets = NodeSecrets::generate(entropy);
  const Bytes file = seal_node_secrets(secrets, as_bytes("pass"), entropy);
  auto opened = open_node_secrets(file, as_bytes("pass"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->key.public_key(), secrets.key.public_key());
  EXPECT_EQ(opened->node_secret.expose(), secrets.node_secret.expose());
  EXPECT_EQ(opened->store_key.expose().expose(), secrets.store_key.expose().expose());
  EXPECT_EQ(public_key_in(file).value(), secrets.key.public_key());
}

TEST(Keystore, TellsApartWhatIsWrongWithAFile) {
  io::OsEntropy entropy;
  const Bytes file = seal_node_secrets(NodeSecrets::generate(entropy), as_bytes("pass"), entropy);
  EXPECT_NE(complaint(as_bytes("hello"), "pass").find("not a node key file"), std::string::npos);
  EXPECT_NE(complaint({}, "pass").find("not a node key file"), std::string::npos);
  Bytes newer = file;
  newer[7] = '2';
  EXPECT_NE(complaint(newer, "pass").find("version \"2\""), std::string::npos);
  EXPECT_NE(complaint(ByteView(file).first(20), "pass").find("damaged"), std::string::npos);
  EXPECT_NE(complaint(file, "other"), "opened");
}

TEST(Keystore, DoesNotOpenWithAnyPartOfItChanged) {
  io::OsEntropy entropy;
  const Bytes file = seal_node_secrets(NodeSecrets::generate(entropy), as_bytes("pass"), entropy);
  // Magic, public key, salt, box: one byte of each.
  for (std::size_t at : {std::size_t{2}, std::size_t{20}, std::size_t{41 + 20}, file.size() - 1}) {
    Bytes changed = file;
    changed[at] ^= 1;
    EXPECT_NE(complaint(changed, "pass"), "opened") << at;
  }
}

}  // namespace
}  // namespace kms::crypto
