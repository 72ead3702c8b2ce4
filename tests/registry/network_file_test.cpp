#include "registry/network_file.h"

#include <gmock/gmock.h>

#include "base/base58.h"
#include "crypto/point.h"

namespace kms::registry {
namespace {

using testing::AllOf;
using testing::HasSubstr;

crypto::Point key(std::uint64_t i) {
  return crypto::multiply_generator(crypto::Scalar(i)).point();
}

std::string peer_id(const crypto::Point& point) {
  Bytes bytes{0x00, 0x25, 0x08, 0x02, 0x12, 0x21};
  append(bytes, point.bytes());
  return encode_base58(bytes);
}

constexpr char kNonce[] = "0x0101010101010101010101010101010101010101010101010101010101010101";
constexpr char kGateway[] = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

// A network file whose parts can be replaced; as it stands it is valid: 5 members, threshold 3, one chain.
struct Text {
  std::string name = "name = \"testnet\"\n";
  std::string nonce = std::string("creation_nonce = \"") + kNonce + "\"\n";
  std::string threshold = "threshold = 3\n";
  std::string more{};
  std::string members = members_of(5);
  std::string chains = std::string("[[chain]]\nid = 31337\ngateway = \"") + kGateway + "\"\n";

  static std::string members_of(std::uint64_t count) {
    std::string out;
    for (std::uint64_t i = 1; i <= count; ++i) {
      out += "[[member]]\nkey = \"" + to_hex(key(i).bytes()) + "\"\nname = \"node-" + std::to_string(i) + "\"\n";
    }
    return out;
  }
  std::string text() const { return name + nonce + threshold + more + members + chains; }
};

std::string refusal(const Text& text) {
  auto parsed = NetworkFile::parse(text.text());
  return parsed ? "accepted" : parsed.error().message;
}

// PROTOCOL.md 12: what is imported is agreed on beforehand.
TEST(NetworkFile, AnImportTakesOneMemberAndThePublicKeyOfEachChain) {
  const std::string pinned = Text{}.chains + "public_key = \"" + to_hex(key(9).bytes()) + "\"\n";
  Text text{.threshold = "threshold = 1\n",
            .more = "genesis = \"import\"\n",
            .members = Text::members_of(1),
            .chains = pinned};
  const auto file = NetworkFile::parse(text.text());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->genesis(), Genesis::import);
  EXPECT_EQ(file->chains()[0].public_key, key(9));
  text.chains = Text{}.chains;
  EXPECT_THAT(refusal(text), AllOf(HasSubstr("public_key"), HasSubstr("chain 31337")));
  text = {.more = "genesis = \"import\"\n", .chains = pinned};
  EXPECT_THAT(refusal(text), HasSubstr("one member"));
  text.more += "epoch = 1\n";
  EXPECT_EQ(refusal(text), "accepted") << "the file of a later epoch is a copy with other members";
}

TEST(NetworkFile, ReadsTheSmallestTextWithItsDefaults) {
  const Text text;
  auto file = NetworkFile::parse(text.text());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(as_text(file->bytes()), text.text());
  EXPECT_EQ(file->name(), "testnet");
  EXPECT_EQ(to_0x(file->creation_nonce()), kNonce);
  EXPECT_EQ(file->epoch(), 0u);
  EXPECT_EQ(file->threshold(), 3);
  EXPECT_EQ(file->tolerated_faults(), 1);
  EXPECT_EQ(file->genesis(), Genesis::automatic);
  EXPECT_FALSE(file->refresh_every());
  EXPECT_TRUE(file->needs_repair_approval());
  EXPECT_FALSE(file->allows_lower_threshold());
  EXPECT_FALSE(file->accepts_f0());
  EXPECT_EQ(file->members().size(), 5u);
  EXPECT_EQ(file->registry().form_a_entries().size(), 5u);
}

TEST(NetworkFile, ReadsEveryKey) {
  const Text text{.more = "epoch = 7\ndecider = \"simplex\"\ngenesis = \"manual\"\nform_a_entries = [\"node-2\", \"" +
                          peer_id(key(4)) + "\"]\nrefresh_every = \"7d\"\nrepair_approval = false\n" +
                          "allow_lower_threshold = true\naccept_f0 = true\n",
                  .members = Text::members_of(4) + "[[member]]\nkey = \"" + peer_id(key(9)) +
                             "\"\naddresses = [\"/ip4/192.0.2.1/tcp/9001\", \"/dns4/kms.example/tcp/9001\"]\n",
                  .chains = "[[chain]]\nid = 421614\ngateway = [\"0x0000000000000000000000000000000000000001\", \"" +
                            std::string(kGateway) + "\"]\ncontract = \"0x0000000000000000000000000000000000000002\"\n" +
                            "public_key = \"0x" + to_hex(key(77).bytes()) + "\"\n[[chain]]\nid = 1\ngateway = \"" +
                            kGateway + "\"\n"};
  auto file = NetworkFile::parse(text.text());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->epoch(), 7u);
  EXPECT_EQ(file->genesis(), Genesis::manual);
  EXPECT_EQ(file->refresh_every(), std::chrono::hours(7 * 24));
  EXPECT_FALSE(file->needs_repair_approval());
  EXPECT_TRUE(file->allows_lower_threshold());
  EXPECT_TRUE(file->accepts_f0());
  const Registry& registry = file->registry();
  const Member* dialled = registry.find(key(9));
  ASSERT_NE(dialled, nullptr);
  EXPECT_THAT(dialled->addresses, testing::ElementsAre("/ip4/192.0.2.1/tcp/9001", "/dns4/kms.example/tcp/9001"));
  EXPECT_FALSE(registry.is_member(key(5)));
  EXPECT_TRUE(registry.may_enter_form_a(crypto::node_id_of(key(2))));
  EXPECT_TRUE(registry.may_enter_form_a(crypto::node_id_of(key(4))));
  EXPECT_FALSE(registry.may_enter_form_a(crypto::node_id_of(key(1))));
  EXPECT_THAT(registry.chain_ids(), testing::ElementsAre(1, 421614));
  EXPECT_EQ(registry.chains().front().id, 1u) << "labels are in the order of chain ids";
  EXPECT_EQ(registry.gateways(421614).size(), 2u);
  EXPECT_TRUE(registry.gateways(5).empty());
  EXPECT_EQ(registry.chain(421614)->contract.hex(), "0x0000000000000000000000000000000000000002");
  EXPECT_EQ(registry.chain(421614)->public_key, key(77));
  EXPECT_EQ(registry.chain(5), nullptr);
}

TEST(NetworkFile, SortsMembersByNodeIdWhateverTheirOrder) {
  auto file = NetworkFile::parse(Text{}.text());
  ASSERT_TRUE(file);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_LT(file->members()[i - 1].node_id, file->members()[i].node_id);
  for (const Member& member : file->members()) EXPECT_EQ(member.node_id, crypto::node_id_of(member.key));
}

TEST(NetworkFile, AnEmptyListOfEntriesSwitchesFormAOff) {
  auto file = NetworkFile::parse(Text{.more = "form_a_entries = []\n"}.text());
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->registry().form_a_entries().empty());
}

TEST(NetworkFile, AcceptsExactlyTheCommitteeSizesOfTheProtocol) {
  const auto with = [](std::uint64_t n, int t, bool accept_f0) {
    return refusal({.threshold = "threshold = " + std::to_string(t) + "\n",
                    .more = accept_f0 ? "accept_f0 = true\n" : "",
                    .members = Text::members_of(n)});
  };
  EXPECT_EQ(with(1, 1, false), "accepted");
  EXPECT_EQ(with(4, 2, false), "accepted");
  EXPECT_EQ(with(5, 3, false), "accepted");
  EXPECT_EQ(with(7, 4, false), "accepted");
  EXPECT_EQ(with(128, 65, false), "accepted");
  for (const auto& [n, t] : {std::pair(2, 2), std::pair(3, 2), std::pair(4, 3), std::pair(5, 4), std::pair(5, 5)}) {
    EXPECT_THAT(with(static_cast<std::uint64_t>(n), t, false), HasSubstr("accept_f0 = true")) << n << t;
    EXPECT_EQ(with(static_cast<std::uint64_t>(n), t, true), "accepted") << n << t;
  }
  EXPECT_THAT(with(5, 1, true), HasSubstr("from 2 to 5"));
  EXPECT_THAT(with(5, 6, true), HasSubstr("from 2 to 5"));
  EXPECT_THAT(with(1, 2, true), HasSubstr("a network of one member"));
  EXPECT_THAT(with(5, 0, true), HasSubstr("from 1 to 128"));
  EXPECT_THAT(with(129, 65, true), HasSubstr("at most 128"));
}

TEST(NetworkFile, NamesAnUnknownKeyAndItsLine) {
  EXPECT_EQ(refusal({.more = "treshold = 3\n"}).substr(0, 41), "network.toml:4:1: unknown key treshold; k");
  EXPECT_THAT(refusal({.threshold = "treshold = 3\n"}), HasSubstr("unknown key treshold"))
      << "and does not complain of what is missing in its place";
  EXPECT_THAT(refusal({.members = Text::members_of(5) + "adress = \"/ip4/1.2.3.4\"\n"}),
              HasSubstr("unknown key member.adress"));
  EXPECT_THAT(refusal({.chains = Text{}.chains + "gatway = 1\n"}), HasSubstr("unknown key chain.gatway"));
}

TEST(NetworkFile, RefusesWrongNames) {
  for (const char* name : {"", "A", "a b", "a.b", "a/b", "abcdefghijklmnopqrstuvwxyz0123456"}) {
    EXPECT_THAT(refusal({.name = std::string("name = \"") + name + "\"\n"}),
                AllOf(HasSubstr("network.toml:1:8: name = "), HasSubstr("1 to 32 of a-z 0-9 -")))
        << name;
  }
  EXPECT_EQ(refusal({.name = "name = \"abcdefghijklmnopqrstuvwxyz-01234\"\n"}), "accepted");
  EXPECT_THAT(refusal({.name = ""}), HasSubstr("name is missing"));
  EXPECT_THAT(refusal({.name = "name = 3\n"}), HasSubstr("name = 3: must be a text in quotes"));
}

TEST(NetworkFile, RefusesWrongNonces) {
  EXPECT_THAT(refusal({.nonce = ""}), HasSubstr("creation_nonce is missing"));
  EXPECT_THAT(refusal({.nonce = "creation_nonce = \"0x01\"\n"}), HasSubstr("expected 32 bytes"));
  EXPECT_THAT(refusal({.nonce = "creation_nonce = \"" + std::string(64, '0') + "\"\n"}), HasSubstr("all zeros"));
  EXPECT_THAT(refusal({.nonce = "creation_nonce = \"" + std::string(64, 'g') + "\"\n"}), HasSubstr("creation_nonce"));
}

TEST(NetworkFile, RefusesMembersListedTwiceInEitherForm) {
  EXPECT_THAT(refusal({.members = Text::members_of(5) + "[[member]]\nkey = \"" + to_hex(key(2).bytes()) + "\"\n"}),
              AllOf(HasSubstr("network.toml:20:7"), HasSubstr("listed twice")));
  EXPECT_THAT(refusal({.members = Text::members_of(5) + "[[member]]\nkey = \"" + peer_id(key(2)) + "\"\n"}),
              HasSubstr("listed twice"));
  EXPECT_THAT(refusal({.members = Text::members_of(5) + "[[member]]\nname = \"node-3\"\nkey = \"" +
                                  to_hex(key(9).bytes()) + "\"\n"}),
              HasSubstr("two members have this name"));
}

TEST(NetworkFile, RefusesWhatIsNoNodeKey) {
  const auto with = [](const std::string& text) {
    return refusal({.members = Text::members_of(5) + "[[member]]\nkey = \"" + text + "\"\n"});
  };
  const auto remedy = HasSubstr("kmsctl keygen");
  EXPECT_THAT(with(""), remedy);
  EXPECT_THAT(with("02"), remedy);
  EXPECT_THAT(with(std::string(66, 'f')), remedy);
  EXPECT_THAT(with("04" + std::string(64, '1')), remedy);
  EXPECT_THAT(with(to_hex(key(3).uncompressed())), remedy);
  EXPECT_THAT(with("16Uiu2"), remedy);
  EXPECT_THAT(with(peer_id(key(9)) + "1"), remedy);
  std::string changed = peer_id(key(9));
  changed[20] = '0';
  EXPECT_THAT(with(changed), remedy) << "not a base58 character";
  EXPECT_THAT(with("12D3KooWJetbHsUJrFZt9kSkvMcKbqXDsMJvGrjPaYiqTT7X1A8i"), remedy) << "an ed25519 PeerId";
  EXPECT_THAT(refusal({.members = Text::members_of(5) + "[[member]]\nname = \"x\"\n"}),
              HasSubstr("member.key is missing"));
}

TEST(NetworkFile, RefusesWrongMemberNamesAndAddresses) {
  const auto with = [](const std::string& line) {
    return refusal(
        {.members = Text::members_of(4) + "[[member]]\nkey = \"" + to_hex(key(5).bytes()) + "\"\n" + line + "\n"});
  };
  EXPECT_EQ(with("name = \"a.B_c-1\""), "accepted");
  EXPECT_THAT(with("name = \"\""), HasSubstr("must be 1 to 64"));
  EXPECT_THAT(with("name = \"a b\""), HasSubstr("must be 1 to 64"));
  EXPECT_THAT(with("name = \"" + std::string(65, 'a') + "\""), HasSubstr("must be 1 to 64"));
  EXPECT_THAT(with("name = \"all\""), HasSubstr("choose another"));
  EXPECT_THAT(with("addresses = [\"127.0.0.1:9001\"]"), HasSubstr("no multiaddr"));
  EXPECT_THAT(with("name = \"eve\"\naddresses = [\"/ip4/192.0.2.1/tcp/0\"]"),
              AllOf(HasSubstr("\"/ip4/192.0.2.1/tcp/0\" of member eve"), HasSubstr("name the port")));
  EXPECT_THAT(with("addresses = [\"/ip4/192.0.2.1/tcp/00/p2p/" + peer_id(key(5)) + "\"]"),
              AllOf(HasSubstr("of member " + to_hex(key(5).bytes()).substr(0, 20)), HasSubstr("port 0")));
  for (const std::string& foreign : {peer_id(key(1)), std::string("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")}) {
    EXPECT_THAT(with("name = \"eve\"\naddresses = [\"/ip4/192.0.2.1/tcp/1/p2p/" + foreign + "\"]"),
                AllOf(HasSubstr(foreign), HasSubstr("of member eve"), HasSubstr("leave /p2p/.. away")));
  }
  EXPECT_EQ(with("addresses = [\"/ip4/192.0.2.1/tcp/9001/p2p/" + peer_id(key(5)) + "\", \"/dns4/tcp/tcp/10\"]"),
            "accepted");
  EXPECT_THAT(with("addresses = [1]"), HasSubstr("list of texts"));
  EXPECT_THAT(with("addresses = [\"/a\",\"/a\",\"/a\",\"/a\",\"/a\",\"/a\",\"/a\",\"/a\",\"/a\"]"),
              HasSubstr("at most 8"));
}

TEST(NetworkFile, RefusesWrongChains) {
  const std::string gateway = std::string("gateway = \"") + kGateway + "\"\n";
  const auto with = [](const std::string& chains) { return refusal({.chains = chains}); };
  EXPECT_THAT(with(""), HasSubstr("chain is missing"));
  EXPECT_THAT(with("[[chain]]\n" + gateway), HasSubstr("chain.id is missing"));
  EXPECT_THAT(with("[[chain]]\nid = 0\n" + gateway), HasSubstr("chain.id = 0"));
  EXPECT_THAT(with("[[chain]]\nid = -1\n" + gateway), HasSubstr("chain.id = -1"));
  EXPECT_THAT(with("[[chain]]\nid = \"1\"\n" + gateway), HasSubstr("whole number"));
  EXPECT_THAT(with("[[chain]]\nid = 1\n" + gateway + "[[chain]]\nid = 1\n" + gateway), HasSubstr("stands twice"));
  EXPECT_THAT(with("[[chain]]\nid = 1\n"), HasSubstr("chain.gateway is missing"));
  EXPECT_THAT(with("[[chain]]\nid = 1\ngateway = []\n"), HasSubstr("names nobody"));
  EXPECT_THAT(with("[[chain]]\nid = 1\ngateway = \"0x12\"\n"), HasSubstr("no address"));
  EXPECT_THAT(with("[[chain]]\nid = 1\ngateway = \"0x" + std::string(40, '0') + "\"\n"), HasSubstr("zero address"));
  EXPECT_THAT(with("[[chain]]\nid = 1\ncontract = \"x\"\n" + gateway), HasSubstr("chain.contract"));
  EXPECT_THAT(with("[[chain]]\nid = 1\npublic_key = \"02ff\"\n" + gateway), HasSubstr("chain.public_key"));
  std::string many;
  for (int i = 1; i <= 17; ++i) many += "[[chain]]\nid = " + std::to_string(i) + "\n" + gateway;
  EXPECT_THAT(with(many), HasSubstr("at most 16"));
}

TEST(NetworkFile, RefusesWrongWordsFlagsAndDurations) {
  EXPECT_THAT(refusal({.more = "decider = \"contract\"\n"}), HasSubstr("on-chain registry"));
  EXPECT_THAT(refusal({.more = "genesis = \"later\"\n"}), HasSubstr("\"auto\", \"manual\" or \"import\""));
  EXPECT_THAT(refusal({.more = "accept_f0 = 1\n"}), HasSubstr("true or false"));
  EXPECT_THAT(refusal({.more = "refresh_every = \"5\"\n"}), HasSubstr("must be a duration"));
  EXPECT_THAT(refusal({.more = "refresh_every = \"1s\"\n"}), HasSubstr("must be a duration"));
  EXPECT_THAT(refusal({.more = "epoch = 4294967296\n"}), HasSubstr("epoch = 4294967296"));
  EXPECT_THAT(refusal({.more = "form_a_entries = [\"node-9\"]\n"}), HasSubstr("neither the name nor the key"));
  EXPECT_THAT(refusal({.threshold = ""}), AllOf(HasSubstr("threshold is missing"), HasSubstr("3 of 5")));
  EXPECT_THAT(refusal({.members = ""}), HasSubstr("member is missing"));
  EXPECT_THAT(refusal({.members = "[member]\n"}), HasSubstr("[[member]]"));
}

TEST(NetworkFile, RefusesTextThatIsNoTomlOrTooLong) {
  EXPECT_THAT(refusal({.more = "epoch = \n"}), AllOf(HasSubstr("network.toml:4:"), HasSubstr("not valid TOML")));
  EXPECT_THAT(refusal({.more = "threshold = 4\n"}), HasSubstr("not valid TOML")) << "a key that stands twice";
  EXPECT_THAT(refusal({.more = "#" + std::string(1024 * 1024, 'x') + "\n"}), HasSubstr("at most 1048576"));
  EXPECT_FALSE(NetworkFile::parse(std::string("\xff\xfe\x00", 3)));
  EXPECT_FALSE(NetworkFile::parse(std::string(100'000, '[')));
  EXPECT_FALSE(NetworkFile::parse(""));
}

TEST(NetworkFile, ShowsOnlyTheStartOfAWrongValue) {
  EXPECT_LT(refusal({.name = "name = \"" + std::string(100'000, 'x') + "\"\n"}).size(), 300u);
  EXPECT_THAT(refusal({.name = "name = \"a\\u001b[31m\"\n"}), HasSubstr("a?[31m"));
}

}  // namespace
}  // namespace kms::registry
