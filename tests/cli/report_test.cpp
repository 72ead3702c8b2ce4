#include <gtest/gtest.h>

#include "cli/command_line.h"
#include "cli/key_list.h"
#include "cli/node_status.h"
#include "cli/peer_list.h"
#include "cli/plain_json.h"
#include "cli/table.h"
#include "cli/testnet_file.h"

namespace kms::cli {
namespace {

const sdk::NodeUrl kUrl{"127.0.0.1", 9101};
constexpr const char* kKey = "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

Result<sdk::HttpAnswer> answer(int status, std::string body) {
  return sdk::HttpAnswer{status, std::move(body)};
}

TEST(Table, ColumnsAreAsWideAsTheirLongestCell) {
  EXPECT_EQ(table({{"A", "BB", "C"}, {"wörld", "", "x"}, {"1", "2", ""}}),
            "A      BB  C\n"
            "wörld      x\n"
            "1      2\n");
}

TEST(Table, CannotBeBrokenByWhatOthersSay) {
  EXPECT_EQ(table({{"a\nb\x1b[31m", "c"}}), "a?b?[31m  c\n");
}

TEST(NodeStatus, ShowsReadinessLinksAndRoundTrips) {
  auto status = status_of(
      kUrl, answer(503, R"j({"ready":false,"reasons":["2 of 5 members connected, 3 needed"],"missing":["c (0x1)"]})j"),
      answer(200, R"({"network":"t","version":"0.1.0","threshold":3,"members":[
        {"name":"a","self":true,"connected":true},{"name":"b","connected":true,"roundTripMs":12.4},
        {"name":"d","connected":true,"roundTripMs":0.25},{"name":"c","connected":false}],
        "ceremony":{"phase":"dealing"}})"));
  EXPECT_EQ(status.fault, "");
  EXPECT_EQ(status.name, "a");
  EXPECT_EQ(status.connected, 3U);
  EXPECT_EQ(status.members, 4U);
  auto report = status_report({status});
  EXPECT_EQ(report.exit, Exit::failed);
  EXPECT_NE(report.text.find("not ready  3/4    0.2..12  dealing   2 of 5 members connected, 3 needed; not connected: "
                             "c (0x1)"),
            std::string::npos)
      << report.text;
  EXPECT_EQ(report.json.at("nodes").at(0).at("phase").as_string(), "dealing");
}

TEST(PeerList, ShowsWhoIsThereAndWhyTheOthersAreNot) {
  const auto list = peers_in(kUrl, answer(200, R"({"name":"node-1","peers":[
      {"name":"node-2","peerId":"16Uiu2HAm1234567890abcdefgh","class":"committee","connected":true,"pubsub":true,
       "address":"/ip4/10.0.0.2/tcp/9002","direction":"outbound","roundTripMs":0.42,"connectedSeconds":3725,
       "bytesIn":1500000,"bytesOut":999},
      {"name":"node-3","peerId":"16Uiu2HAmzzzzzzzzz","class":"committee","connected":false,"bytesIn":0,"bytesOut":0,
       "lastClose":{"reason":"unresponsive","text":"yamux: silent","secondsAgo":61}},
      {"name":"","peerId":"16Uiu2HAmyyyyyyyyy","class":"light","connected":true,"direction":"inbound",
       "connectedSeconds":5,"bytesIn":10,"bytesOut":20}]})"));
  const auto report = peers_report({list});
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_EQ(report.text,
            "node-1 at http://127.0.0.1:9101: 2 of 3 peers connected\n"
            "PEER    PEER ID     CLASS      ADDRESS                 DIR  RTT MS  SINCE  IN     OUT  SCORE  STATE\n"
            "node-2  ..abcdefgh  committee  /ip4/10.0.0.2/tcp/9002  out  0.4     1h2m   1.5 M  999  -      gossip\n"
            "node-3  ..zzzzzzzz  committee  -                       -    -       -      0      0    -      away: "
            "unresponsive 1m1s ago, yamux: silent\n"
            "-       ..yyyyyyyy  light      -                       in   -       5s     10     20   -      no gossip "
            "yet\n");
  EXPECT_EQ(report.json.at("nodes").at(0).at("peers").as_array().size(), 3U);
}

TEST(PeerList, ANodeThatDoesNotAnswerIsNamedAndFails) {
  const auto report = peers_report({peers_in(kUrl, error("cannot connect")), peers_in(kUrl, answer(404, "{}"))});
  EXPECT_EQ(report.exit, Exit::failed);
  EXPECT_NE(report.text.find("no answer, cannot connect"), std::string::npos) << report.text;
  EXPECT_NE(report.text.find("GET /v1/peers: "), std::string::npos) << report.text;
}

TEST(NodeStatus, AllReadyIsExitZeroAndOneSilentNodeIsNot) {
  auto good = status_of(kUrl, answer(200, R"({"ready":true,"reasons":[],"missing":[]})"),
                        answer(200, R"({"network":"t","members":[]})"));
  EXPECT_EQ(status_report({good}).exit, Exit::ok);
  auto silent = status_of(kUrl, error("cannot connect"), error("cannot connect"));
  EXPECT_EQ(status_report({good}).note, "");
  auto report = status_report({good, silent});
  EXPECT_EQ(report.exit, Exit::failed);
  EXPECT_NE(report.text.find("1 of 2 nodes"), std::string::npos);
  EXPECT_EQ(report.json.at("nodes").at(1).at("reachable").as_bool(), false);
}

TEST(NodeStatus, AnImportedKeyIsNamedOnce) {
  const auto imported = status_of(kUrl, answer(200, R"({"ready":true,"reasons":[],"missing":[]})"),
                                  answer(200, R"({"network":"t","members":[],"importedChains":[31337,"x",-1]})"));
  const auto report = status_report({imported, imported});
  EXPECT_EQ(report.exit, Exit::ok);
  EXPECT_EQ(report.note.find("The key of chain 31337 was imported"), 0u) << report.note;
  EXPECT_EQ(report.note.find('\n'), std::string::npos) << report.note;
  EXPECT_EQ(report.json.at("nodes").at(0).at("importedChains").as_array().size(), 1u);
}

TEST(NodeStatus, ASourceThatIsNoNodeIsNeverReady) {
  for (const char* body : {"", "[]", "hello", "{\"ready\":true", "{}"}) {
    auto status = status_of(kUrl, answer(200, body), answer(200, "{}"));
    EXPECT_NE(status.fault, "") << body;
    EXPECT_EQ(status_report({status}).exit, Exit::failed);
  }
  // A 503 that says "ready" contradicts itself.
  EXPECT_FALSE(status_of(kUrl, answer(503, R"({"ready":true})"), answer(200, "{}")).is_ready);
}

std::string keys_body(const std::string& origin, const std::string& key = kKey) {
  return R"({"keys":[{"keyId":"0x01","chainId":7,"publicKey":")" + key +
         R"(","epoch":2,"threshold":3,"memberCount":5,"origin":")" + origin + R"("}]})";
}

TEST(KeyList, AnImportedKeyComesWithAWarning) {
  auto keys = keys_in({200, keys_body("imported")});
  ASSERT_TRUE(keys) << keys.error().message;
  auto report = keys_report(*keys, kUrl);
  EXPECT_NE(report.note.find("held whole by somebody"), std::string::npos);
  EXPECT_TRUE(report.json.contains("warning"));
  EXPECT_NE(report.text.find("imported"), std::string::npos);
  EXPECT_TRUE(keys_report(*keys_in({200, keys_body("generated")}), kUrl).note.empty());
}

TEST(KeyList, RefusesWhatIsNoKeyList) {
  EXPECT_FALSE(keys_in({503, "{\"error\":\"Unavailable: x\"}"}));
  EXPECT_FALSE(keys_in({200, "{}"}));
  EXPECT_FALSE(keys_in({200, "{\"keys\":[1]}"}));
  EXPECT_FALSE(keys_in({200, keys_body("generated", "0x02")}));
  EXPECT_FALSE(keys_in({200, keys_body("generated", "0x02" + std::string(63, '0') + "5")}));
}

TEST(KeyList, ChoosesTheNamedKeyOrTheOnlyOne) {
  auto one = *keys_in({200, keys_body("generated")});
  EXPECT_EQ(choose_key(one, {})->chain_id, 7U);
  EXPECT_EQ(choose_key(one, 7)->chain_id, 7U);
  EXPECT_NE(choose_key(one, 8).error().message.find("there are keys for: 7"), std::string::npos);
  auto two = one;
  two.push_back(one[0]);
  two[1].chain_id = 8;
  EXPECT_NE(choose_key(two, {}).error().message.find("7, 8"), std::string::npos);
  EXPECT_EQ(choose_key(two, 8)->chain_id, 8U);
  EXPECT_NE(choose_key({}, {}).error().message.find("no key yet"), std::string::npos);
}

TEST(TestnetFile, ReadsWhatTestnetUpWritesAndNamesWhatIsMissing) {
  const std::string key(64, '1');
  const std::string good = R"({"network":"n","threshold":3,"nodes":[{"index":1,"http":"http://127.0.0.1:9101"}],)"
                           R"("gateway":{"address":"0x","privateKey":"0x)" +
                           key + R"("},"signer":{"address":"0x)" + std::string(40, 'a') + R"("}})";
  auto parsed = Testnet::parse(good, "t.json");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->nodes.at(0).http.text(), "http://127.0.0.1:9101");
  EXPECT_EQ(parsed->threshold, 3U);
  for (const char* cut : {"nodes", "gateway", "signer", "privateKey", "index", "http"}) {
    std::string bad = good;
    bad.replace(bad.find("\"" + std::string(cut) + "\""), 2, "\"x");
    auto refused = Testnet::parse(bad, "t.json");
    ASSERT_FALSE(refused) << cut;
    EXPECT_TRUE(refused.error().message.starts_with("t.json")) << refused.error().message;
  }
}

TEST(PlainJson, EscapesTextAndGivesOtherBytesAsHex) {
  auto shown = [](std::string_view text) { return std::string(as_text(plain_json(as_bytes(text)).expose())); };
  EXPECT_EQ(shown(""), "{\"text\":\"\"}\n");
  EXPECT_EQ(shown("a\"\\\n\x7f é €"), "{\"text\":\"a\\\"\\\\\\u000a\\u007f é €\"}\n");
  EXPECT_EQ(shown("\xff"), "{\"hex\":\"0xff\"}\n");
  EXPECT_EQ(shown("\xc0\x80"), "{\"hex\":\"0xc080\"}\n");        // overlong
  EXPECT_EQ(shown("\xed\xa0\x80"), "{\"hex\":\"0xeda080\"}\n");  // surrogate
  EXPECT_EQ(shown("\xe2\x82"), "{\"hex\":\"0xe282\"}\n");        // cut off
}

std::variant<CommandLine, Help, Failure> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "kmsctl");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, ReadsEveryCommand) {
  auto delegate = parse({"delegate", "--node", "http://a", "--node", "http://b", "--rsa-key", "k", "c.json", "--json"});
  ASSERT_TRUE(std::holds_alternative<CommandLine>(delegate));
  EXPECT_TRUE(std::get<CommandLine>(delegate).json);
  const auto& options = std::get<Delegate>(std::get<CommandLine>(delegate).command);
  EXPECT_EQ(options.where.nodes, (std::vector<std::string>{"http://a", "http://b"}));
  EXPECT_EQ(options.ciphertext_file, "c.json");
  auto encrypt = parse({"encrypt", "--node", "http://a", "hello"});
  EXPECT_EQ(std::get<Encrypt>(std::get<CommandLine>(encrypt).command).text, "hello");
  auto stdin_text = parse({"encrypt", "--node", "http://a"});
  EXPECT_EQ(std::get<Encrypt>(std::get<CommandLine>(stdin_text).command).text, "-");
  auto wallet = parse({"keygen", "wallet", "--out", "f"});
  EXPECT_EQ(std::get<KeygenWallet>(std::get<CommandLine>(wallet).command).file, "f");
  EXPECT_TRUE(std::holds_alternative<Peers>(std::get<CommandLine>(parse({"peers", "--node", "http://a"})).command));
  auto demo = parse({"demo", "--testnet", "t", "--node", "2", "hi"});
  EXPECT_EQ(std::get<Demo>(std::get<CommandLine>(demo).command).node, 2U);
}

TEST(CommandLine, WrongLinesAreUsageErrorsThatNameTheFault) {
  auto complaint = [](std::vector<const char*> arguments) {
    auto parsed = parse(std::move(arguments));
    const auto* failure = std::get_if<Failure>(&parsed);
    return failure == nullptr || failure->exit != Exit::usage ? std::string("accepted") : failure->message;
  };
  EXPECT_NE(complaint({"frobnicate"}).find("\"frobnicate\""), std::string::npos);
  EXPECT_NE(complaint({"keygen"}).find("--out"), std::string::npos);
  EXPECT_NE(complaint({"keygen", "rsa", "--out", "f", "--bits", "1024"}).find("1024"), std::string::npos);
  EXPECT_NE(complaint({"decrypt"}).find("--rsa-key"), std::string::npos);
  for (const char* chain : {"-1", "18446744073709551616", "0x10", "+1", ""})
    EXPECT_NE(complaint({"encrypt", "--chain-id", chain, "hi"}).find("--chain-id"), std::string::npos) << chain;
  EXPECT_NE(complaint({"status", "--wrong"}).find("--wrong"), std::string::npos);
  EXPECT_NE(complaint({"status", "--node"}).find("--node"), std::string::npos);
  EXPECT_NE(complaint({"demo", "--testnet", "t", "--node", "x", "hi"}).find("--node"), std::string::npos);
}

TEST(CommandLine, EveryHelpTeachesWithAnExample) {
  for (const char* command : {"keygen", "status", "keys", "encrypt", "delegate", "decrypt", "demo"}) {
    auto help = parse({command, "--help"});
    ASSERT_TRUE(std::holds_alternative<Help>(help)) << command;
    EXPECT_NE(std::get<Help>(help).text.find("\n  kmsctl " + std::string(command)), std::string::npos) << command;
  }
}

}  // namespace
}  // namespace kms::cli
