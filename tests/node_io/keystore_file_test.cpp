#include "crypto/io/keystore_file.h"

#include <gmock/gmock.h>

#include "base/io/os_entropy.h"
#include "temporary_folder.h"

namespace kms::crypto::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct KeystoreFile : testing::Test {
  test::TemporaryFolder folder;
  kms::io::OsEntropy entropy;
  std::string path = folder / "node.key";

  std::string refusal(std::string_view passphrase = "sesame") {
    auto opened = open_node_key_file(path, as_bytes(passphrase));
    return opened ? "opened" : opened.error().message;
  }
};

TEST_F(KeystoreFile, OpensWhatItMade) {
  auto made = create_node_key_file(path, as_bytes("sesame"), entropy);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(test::mode_of(path), 0600u);
  auto opened = open_node_key_file(path, as_bytes("sesame"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->key.public_key(), made->key.public_key());
  EXPECT_EQ(opened->node_secret.expose(), made->node_secret.expose());
  EXPECT_EQ(opened->store_key.expose().expose(), made->store_key.expose().expose());
  const std::string bytes = test::read_text(path);
  EXPECT_EQ(bytes.find(as_text(made->key.expose().expose())), std::string::npos);
  EXPECT_EQ(bytes.find(as_text(made->node_secret.expose())), std::string::npos);
  auto named = public_key_in(as_bytes(bytes));
  ASSERT_TRUE(named);
  EXPECT_EQ(*named, made->key.public_key());
}

TEST_F(KeystoreFile, NeverOverwritesAndLeavesNothingElseBehind) {
  ASSERT_TRUE(create_node_key_file(path, as_bytes("sesame"), entropy));
  const std::string before = test::read_text(path);
  auto again = create_node_key_file(path, as_bytes("other"), entropy);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("exists already"));
  EXPECT_EQ(test::read_text(path), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST_F(KeystoreFile, TellsAWrongPassphraseAMissingFileAndDamageApart) {
  EXPECT_THAT(refusal(), AllOf(HasSubstr("cannot open"), HasSubstr("No such file")));
  ASSERT_TRUE(create_node_key_file(path, as_bytes("sesame"), entropy));
  EXPECT_EQ(refusal(), "opened");
  EXPECT_THAT(refusal("sesam"), HasSubstr("wrong passphrase"));
  const std::string bytes = test::read_text(path);
  const auto with = [&](const std::string& changed) {
    test::write_text(path, changed);
    return refusal();
  };
  EXPECT_THAT(with(""), HasSubstr("not a node key file"));
  EXPECT_THAT(with("-----BEGIN PRIVATE KEY-----"), HasSubstr("not a node key file"));
  EXPECT_THAT(with("KMSNODE2" + bytes.substr(8)), AllOf(HasSubstr("version \"2\""), HasSubstr("reads version \"1\"")));
  EXPECT_THAT(with(bytes.substr(0, 20)), HasSubstr("damaged: 20 bytes"));
  EXPECT_THAT(with(bytes.substr(0, bytes.size() - 1)), HasSubstr("damaged"));
  EXPECT_THAT(with(bytes + "x"), HasSubstr("damaged"));
  EXPECT_THAT(with(std::string(5000, 'x')), HasSubstr("longer than"));
}

TEST_F(KeystoreFile, RefusesTheNameOfAnotherNodeInTheClearPart) {
  ASSERT_TRUE(create_node_key_file(path, as_bytes("sesame"), entropy));
  ASSERT_TRUE(create_node_key_file(path + "2", as_bytes("sesame"), entropy));
  test::write_text(path, test::read_text(path + "2").substr(0, 41) + test::read_text(path).substr(41));
  EXPECT_THAT(refusal(), HasSubstr("damaged"));
}

TEST_F(KeystoreFile, RefusesAnEmptyPassphraseAndAMissingFolder) {
  EXPECT_FALSE(create_node_key_file(path, {}, entropy));
  auto made = create_node_key_file(folder / "no/such/node.key", as_bytes("sesame"), entropy);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("cannot create"));
}

}  // namespace
}  // namespace kms::crypto::io
