#include "node/peers_view.h"

#include <fstream>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "crypto/scalar.h"

namespace kms::node {
namespace {

namespace json = boost::json;

constexpr Now kNow{Instant(Duration(1h)), 1'700'000'100'000};

net::PeerId peer_of(std::uint8_t number) {
  Bytes key(32, 0);
  key.back() = number;
  const auto secret = crypto::SecretScalar::parse(key).value();
  return net::PeerId::of(net::PublicKey::from_secp256k1(crypto::multiply_generator(secret).point()));
}

PeersSeen seen() {
  net::PeerView member{.peer = peer_of(1),
                       .peer_class = net::PeerClass::committee,
                       .connections = 1,
                       .remote = *net::Multiaddr::parse_text("/ip4/10.0.0.2/tcp/9002"),
                       .direction = net::Direction::outbound,
                       .is_identified = true,
                       .has_pubsub = true,
                       .agent_version = "kms/0.1.0",
                       .round_trip = Duration(1500),
                       .connected_unix_ms = 1'700'000'000'000,
                       .traffic = {}};
  member.traffic.bytes_in = 1234;
  member.traffic.messages_refused = 2;
  net::PeerView light = member;
  light.peer = peer_of(2);
  light.peer_class = net::PeerClass::light;
  light.direction = net::Direction::inbound;
  net::AwayView away{peer_of(3),
                     net::PeerClass::committee,
                     net::LastClose{{net::CloseReason::unresponsive, "yamux: silent"}, 1'700'000'040'000},
                     {}};
  return {"testnet", "node-1", {light, member}, {away}, {{peer_of(1), "node-2"}, {peer_of(3), "node-3"}}};
}

TEST(PeersView, ShowsMembersFirstAndWhoIsAwayWithTheReason) {
  const auto view = peers_view(seen(), kNow);
  const auto& rows = view.at("peers").as_array();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].at("name").as_string(), "node-2");
  EXPECT_EQ(rows[0].at("address").as_string(), "/ip4/10.0.0.2/tcp/9002");
  EXPECT_EQ(rows[0].at("roundTripMs").to_number<double>(), 1.5);
  EXPECT_EQ(rows[0].at("connectedSeconds").to_number<int>(), 100);
  EXPECT_EQ(rows[0].at("bytesIn").to_number<int>(), 1234);
  EXPECT_EQ(rows[1].at("name").as_string(), "node-3");
  EXPECT_FALSE(rows[1].at("connected").as_bool());
  EXPECT_EQ(rows[1].at("lastClose").at("reason").as_string(), "unresponsive");
  EXPECT_EQ(rows[1].at("lastClose").at("secondsAgo").to_number<int>(), 60);
  EXPECT_EQ(rows[2].at("class").as_string(), "light");
  EXPECT_EQ(rows[2].as_object().if_contains("address"), nullptr) << "addresses of strangers are not for everybody";
}

TEST(PeersView, IsAsDocumented) {
  std::ifstream file(KMS_SOURCE_DIR "/docs/API.md");
  std::string block;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## GET /v1/peers";
    if (inside && line.starts_with("    ")) block += line;
  }
  const auto documented = json::parse(block);
  const auto real = json::value(peers_view(seen(), kNow));
  const auto names_of = [](const json::value& value) {
    std::set<std::string> out;
    for (const auto& member : value.as_object()) out.emplace(member.key());
    return out;
  };
  EXPECT_EQ(names_of(documented), names_of(real));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(names_of(documented.at("peers").at(i)), names_of(real.at("peers").at(i)));
  }
  EXPECT_EQ(names_of(documented.at("peers").at(1).at("lastClose")), names_of(real.at("peers").at(1).at("lastClose")));
}

TEST(PeerMetrics, CountByReasonProtocolAndMember) {
  net::HostCounters counters;
  counters.closed[static_cast<std::size_t>(net::CloseReason::unresponsive)] = 7;
  counters.protocols["/meshsub/1.2.0"].bytes_in = 99;
  counters.pubsub_stalls = 3;
  const std::string text = peer_metrics(seen(), counters);
  for (const char* line :
       {"kms_p2p_connections_closed_total{reason=\"unresponsive\"} 7",
        "kms_p2p_protocol_bytes_in_total{protocol=\"/meshsub/1.2.0\"} 99",
        "kms_p2p_peer_bytes_in_total{peer=\"node-2\"} 1234", "kms_p2p_peer_messages_refused_total{peer=\"node-2\"} 2",
        "kms_p2p_pubsub_stalls_total 3", "kms_p2p_pubsub_stalled 0", "kms_p2p_peer_connected{peer=\"node-3\"} 0",
        "kms_p2p_peers{class=\"light\"} 1"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
  EXPECT_EQ(text.find(peer_of(2).text()), std::string::npos) << "no series for strangers";
}

}  // namespace
}  // namespace kms::node
