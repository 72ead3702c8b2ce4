#include <gmock/gmock.h>

#include "tests/node/environment.h"

namespace kms::node {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kWallet[] = "0202020202020202020202020202020202020202020202020202020202020202";
constexpr char kContract[] = "0x0000000000000000000000000000000000000002";

Result<Config> solo(const Variables& variables, const std::string& text = "") {
  CommandLine command_line;
  command_line.solo = true;
  return parse_config(text, text.empty() ? "" : "node.toml", environment(variables), command_line);
}
std::string refusal(const Variables& variables, const std::string& text = "") {
  auto config = solo(variables, text);
  return config ? "accepted" : config.error().message;
}
Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

// What a nox-kms runs with, and the one variable more that takes the place of the chain reader.
const Variables kNox = {{"NOX_KMS_SERVER__HOST", "0.0.0.0"},
                        {"NOX_KMS_SERVER__PORT", "9009"},
                        {"NOX_KMS_WALLET_KEY", kWallet},
                        {"NOX_KMS_CHAINS__31337__RPC_URL", "http://127.0.0.1:8545"},
                        {"NOX_KMS_CHAINS__31337__NOX_COMPUTE_CONTRACT_ADDRESS", kContract},
                        {"NOX_KMS_CHAINS__31337__ECC_KEY", kKey},
                        {"NOX_KMS_CHAINS__31337__CALL_TIMEOUT", "8s"},
                        {"KMS_GATEWAY__31337", kGateway}};

TEST(SoloConfig, UnderstandsTheEnvironmentOfNoxKms) {
  auto config = solo(kNox);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->solo);
  EXPECT_EQ(config->http.listen.host, "0.0.0.0");
  EXPECT_EQ(config->http.listen.port, 9009);
  EXPECT_EQ(as_text(config->delegation.response_wallet->value->expose()), kWallet);
  ASSERT_EQ(config->solo_chains.size(), 1u);
  const SoloChain& chain = config->solo_chains[0];
  EXPECT_EQ(chain.id, 31337u);
  EXPECT_EQ(to_0x(chain.imported_key->expose()), kKey);
  EXPECT_EQ(chain.gateway, *crypto::Address::parse(kGateway));
  EXPECT_EQ(chain.contract.hex(), kContract);
  EXPECT_TRUE(config->warnings.empty());
  EXPECT_TRUE(config->data_dir.empty()) << "nothing to keep when every key was given";
  EXPECT_TRUE(config->p2p.listen.empty());
}

TEST(SoloConfig, AnRpcUrlWithoutTheGatewaySaysWhatToSet) {
  Variables variables = kNox;
  variables.erase("KMS_GATEWAY__31337");
  EXPECT_THAT(refusal(variables), AllOf(HasSubstr("NOX_KMS_CHAINS__31337__RPC_URL is set"),
                                        HasSubstr("cannot read the chain"), HasSubstr("set KMS_GATEWAY__31337")));
  variables.erase("NOX_KMS_CHAINS__31337__RPC_URL");
  EXPECT_THAT(refusal(variables), HasSubstr("KMS_GATEWAY__31337 is missing"));
}

TEST(SoloConfig, AGatewayAloneMakesAChainWhoseKeyTheNodeMakes) {
  const Variables variables = {{"KMS_GATEWAY__1", kGateway}, {"KMS_DATA_DIR", "d"}, {"KMS_KEYSTORE__PASSPHRASE", "p"}};
  auto config = solo(variables);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->solo_chains.size(), 1u);
  EXPECT_FALSE(config->solo_chains[0].imported_key);
  EXPECT_EQ(config->http.listen.port, 9000);
  EXPECT_THAT(refusal({{"KMS_GATEWAY__1", kGateway}, {"KMS_KEYSTORE__PASSPHRASE", "p"}}),
              HasSubstr("data_dir is missing"));
  EXPECT_THAT(refusal({{"KMS_GATEWAY__1", kGateway}, {"KMS_DATA_DIR", "d"}}), HasSubstr("passphrase"));
}

TEST(SoloConfig, SortsChainsByNumber) {
  Variables variables = kNox;
  variables["NOX_KMS_CHAINS__7__ECC_KEY"] = kKey;
  variables["KMS_GATEWAY__7"] = kGateway;
  auto config = solo(variables);
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->solo_chains.size(), 2u);
  EXPECT_EQ(config->solo_chains[0].id, 7u);
  EXPECT_EQ(config->solo_chains[1].id, 31337u);
}

TEST(SoloConfig, OwnVariablesStandOverThoseOfNoxKms) {
  Variables variables = kNox;
  variables["KMS_HTTP__LISTEN"] = "127.0.0.1:1";
  variables["KMS_DELEGATION__RESPONSE_WALLET"] = kKey;
  auto config = solo(variables, "[http]\nlisten = \"127.0.0.1:2\"\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->http.listen.port, 1);
  EXPECT_EQ(as_text(config->delegation.response_wallet->value->expose()), kKey);
  config = solo(kNox, "[http]\nlisten = \"127.0.0.1:2\"\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->http.listen.port, 9009) << "and those stand over the file";
}

TEST(SoloConfig, APortAloneKeepsTheDefaultHost) {
  Variables variables = kNox;
  variables.erase("NOX_KMS_SERVER__HOST");
  EXPECT_EQ(solo(variables)->http.listen.host, "127.0.0.1");
  variables["NOX_KMS_SERVER__HOST"] = "::1";
  EXPECT_EQ(solo(variables)->http.listen.host, "::1");
  variables["NOX_KMS_SERVER__HOST"] = "localhost";
  EXPECT_EQ(solo(variables)->http.listen.host, "127.0.0.1");
}

TEST(SoloConfig, RefusesWrongValuesWithoutShowingSecrets) {
  EXPECT_THAT(refusal(with(kNox, "NOX_KMS_SERVER__PORT", "65536")), HasSubstr("NOX_KMS_SERVER__PORT = \"65536\""));
  EXPECT_THAT(refusal(with(kNox, "NOX_KMS_SERVER__PORT", "")), HasSubstr("a port"));
  for (const char* host : {"a b", "kms.example", "127.0.0.1/8", ""}) {
    EXPECT_THAT(refusal(with(kNox, "NOX_KMS_SERVER__HOST", host)),
                AllOf(HasSubstr(std::string("NOX_KMS_SERVER__HOST = \"") + host), HasSubstr("0.0.0.0 for all")));
  }
  EXPECT_THAT(refusal(with(kNox, "NOX_KMS_WALLET_KEY", "hunter2")),
              AllOf(HasSubstr("NOX_KMS_WALLET_KEY"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(with(kNox, "NOX_KMS_CHAINS__31337__ECC_KEY", "hunter2")),
              AllOf(HasSubstr("NOX_KMS_CHAINS__31337__ECC_KEY"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(with(kNox, "NOX_KMS_CHAINS__31337__NOX_COMPUTE_CONTRACT_ADDRESS", "0x12")),
              HasSubstr("40 hex digits"));
  EXPECT_THAT(refusal(with(kNox, "KMS_GATEWAY__31337", "0x12")), HasSubstr("KMS_GATEWAY__31337"));
  EXPECT_THAT(refusal(with(kNox, "KMS_GATEWAY__31337", "0x" + std::string(40, '0'))), HasSubstr("not zero"));
  for (const char* name : {"NOX_KMS_CHAINS__x__ECC_KEY", "NOX_KMS_CHAINS__0__ECC_KEY", "NOX_KMS_CHAINS__31337",
                           "NOX_KMS_CHAINS__99999999999999999999__ECC_KEY"}) {
    EXPECT_THAT(refusal(with(kNox, name, kKey)), HasSubstr("comes the chain id")) << name;
  }
  EXPECT_THAT(refusal(with(kNox, "KMS_GATEWAY__x", kGateway)), HasSubstr("KMS_GATEWAY__x is set but names no setting"));
}

TEST(SoloConfig, WarnsOfNoxVariablesThatNobodyKnows) {
  auto config = solo(with(with(kNox, "NOX_KMS_FOO", "1"), "NOX_KMS_CHAINS__31337__FOO", "1"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->warnings.size(), 2u);
}

TEST(SoloConfig, NeedsAChain) {
  EXPECT_THAT(refusal({{"KMS_DATA_DIR", "d"}}),
              AllOf(HasSubstr("needs a chain"), HasSubstr("KMS_GATEWAY__<chain id>")));
}

TEST(SoloConfig, CanBeChosenInTheFileAndTheEnvironment) {
  Variables variables = kNox;
  auto config = parse_config("solo = true\n", "node.toml", environment(variables), {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->solo);
  variables["KMS_SOLO"] = "true";
  EXPECT_TRUE(parse_config("", "", environment(variables), {})->solo);
}

TEST(SoloConfig, OtherwiseNoxVariablesOnlyDrawAWarning) {
  Variables variables = kNox;
  variables["KMS_DATA_DIR"] = "d";
  variables["KMS_NETWORK__FILE"] = "n";
  variables["KMS_KEYSTORE__PASSPHRASE"] = "p";
  variables["KMS_P2P__LISTEN"] = "/ip4/127.0.0.1/tcp/0";
  auto config = parse_config("", "", environment(variables), {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->warnings.size(), 2u);
  EXPECT_EQ(config->http.listen.port, 9000);
}

TEST(SoloConfig, ListsTheFilesThatVariablesName) {
  const auto files = file_variables(environment({{"NOX_KMS_WALLET_KEY_FILE", "/run/wallet\n"},
                                                 {"NOX_KMS_CHAINS__1__ECC_KEY_FILE", "/run/ecc"},
                                                 {"NOX_KMS_SERVER__PORT", "1"},
                                                 {"KMS_KEYSTORE__PASSPHRASE_FILE", "/run/pass"}}));
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].name, "NOX_KMS_CHAINS__1__ECC_KEY");
  EXPECT_EQ(files[0].path, "/run/ecc");
  EXPECT_EQ(files[1].name, "NOX_KMS_WALLET_KEY");
  EXPECT_EQ(files[1].path, "/run/wallet");
  // With the files' contents added under their names, the variables themselves stand in nobody's way.
  Variables variables = kNox;
  variables["NOX_KMS_WALLET_KEY_FILE"] = "/run/wallet";
  variables["NOX_KMS_WALLET_KEY"] = std::string(kWallet) + "\n";
  auto config = solo(variables);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->warnings.empty());
}

}  // namespace
}  // namespace kms::node
