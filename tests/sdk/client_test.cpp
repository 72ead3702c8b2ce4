#include "sdk/io/client.h"

#include <mutex>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "tests/sdk/local_kms.h"
#include "tests/sdk/raw_server.h"

namespace kms {
namespace {

using tests::LocalKms;
using tests::RawConnection;
using tests::RawServer;

constexpr std::uint64_t kChain = 31337;

enum class Conduct { honest, slow, silent, overloaded, wrong_signer, wrong_secret, garbage };

// A node that answers for one local key, well or as badly as it is told.
class Node {
 public:
  Node(const LocalKms& kms, Conduct conduct)
      : kms_(kms), conduct_(conduct), server_([this](RawConnection& connection) { serve(connection); }) {}
  const sdk::NodeUrl& url() const { return server_.url(); }
  int asked() const { return asked_; }
  void set(Conduct conduct) { conduct_ = conduct; }

 private:
  void serve(RawConnection& connection) {
    for (std::string request = connection.request(); !request.empty(); request = connection.request()) {
      ++asked_;
      const Conduct conduct = conduct_;
      if (conduct == Conduct::silent) return connection.wait_for_end();
      if (conduct == Conduct::slow) std::this_thread::sleep_for(std::chrono::milliseconds(400));
      if (conduct == Conduct::overloaded) {
        connection.answer(429, "{\"error\":\"Overloaded: too much\"}");
      } else if (request.starts_with("GET /v0/public-key")) {
        connection.answer(200, "{\"publicKey\":\"" + to_0x(kms_.public_key().bytes()) + "\"}");
      } else {
        connection.answer(200, conduct == Conduct::garbage ? "{\"proof\":12}" : delegate(request, conduct));
      }
    }
  }
  std::string delegate(const std::string& request, Conduct conduct) {
    LocalKms kms{kms_.key.clone(), kms_.wallet.clone(), kms_.gateway};
    if (conduct == Conduct::wrong_signer) kms.wallet = crypto::SecretScalar::random(entropy_);
    if (conduct == Conduct::wrong_secret) kms.key = crypto::SecretScalar::random(entropy_);
    const auto salt = parse_hex_array<32>(request.substr(request.find("salt=") + 5, 66));
    const std::size_t token = request.find("Authorization: ") + 15;
    auto answer = kms.delegate(kChain, *salt, request.substr(token, request.find("\r\n", token) - token),
                               request.substr(request.find("\r\n\r\n") + 4), entropy_);
    return answer ? boost::json::serialize(*answer) : "{}";
  }

  const LocalKms& kms_;
  std::atomic<Conduct> conduct_;
  std::atomic<int> asked_{0};
  io::OsEntropy entropy_;
  RawServer server_;
};

class ClientTest : public testing::Test {
 protected:
  Client client(const std::vector<sdk::NodeUrl>& nodes, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    NetworkDescription network{nodes, kChain, kms_.public_key(), kms_.signer()};
    ClientOptions options;
    options.hedge_delay = std::chrono::milliseconds(60);
    options.node_limit = std::chrono::milliseconds(1500);
    options.limit = limit;
    return std::move(*Client::make(network, options));
  }
  Result<Client::Opened> round_trip(Client& asking) {
    auto ciphertext = asking.encrypt(as_bytes("hello"));
    if (!ciphertext) return ciphertext.error();
    return asking.open(*ciphertext, gateway_, requester_);
  }

  io::OsEntropy entropy_;
  crypto::SecretScalar gateway_ = crypto::SecretScalar::random(entropy_);
  LocalKms kms_{crypto::SecretScalar::random(entropy_), crypto::SecretScalar::random(entropy_),
                crypto::address_of(crypto::multiply_generator(gateway_).point())};
  crypto::RsaPrivateKey requester_ = crypto::RsaPrivateKey::generate(2048);
};

TEST_F(ClientTest, OneNodeIsEnough) {
  Node node(kms_, Conduct::honest);
  Client asking = client({node.url()});
  auto opened = round_trip(asking);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(as_text(opened->text.expose()), "hello");
  EXPECT_EQ(opened->node, node.url());
  EXPECT_TRUE(opened->misbehaved.empty());
  EXPECT_EQ(asking.health().front().answered, 1u);
}

TEST_F(ClientTest, NodesThatAreGoneRefuseOrLieAreNamedAndPassedOver) {
  struct Case {
    Conduct conduct;
    Misbehaviour::Kind kind;
  };
  for (const Case& bad :
       {Case{Conduct::overloaded, Misbehaviour::Kind::refused}, Case{Conduct::wrong_signer, Misbehaviour::Kind::lied},
        Case{Conduct::wrong_secret, Misbehaviour::Kind::lied}, Case{Conduct::garbage, Misbehaviour::Kind::lied}}) {
    Node first(kms_, bad.conduct), second(kms_, Conduct::honest);
    Client asking = client({first.url(), second.url()});
    auto opened = round_trip(asking);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->node, second.url());
    ASSERT_EQ(opened->misbehaved.size(), 1u);
    EXPECT_EQ(opened->misbehaved[0].node, first.url());
    EXPECT_EQ(opened->misbehaved[0].kind, bad.kind) << opened->misbehaved[0].text;
    // The next call begins with the one that did well.
    ASSERT_TRUE(round_trip(asking));
    EXPECT_EQ(first.asked(), 1);
  }
  Node honest(kms_, Conduct::honest);
  Client asking = client({tests::nobody(), honest.url()});
  auto opened = round_trip(asking);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(opened->misbehaved.size(), 1u);
  EXPECT_EQ(opened->misbehaved[0].kind, Misbehaviour::Kind::silent);
}

TEST_F(ClientTest, ASlowOrSilentNodeCostsOneHedgeDelay) {
  for (Conduct conduct : {Conduct::slow, Conduct::silent}) {
    Node first(kms_, conduct), second(kms_, Conduct::honest);
    const auto began = std::chrono::steady_clock::now();
    std::optional<Client> asking(client({first.url(), second.url()}));
    auto opened = round_trip(*asking);
    asking.reset();  // does not wait for the slow one either
    const auto took = std::chrono::steady_clock::now() - began;
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->node, second.url());
    EXPECT_GE(took, std::chrono::milliseconds(60));
    EXPECT_LT(took, std::chrono::milliseconds(390)) << "it waited for the slow one";
  }
}

TEST_F(ClientTest, AskingGoesOnUntilANodeIsBack) {
  Node node(kms_, Conduct::overloaded);
  Client asking = client({node.url()});
  std::thread recovery([&] {
    while (node.asked() < 3) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    node.set(Conduct::honest);
  });
  auto opened = round_trip(asking);
  recovery.join();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_GE(opened->misbehaved.size(), 3u);
}

TEST_F(ClientTest, WithoutAGoodNodeTheErrorNamesWhatEachDid) {
  Node first(kms_, Conduct::overloaded), second(kms_, Conduct::wrong_signer);
  Client asking = client({first.url(), second.url()}, std::chrono::milliseconds(300));
  auto opened = round_trip(asking);
  ASSERT_FALSE(opened);
  for (const std::string& part :
       {first.url().text(), second.url().text(), std::string("Overloaded: too much"), kms_.signer().hex()}) {
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << part << "\n" << opened.error().message;
  }
}

TEST_F(ClientTest, WhatWillNotChangeIsNotAskedAgain) {
  Node first(kms_, Conduct::wrong_signer), second(kms_, Conduct::garbage);
  Client asking = client({first.url(), second.url()});
  auto opened = round_trip(asking);
  ASSERT_FALSE(opened);
  EXPECT_EQ(first.asked(), 1);
  EXPECT_EQ(second.asked(), 1);
}

TEST_F(ClientTest, AnUnpinnedKeyIsLearnedOnlyWhereAllNodesAgree) {
  Node first(kms_, Conduct::honest), second(kms_, Conduct::honest);
  const LocalKms other{crypto::SecretScalar::random(entropy_), crypto::SecretScalar::random(entropy_), kms_.gateway};
  Node liar(other, Conduct::honest);
  NetworkDescription network{{first.url(), second.url(), tests::nobody()}, kChain, {}, {}};
  auto agreeing = Client::make(network);
  auto key = agreeing->public_key();
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(*key, kms_.public_key());
  network.nodes.push_back(liar.url());
  auto torn = Client::make(network);
  auto none = torn->public_key();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find(liar.url().text()), std::string::npos) << none.error().message;
}

TEST_F(ClientTest, AGatewayDelegatesToARequesterWhoseKeyItDoesNotHave) {
  Node node(kms_, Conduct::honest);
  Client asking = client({node.url()});
  auto ciphertext = asking.encrypt(as_bytes("hello"));
  ASSERT_TRUE(ciphertext);
  auto delegated = asking.delegate(*ciphertext, gateway_, requester_.public_spki());
  ASSERT_TRUE(delegated) << delegated.error().message;
  auto text = sdk::open(delegated->delegation, requester_);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(as_text(text->expose()), "hello");
}

TEST(NetworkDescription, IsReadFromWhatATestnetWrites) {
  const std::string key = "\"publicKey\":\"0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"";
  const std::string nodes = "{\"nodes\":[{\"index\":1,\"http\":\"http://127.0.0.1:9101\"}]";
  auto whole = NetworkDescription::parse(nodes + ",\"keys\":[{\"chainId\":5," + key +
                                         "}],\"signer\":{\"address\":\"0x1111111111111111111111111111111111111111\"}}");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->chain_id, 5u);
  EXPECT_TRUE(whole->public_key && whole->signer);
  EXPECT_FALSE(NetworkDescription::parse(nodes + "}"));
  auto bare = NetworkDescription::parse(nodes + "}", 7);
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->public_key);
  const std::string two = nodes + ",\"keys\":[{\"chainId\":5," + key + "},{\"chainId\":6," + key + "}]}";
  EXPECT_FALSE(NetworkDescription::parse(two));
  EXPECT_EQ(NetworkDescription::parse(two, 6)->chain_id, 6u);
  for (const char* bad : {"", "[]", "{}", "{\"nodes\":[]}", "{\"nodes\":[{}]}", "{\"nodes\":[{\"http\":\"ftp://x\"}]}",
                          "{\"nodes\":[{\"http\":\"http://a\"}],\"keys\":[{\"chainId\":1,\"publicKey\":\"0x00\"}]}",
                          "{\"nodes\":[{\"http\":\"http://a\"}],\"signer\":{}}"}) {
    EXPECT_FALSE(NetworkDescription::parse(bad, 1)) << bad;
  }
}

}  // namespace
}  // namespace kms
