#include "cli/io/keygen.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "cli/node_identity.h"
#include "crypto/io/file.h"
#include "crypto/io/keystore_file.h"
#include "crypto/pem.h"
#include "crypto/rsa_oaep.h"
#include "crypto/secret_hex.h"

namespace kms::cli::io {
namespace {

namespace fs = std::filesystem;

class Keygen : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "kms-keygen-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ / "passphrase") << "a long passphrase\n";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
  kms::io::OsEntropy entropy_;
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(NodeIdentity, PeerIdIsThatOfTheSpecificationsExample) {
  auto key = crypto::Point::parse(*parse_hex("037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99"));
  ASSERT_TRUE(key);
  EXPECT_EQ(peer_id_of(*key), "16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5KvLpY");
  EXPECT_EQ(identity_of(*key).address, "0x8b805bf52e9ce863375c5105e1158d519537f5b3");
}

TEST_F(Keygen, MakesANodeKeyThatThePassphraseOpens) {
  auto report = run(KeygenNode{path("node"), path("passphrase")}, entropy_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(mode_of(path("node/node.key")), 0600U);
  EXPECT_EQ(mode_of(path("node")), 0700U);
  auto secrets = crypto::io::open_node_key_file(path("node/node.key"), as_bytes("a long passphrase"));
  ASSERT_TRUE(secrets) << secrets.error().message;
  const NodeIdentity identity = identity_of(secrets->key.public_key());
  EXPECT_EQ(report->json.at("peerId").as_string(), identity.peer_id);
  EXPECT_EQ(report->json.at("publicKey").as_string(), identity.public_key);
  EXPECT_EQ(report->json.at("address").as_string(), identity.address);
  EXPECT_EQ(report->json.at("nodeId").as_string(), identity.node_id);
  EXPECT_EQ(report->json.at("file").as_string(), path("node/node.key"));
  EXPECT_NE(report->text.find("[[member]]\nkey = \"" + identity.public_key + "\""), std::string::npos);
}

TEST_F(Keygen, NeverOverwritesAKey) {
  ASSERT_TRUE(run(KeygenNode{path("node"), path("passphrase")}, entropy_));
  auto before = crypto::io::read_file(path("node/node.key"), 4096);
  auto again = run(KeygenNode{path("node"), path("passphrase")}, entropy_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().exit, Exit::failed);
  EXPECT_NE(again.error().message.find("exists already"), std::string::npos);
  auto after = crypto::io::read_file(path("node/node.key"), 4096);
  EXPECT_TRUE(equal(before->expose(), after->expose()));
}

TEST_F(Keygen, NamesAMissingAndAnEmptyPassphraseFile) {
  auto missing = run(KeygenNode{path("node"), path("none")}, entropy_);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find(path("none")), std::string::npos);
  std::ofstream(path("empty")) << "\n";
  auto empty = run(KeygenNode{path("node"), path("empty")}, entropy_);
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().message.find("is empty"), std::string::npos);
  EXPECT_FALSE(fs::exists(path("node/node.key")));
}

TEST_F(Keygen, TakesThePassphraseFromTheEnvironmentAndRemovesItThere) {
  ::setenv("KMS_KEYSTORE__PASSPHRASE", "from outside", 1);
  ASSERT_TRUE(run(KeygenNode{path("node"), ""}, entropy_));
  EXPECT_EQ(std::getenv("KMS_KEYSTORE__PASSPHRASE"), nullptr);
  EXPECT_TRUE(crypto::io::open_node_key_file(path("node/node.key"), as_bytes("from outside")));
}

TEST_F(Keygen, AWalletFileHoldsTheKeyOfItsAddress) {
  auto report = run(KeygenWallet{path("wallet")}, entropy_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(mode_of(path("wallet")), 0600U);
  auto file = crypto::io::read_file(path("wallet"), 4096);
  auto secret = crypto::parse_secret_hex(file->expose());
  ASSERT_TRUE(secret) << secret.error().message;
  auto scalar = crypto::SecretScalar::parse(secret->expose());
  EXPECT_EQ(report->json.at("address").as_string(),
            crypto::address_of(crypto::multiply_generator(*scalar).point()).hex());
  EXPECT_FALSE(run(KeygenWallet{path("wallet")}, entropy_));
}

TEST_F(Keygen, AnRsaFileIsPemOfTheNamedPublicKey) {
  auto report = run(KeygenRsa{path("me.pem"), 2048}, entropy_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(mode_of(path("me.pem")), 0600U);
  auto file = crypto::io::read_file(path("me.pem"), 16384);
  auto der = crypto::pkcs8_in(file->expose());
  ASSERT_TRUE(der) << der.error().message;
  auto key = crypto::RsaPrivateKey::parse_pkcs8(der->expose());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(report->json.at("publicKey").as_string(), to_0x(key->public_spki()));
  EXPECT_FALSE(run(KeygenRsa{path("me.pem"), 2048}, entropy_));
}

}  // namespace
}  // namespace kms::cli::io
