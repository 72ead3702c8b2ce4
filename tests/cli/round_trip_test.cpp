#include <filesystem>
#include <fstream>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "cli/io/delegate.h"
#include "cli/io/demo.h"
#include "cli/io/keygen.h"
#include "cli/io/network.h"
#include "crypto/io/file.h"
#include "crypto/secret_hex.h"
#include "tests/sdk/local_kms.h"
#include "tests/sdk/raw_server.h"

namespace kms::cli::io {
namespace {

namespace fs = std::filesystem;
using tests::RawConnection;
using tests::RawServer;

// A folder with a gateway's and a requester's key, and one server that answers like a node of one local key.
class RoundTrip : public testing::Test {
 protected:
  RoundTrip() : server_([this](RawConnection& connection) { serve(connection); }) {}
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "kms-cli-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto wallet = run(KeygenWallet{path("gateway.key")}, entropy_);
    ASSERT_TRUE(wallet) << wallet.error().message;
    kms_.gateway = *crypto::Address::parse(wallet->json.at("address").as_string());
    ASSERT_TRUE(run(KeygenRsa{path("me.pem")}, entropy_));
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(path(name)) << content;
    return path(name);
  }
  Where where() const { return {{server_.url().text()}, ""}; }

  void serve(RawConnection& connection) {
    for (std::string request = connection.request(); !request.empty(); request = connection.request()) {
      if (request.starts_with("GET /v1/keys ")) {
        connection.answer(200, "{\"keys\":[{\"keyId\":\"0x01\",\"chainId\":31337,\"publicKey\":\"" +
                                   to_0x(kms_.public_key().bytes()) +
                                   "\",\"epoch\":0,\"threshold\":3,\"memberCount\":5,\"origin\":\"generated\"}]}");
      } else if (request.starts_with("POST /v0/delegate?chain_id=31337&salt=0x")) {
        const auto salt = parse_hex_array<32>(request.substr(request.find("salt=") + 5, 66));
        const std::size_t token = request.find("Authorization: ") + 15;
        auto answer = kms_.delegate(31337, *salt, request.substr(token, request.find("\r\n", token) - token),
                                    request.substr(request.find("\r\n\r\n") + 4), entropy_);
        if (answer) {
          connection.answer(200, boost::json::serialize(*answer));
        } else {
          connection.answer(401, "{\"error\":\"Unauthorized: not the gateway\"}");
        }
      } else {
        connection.answer(404, "{\"error\":\"Not found: no route\"}");
      }
    }
  }

  Outcome<Report> delegate(const std::string& signer, const std::string& ciphertext_file) {
    return run(Delegate{where(), path("gateway.key"), path("me.pem"), signer, {}, ciphertext_file}, entropy_);
  }
  std::string testnet_file() {
    auto gateway = crypto::io::read_file(path("gateway.key"), 100);
    return write("testnet.json", "{\"network\":\"t\",\"threshold\":3,\"nodes\":[{\"index\":1,\"http\":\"" +
                                     server_.url().text() + "\"},{\"index\":2,\"http\":\"" + tests::nobody().text() +
                                     "\"}],\"gateway\":{\"privateKey\":\"" +
                                     std::string(as_text(gateway->expose()).substr(0, 66)) +
                                     "\"},\"signer\":{\"address\":\"" + kms_.signer().hex() + "\"}}");
  }

  fs::path folder_;
  kms::io::OsEntropy entropy_;
  tests::LocalKms kms_{crypto::SecretScalar::random(entropy_), crypto::SecretScalar::random(entropy_), {}};
  RawServer server_;
};

TEST_F(RoundTrip, WhatOneCommandPrintsTheNextOneReads) {
  auto encrypted = run(Encrypt{where(), "", {}, "hello"}, entropy_);
  ASSERT_TRUE(encrypted) << encrypted.error().message;
  EXPECT_EQ(encrypted->json.at("chainId").to_number<int>(), 31337);
  auto delegated = delegate(kms_.signer().hex(), write("c.json", encrypted->text));
  ASSERT_TRUE(delegated) << delegated.error().message;
  EXPECT_TRUE(delegated->note.empty());
  EXPECT_EQ(delegated->json.at("signer").as_string(), kms_.signer().hex());
  auto decrypted = run(Decrypt{path("me.pem"), write("d.json", delegated->text)}, entropy_);
  ASSERT_TRUE(decrypted) << decrypted.error().message;
  ASSERT_TRUE(decrypted->plain);
  EXPECT_EQ(as_text(decrypted->plain->expose()), "hello");
}

TEST_F(RoundTrip, AnUncheckedSignerIsSaidAloud) {
  auto encrypted = run(Encrypt{where(), "", {}, "hello"}, entropy_);
  auto delegated = delegate("", write("c.json", encrypted->text));
  ASSERT_TRUE(delegated) << delegated.error().message;
  EXPECT_NE(delegated->note.find("was not checked"), std::string::npos);
  EXPECT_FALSE(delegated->json.at("signerChecked").as_bool());
}

TEST_F(RoundTrip, AnotherSignerIsRefused) {
  auto encrypted = run(Encrypt{where(), "", {}, "hello"}, entropy_);
  auto delegated = delegate("0x1111111111111111111111111111111111111111", write("c.json", encrypted->text));
  ASSERT_FALSE(delegated);
  EXPECT_EQ(delegated.error().exit, Exit::failed);
  EXPECT_NE(delegated.error().message.find("is not by 0x1111"), std::string::npos);
}

TEST_F(RoundTrip, ARefusalByTheNodeNamesStatusTextAndRemedy) {
  kms_.gateway = {};
  auto encrypted = run(Encrypt{where(), "", {}, "hello"}, entropy_);
  auto delegated = delegate("", write("c.json", encrypted->text));
  ASSERT_FALSE(delegated);
  EXPECT_NE(delegated.error().message.find("status 401, Unauthorized: not the gateway"), std::string::npos);
  EXPECT_NE(delegated.error().message.find("gateway key"), std::string::npos);
}

TEST_F(RoundTrip, AGivenKeyNeedsNoNodeAndTheChainIsThenAsked) {
  auto encrypted = run(Encrypt{{}, to_0x(kms_.public_key().bytes()), {}, "hello"}, entropy_);
  ASSERT_TRUE(encrypted) << encrypted.error().message;
  const std::string file = write("c.json", encrypted->text);
  auto without = delegate("", file);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().exit, Exit::usage);
  EXPECT_NE(without.error().message.find("--chain-id"), std::string::npos);
  EXPECT_TRUE(run(Delegate{where(), path("gateway.key"), path("me.pem"), "", 31337, file}, entropy_));
}

TEST_F(RoundTrip, AnotherChainThanTheCiphertextsIsRefused) {
  auto encrypted = run(Encrypt{where(), "", {}, "hello"}, entropy_);
  const std::string file = write("c.json", encrypted->text);
  EXPECT_FALSE(run(Delegate{where(), path("gateway.key"), path("me.pem"), "", 1, file}, entropy_));
  EXPECT_FALSE(run(Encrypt{where(), "", 1, "hello"}, entropy_));
}

TEST_F(RoundTrip, FilesThatHoldSomethingElseAreNamed) {
  auto message = [](const Outcome<Report>& outcome) { return outcome ? "accepted" : outcome.error().message; };
  const std::string empty = write("empty", "");
  EXPECT_NE(message(delegate("", empty)).find(empty + " is empty"), std::string::npos);
  const std::string text = write("text", "hello");
  EXPECT_NE(message(delegate("", text)).find("is not JSON"), std::string::npos);
  EXPECT_NE(message(run(Decrypt{path("gateway.key"), text}, entropy_)).find("is no RSA key file"), std::string::npos);
  EXPECT_NE(message(run(Decrypt{path("me.pem"), text}, entropy_)).find("is not JSON"), std::string::npos);
  EXPECT_NE(
      message(run(Delegate{where(), path("me.pem"), path("me.pem"), "", {}, text}, entropy_)).find("is no key file"),
      std::string::npos);
}

TEST_F(RoundTrip, KeysAndDemoReadWhatNodesSay) {
  auto keys = run(Keys{where()}, entropy_);
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_NE(keys->text.find("3 of 5"), std::string::npos);
  std::vector<std::string> lines;
  auto demo =
      run(Demo{testnet_file(), 1, {}, "hello"}, entropy_, [&](const std::string& line) { lines.push_back(line); });
  ASSERT_TRUE(demo) << demo.error().message;
  EXPECT_EQ(demo->exit, Exit::ok) << boost::json::serialize(demo->json);
  EXPECT_EQ(lines.size(), 4U);
  auto all = run(Demo{testnet_file(), {}, {}, "hello"}, entropy_, [](const std::string&) {});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->exit, Exit::failed);  // the second node does not run
  EXPECT_EQ(all->json.at("good").to_number<int>(), 1);
  auto none = run(Demo{testnet_file(), 7, {}, "hello"}, entropy_, [](const std::string&) {});
  EXPECT_EQ(none.error().exit, Exit::usage);
}

TEST_F(RoundTrip, ANodeThatIsNoneIsNamed) {
  auto status = run(Status{where()}, entropy_);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->exit, Exit::failed);
  EXPECT_NE(status->text.find("is this a kms-node?"), std::string::npos) << status->text;
}

}  // namespace
}  // namespace kms::cli::io
