#include "node/config.h"

#include <gmock/gmock.h>

#include "node/peer_lists.h"
#include "tests/node/environment.h"

namespace kms::node {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Result<Config> parse(const std::string& text, const Variables& variables = {}, const CommandLine& command_line = {}) {
  return parse_config(text, "node.toml", environment(variables), command_line);
}
std::string refusal(const std::string& text, const Variables& variables = {}, const CommandLine& command_line = {}) {
  auto config = parse(text, variables, command_line);
  return config ? "accepted" : config.error().message;
}

constexpr char kPeerId[] = "16Uiu2HAm7g2x4fXMGvPnHDmJyELjTHFjV5AJSPUy8B9sEPkGPvpv";
const std::string kPeer = std::string("/ip4/192.0.2.1/tcp/9001/p2p/") + kPeerId;
const std::string kTop = "data_dir = \"/var/lib/kms\"\n";
const std::string kRest =
    "[network]\nfile = \"network.toml\"\n[keystore]\npassphrase_file = \"/run/pass\"\n"
    "[p2p]\nlisten = [\"/ip4/0.0.0.0/tcp/9001\"]\n";
const std::string kValid = kTop + kRest;

TEST(Config, ReadsTheSmallestFileWithItsDefaults) {
  auto config = parse(kValid);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_dir, "/var/lib/kms");
  EXPECT_EQ(config->node_key_file, "/var/lib/kms/node.key");
  EXPECT_EQ(config->network_file, "network.toml");
  EXPECT_EQ(config->passphrase.file, "/run/pass");
  EXPECT_FALSE(config->passphrase.value);
  EXPECT_FALSE(config->solo);
  ASSERT_EQ(config->p2p.listen.size(), 1u);
  EXPECT_EQ(config->p2p.listen[0].text(), "/ip4/0.0.0.0/tcp/9001");
  EXPECT_EQ(config->http.listen.host, "127.0.0.1");
  EXPECT_EQ(config->http.listen.port, 9000);
  EXPECT_EQ(config->http.body_bytes_max, 2u * 1024 * 1024);
  EXPECT_EQ(config->delegation.timeout, std::chrono::seconds(2));
  EXPECT_EQ(config->delegation.hedge_delay, std::chrono::milliseconds(50));
  EXPECT_TRUE(config->delegation.form_a);
  EXPECT_EQ(config->delegation.nonces_max, 1'048'576u);
  EXPECT_EQ(config->delegation.quota, 16'777'216u);
  EXPECT_FALSE(config->delegation.response_wallet);
  EXPECT_EQ(config->log_level, LogLevel::info);
  EXPECT_EQ(config->log_format, LogFormat::text);
  EXPECT_EQ(config->compute_threads, 0u);
  EXPECT_TRUE(config->metrics);
  EXPECT_TRUE(config->warnings.empty());
}

TEST(Config, ReadsEverySetting) {
  auto config = parse(
      "data_dir = \"d\"\ncompute_threads = 3\n[network]\nfile = \"n\"\n[keystore]\n"
      "node_key_file = \"k\"\npassphrase_file = \"p\"\n[p2p]\nlisten = \"/ip6/::/tcp/1\"\npeers = [\"" +
      kPeer +
      "\"]\npeers_file = \"f\"\nclasses_file = \"c\"\ngossip = \"mesh\"\n[http]\nlisten = "
      "\"[::1]:80\"\nconnections_max = 7\n" +
      "connections_per_address_max = 5\nbody_bytes_max = 5000\nidle = \"1s\"\nreceive = \"2s\"\n" +
      "send = \"3s\"\n[delegation]\ntimeout = \"1s\"\nhedge_delay = \"20ms\"\nform_a = false\n"
      "nonces_max = 2048\nquota = 0\n" +
      "response_wallet_file = \"w\"\n[log]\nlevel = \"debug\"\nformat = \"json\"\n[metrics]\nenabled = false\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->compute_threads, 3u);
  EXPECT_EQ(config->node_key_file, "k");
  ASSERT_EQ(config->p2p.peers.size(), 1u);
  EXPECT_EQ(config->p2p.peers[0].text(), kPeer);
  EXPECT_EQ(config->p2p.peers_file, "f");
  EXPECT_EQ(config->p2p.classes_file, "c");
  EXPECT_EQ(config->p2p.gossip, GossipLayout::mesh);
  EXPECT_EQ(config->http.listen.host, "::1");
  EXPECT_EQ(config->http.listen.port, 80);
  EXPECT_EQ(config->http.connections_max, 7u);
  EXPECT_EQ(config->http.connections_per_address_max, 5u);
  EXPECT_EQ(config->http.body_bytes_max, 5000u);
  EXPECT_EQ(config->http.idle, std::chrono::seconds(1));
  EXPECT_EQ(config->http.receive, std::chrono::seconds(2));
  EXPECT_EQ(config->http.send, std::chrono::seconds(3));
  EXPECT_EQ(config->delegation.hedge_delay, std::chrono::milliseconds(20));
  EXPECT_FALSE(config->delegation.form_a);
  EXPECT_EQ(config->delegation.nonces_max, 2048u);
  EXPECT_EQ(config->delegation.quota, 0u);
  EXPECT_EQ(config->delegation.response_wallet->file, "w");
  EXPECT_EQ(config->log_level, LogLevel::debug);
  EXPECT_EQ(config->log_format, LogFormat::json);
  EXPECT_FALSE(config->metrics);
}

TEST(Config, TheEnvironmentOverridesTheFileAndTheCommandLineBoth) {
  const Variables variables = {{"KMS_DATA_DIR", "from-env"},
                               {"KMS_HTTP__LISTEN", "0.0.0.0:1"},
                               {"KMS_HTTP__CONNECTIONS_MAX", "9"},
                               {"KMS_DELEGATION__FORM_A", "false"},
                               {"KMS_DELEGATION__TIMEOUT", "5s"},
                               {"KMS_P2P__PEERS", kPeer + ", " + kPeer},
                               {"KMS_NETWORK__FILE", "env-network"},
                               {"KMS_COMPUTE_THREADS", "2"},
                               {"KMS_P2P__LISTEN", "/ip4/127.0.0.1/tcp/5,/ip6/::1/tcp/5"}};
  auto config = parse(kValid, variables);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_dir, "from-env");
  EXPECT_EQ(config->http.listen.port, 1);
  EXPECT_EQ(config->http.connections_max, 9u);
  EXPECT_FALSE(config->delegation.form_a);
  EXPECT_EQ(config->delegation.timeout, std::chrono::seconds(5));
  EXPECT_EQ(config->p2p.peers.size(), 2u);
  EXPECT_EQ(config->p2p.listen.size(), 2u);
  EXPECT_EQ(config->compute_threads, 2u);
  CommandLine command_line;
  command_line.data_dir = "from-cli";
  command_line.network_file = "cli-network";
  command_line.peers_file = "cli-peers";
  command_line.peers = {kPeer};
  config = parse(kValid, variables, command_line);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->data_dir, "from-cli");
  EXPECT_EQ(config->network_file, "cli-network");
  EXPECT_EQ(config->p2p.peers_file, "cli-peers");
  EXPECT_EQ(config->p2p.peers.size(), 3u) << "peers of the command line come on top";
}

TEST(Config, EverythingCanComeFromTheEnvironment) {
  auto config = parse("", {{"KMS_DATA_DIR", "d"},
                           {"KMS_NETWORK__FILE", "n"},
                           {"KMS_KEYSTORE__PASSPHRASE", "open sesame"},
                           {"KMS_DELEGATION__RESPONSE_WALLET", kKey},
                           {"KMS_P2P__LISTEN", "/ip4/127.0.0.1/tcp/0"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(as_text(config->passphrase.value->expose()), "open sesame");
  EXPECT_EQ(as_text(config->delegation.response_wallet->value->expose()), kKey);
}

TEST(Config, ASecretInTheEnvironmentStandsOverAFile) {
  auto config = parse(kValid, {{"KMS_KEYSTORE__PASSPHRASE", "x"}});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->passphrase.value);
  EXPECT_TRUE(config->passphrase.file.empty());
  config = parse(kValid, {{"KMS_KEYSTORE__PASSPHRASE_FILE", "/other"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->passphrase.file, "/other");
}

TEST(Config, NamesWhatNobodyKnows) {
  EXPECT_THAT(refusal(kTop + "data_dri = 1\n" + kRest), HasSubstr("node.toml:2:1: unknown key data_dri"));
  EXPECT_THAT(refusal(kValid + "lisen = 1\n"), HasSubstr("unknown key p2p.lisen"));
  EXPECT_THAT(refusal(kValid + "[htpp]\nlisten = \"x\"\n"), HasSubstr("unknown key htpp"));
  EXPECT_THAT(refusal(kValid, {{"KMS_HTTP__LISEN", "x"}}), HasSubstr("KMS_HTTP__LISEN is set but names no setting"));
  EXPECT_EQ(refusal(kValid, {{"KMS_SHARED", "x"}, {"KMS_URL", "x"}}), "accepted") << "other programs' variables";
}

TEST(Config, ASecretInTheFileIsRefusedWithoutShowingIt) {
  const std::string message = refusal(kTop +
                                      "[network]\nfile = \"n\"\n[keystore]\npassphrase = \"hunter2\"\n"
                                      "[p2p]\nlisten = [\"/ip4/0.0.0.0/tcp/9001\"]\n");
  EXPECT_THAT(message, AllOf(HasSubstr("node.toml:5:14: keystore.passphrase"), HasSubstr("passphrase_file"),
                             HasSubstr("KMS_KEYSTORE__PASSPHRASE"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(kValid + "[delegation]\nresponse_wallet = \"" + kKey + "\"\n"),
              AllOf(HasSubstr("response_wallet_file"), Not(HasSubstr("0101"))));
}

TEST(Config, NeverShowsAWrongSecret) {
  const std::string message = refusal(kValid, {{"KMS_DELEGATION__RESPONSE_WALLET", "hunter2"}});
  EXPECT_THAT(message, AllOf(HasSubstr("KMS_DELEGATION__RESPONSE_WALLET must be"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(refusal(kValid, {{"KMS_DELEGATION__RESPONSE_WALLET", std::string(64, '0')}}), HasSubstr("must be"));
  EXPECT_THAT(refusal(kValid, {{"KMS_DELEGATION__RESPONSE_WALLET", std::string(64, 'f')}}), HasSubstr("must be"));
  EXPECT_THAT(refusal(kValid, {{"KMS_KEYSTORE__PASSPHRASE", ""}}), HasSubstr("KMS_KEYSTORE__PASSPHRASE is empty"));
}

TEST(Config, SaysWhatIsMissing) {
  EXPECT_THAT(refusal(kRest), AllOf(HasSubstr("data_dir is missing"), HasSubstr("--data-dir")));
  EXPECT_THAT(refusal(kTop), AllOf(HasSubstr("network.file is missing"), HasSubstr("--solo")));
  EXPECT_THAT(refusal(kTop + "[network]\nfile = \"n\"\n[keystore]\npassphrase_file = \"p\"\n"),
              HasSubstr("p2p.listen is missing"));
  EXPECT_THAT(refusal(kTop + "[network]\nfile = \"n\"\n[p2p]\nlisten = \"/ip4/0.0.0.0/tcp/1\"\n"),
              HasSubstr("KMS_KEYSTORE__PASSPHRASE"));
  EXPECT_THAT(parse_config("", "", {}, {}).error().message, HasSubstr("settings: network.file is missing"));
}

TEST(Config, RefusesWrongValuesNamingPlaceValueAndBounds) {
  const auto http = [](const std::string& line) { return refusal(kValid + "[http]\n" + line + "\n"); };
  for (const char* listen :
       {"9000", ":9000", "host", "host:", "host:65536", "host:-1", "::1:9000", "a b:1", "[]:1", "h:1x"}) {
    EXPECT_THAT(http(std::string("listen = \"") + listen + "\""),
                AllOf(HasSubstr("node.toml:9:10: http.listen = "), HasSubstr("must be HOST:PORT")))
        << listen;
  }
  EXPECT_THAT(http("connections_max = 0"), HasSubstr("from 1 to 1000000"));
  EXPECT_THAT(http("connections_max = \"7\""), HasSubstr("whole number"));
  EXPECT_THAT(http("body_bytes_max = 1"), HasSubstr("from 4096"));
  EXPECT_THAT(http("idle = 5"), HasSubstr("text in quotes"));
  EXPECT_THAT(http("idle = \"5\""), HasSubstr("must be a duration"));
  EXPECT_THAT(refusal("http = 1\n" + kValid), HasSubstr("must be a section, [http]"));
  EXPECT_THAT(refusal(kValid, {{"KMS_HTTP__CONNECTIONS_MAX", "many"}}),
              HasSubstr("KMS_HTTP__CONNECTIONS_MAX = \"many\": must be a whole number"));
  EXPECT_THAT(refusal(kValid, {{"KMS_DELEGATION__FORM_A", "yes"}}), HasSubstr("must be true or false"));
  const auto more = [](const std::string& text) { return refusal(kValid + text); };
  EXPECT_THAT(more("[delegation]\nnonces_max = 1023\n"), HasSubstr("nonces_max"));
  EXPECT_THAT(more("[delegation]\nquota = -1\n"), HasSubstr("quota"));
  EXPECT_THAT(more("[delegation]\ntimeout = \"99ms\"\n"), HasSubstr("from 100ms to 60000ms"));
  EXPECT_THAT(more("[delegation]\ntimeout = \"200ms\"\nhedge_delay = \"200ms\"\n"), HasSubstr("shorter than"));
  EXPECT_THAT(more("[log]\nlevel = \"loud\"\n"), HasSubstr("trace, debug, info, warn or error"));
  EXPECT_THAT(more("[log]\nformat = \"xml\"\n"), HasSubstr("text or json"));
  EXPECT_THAT(refusal("data_dir = \"\"\n" + kRest), HasSubstr("path of a file or folder"));
  CommandLine no_folder, no_network;
  no_folder.data_dir = no_network.network_file = "";
  EXPECT_THAT(refusal(kValid, {}, no_folder), AllOf(HasSubstr("--data-dir"), HasSubstr("path of a file or folder")));
  EXPECT_THAT(refusal(kValid, {}, no_network), AllOf(HasSubstr("--network"), HasSubstr("path of a file or folder")));
  EXPECT_THAT(refusal(kValid + "[http]\nlisten = \"kms.example:9000\"\n"),
              AllOf(HasSubstr("http.listen = \"kms.example:9000\""), HasSubstr("0.0.0.0:9000 for all")));
  EXPECT_THAT(refusal("compute_threads = 257\n" + kValid), HasSubstr("from 0 to 256"));
  EXPECT_THAT(refusal("x ="), HasSubstr("not valid TOML"));
}

TEST(Config, RefusesAddressesThatCannotBeUsed) {
  const auto listen = [](const std::string& address) {
    return refusal(kTop + "[network]\nfile = \"n\"\n[keystore]\npassphrase_file = \"p\"\n[p2p]\nlisten = [\"" +
                   address + "\"]\n");
  };
  EXPECT_EQ(listen("/ip6/::1/tcp/0"), "accepted");
  for (const std::string& address :
       {std::string("127.0.0.1:9001"), std::string("/ip4/127.0.0.1"), std::string("/ip4/127.0.0.1/udp/1"),
        std::string("/dns4/localhost/tcp/1"), kPeer, std::string("/ip4/127.0.0.1/tcp/99999")}) {
    EXPECT_THAT(listen(address), HasSubstr("p2p.listen")) << address;
  }
  EXPECT_THAT(refusal(kValid + "peers = [\"/ip4/192.0.2.1/tcp/9001\"]\n"), HasSubstr("must end in /p2p/<PeerId>"));
  CommandLine command_line;
  command_line.peers = {"/ip4/192.0.2.1/tcp/9001"};
  EXPECT_THAT(refusal(kValid, {}, command_line), StartsWith("--peer \"/ip4/192.0.2.1/tcp/9001\": it must end"));
}

TEST(Config, TakesAddressesToAnnounceAndRefusesThoseNobodyCanDial) {
  const auto announce = [](const std::string& address) {
    return refusal(kValid + "announce = [\"" + address + "\"]\n");
  };
  EXPECT_EQ(announce("/dns4/kms.example.org/tcp/9001"), "accepted");
  EXPECT_EQ(announce("/ip4/203.0.113.7/tcp/9001"), "accepted");
  for (const std::string& address : {std::string("/ip4/203.0.113.7/tcp/0"), std::string("/ip4/203.0.113.7/udp/1"),
                                     std::string("203.0.113.7:9001"), kPeer}) {
    EXPECT_THAT(announce(address), HasSubstr("p2p.announce")) << address;
  }
}

TEST(Config, KnowsThreeWaysToCarryTopics) {
  EXPECT_EQ(parse(kValid)->p2p.gossip, GossipLayout::automatic);
  EXPECT_EQ(parse(kValid, {{"KMS_P2P__GOSSIP", "auto"}})->p2p.gossip, GossipLayout::automatic);
  EXPECT_EQ(parse(kValid, {{"KMS_P2P__GOSSIP", "committee"}})->p2p.gossip, GossipLayout::committee);
  auto config = parse(kValid, {{"KMS_P2P__GOSSIP", "flood"}});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("must be auto, committee or mesh"));
}

TEST(PeersFile, ReadsLinesWithCommentsAndEndsOfBothKinds) {
  auto peers = parse_peers("# the five\r\n\n  " + kPeer + "  # alpha\r\n" + kPeer, "peers");
  ASSERT_TRUE(peers) << peers.error().message;
  EXPECT_EQ(peers->size(), 2u);
  EXPECT_TRUE(parse_peers("", "peers")->empty());
}

TEST(PeersFile, NamesTheLineOfWhatIsNoPeer) {
  auto peers = parse_peers(kPeer + "\nnonsense\n", "peers");
  ASSERT_FALSE(peers);
  EXPECT_THAT(peers.error().message, AllOf(HasSubstr("peers:2: multiaddr has to start"), Not(HasSubstr("nonsense"))))
      << "the file may be another one, with a secret";
  peers = parse_peers(kPeer + "\n/nonsense\n", "peers");
  ASSERT_FALSE(peers);
  EXPECT_THAT(peers.error().message, HasSubstr("peers:2: \"/nonsense\""));
  std::string many;
  for (int i = 0; i < 1025; ++i) many += kPeer + "\n";
  EXPECT_FALSE(parse_peers(many, "peers"));
  EXPECT_FALSE(parse_peers(std::string(1024 * 1024 + 1, '\n'), "peers"));
}

}  // namespace
}  // namespace kms::node
