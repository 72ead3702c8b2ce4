#include "node/p2p_metrics.h"

#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/sim/random.h"

namespace kms::node {
namespace {

TEST(P2pMetrics, DescribesEachFamilyOnceAndGivesItAValue) {
  const Now now{Instant(Duration(1h)), 1'700'000'000'000};
  sim::Random entropy(1);
  const net::Identity identity = net::Identity::generate(entropy);
  net::Host host(identity, {}, entropy, now);
  net::Discovery discovery(host, "t", {}, entropy, now);
  net::ObjectExchange objects(host, "t", {}, now);
  net::ObjectName lost{7};
  sim::Random other(2);
  const auto away = net::Identity::generate(other).peer_id();
  discovery.set_members({away}, now);
  objects.set_members({away}, now);
  objects.pull(lost, now);
  const Now later{now.instant + 2min, now.unix_ms + 120'000};
  objects.tick(later);
  std::istringstream text(p2p_metrics(host, discovery, objects));
  std::set<std::string> described, valued;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(described.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    } else if (!line.starts_with("#")) {
      const std::string name = line.substr(0, line.find_first_of(" {"));
      EXPECT_TRUE(described.contains(name)) << line;
      valued.insert(line);
    }
  }
  EXPECT_TRUE(valued.contains("kms_p2p_members_missing 1"));
  EXPECT_TRUE(valued.contains("kms_p2p_objects_failed_total 1"));
  EXPECT_TRUE(valued.contains("kms_p2p_connections 0"));
  EXPECT_TRUE(described.contains("kms_p2p_topic_bytes_out_total"));
}

TEST(P2pMetrics, NamesTheTopicsItFollowsAndAddsUpTheOthers) {
  const Now now{Instant(Duration(1h)), 1'700'000'000'000};
  sim::Random entropy(1);
  const net::Identity identity = net::Identity::generate(entropy);
  net::HostOptions options;
  options.router.topics.allows_all = true;
  net::Host host(identity, options, entropy, now);
  net::Discovery discovery(host, "t", {}, entropy, now);
  net::ObjectExchange objects(host, "t", {}, now);
  ASSERT_TRUE(host.subscribe("followed", now).has_value());
  ASSERT_TRUE(host.publish("followed", {1}, now).has_value());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(host.publish("made up " + std::to_string(i), {1}, now).has_value());
  const std::string text = p2p_metrics(host, discovery, objects);
  const auto has = [&](std::string_view line) { return text.find(std::string(line) + "\n") != std::string::npos; };
  EXPECT_TRUE(has("kms_p2p_topic_published_total{topic=\"followed\"} 1"));
  EXPECT_TRUE(has("kms_p2p_topic_published_total{topic=\"other\"} 50"));
  EXPECT_TRUE(has("kms_p2p_topic_peers{topic=\"followed\"} 0"));
  EXPECT_TRUE(has("kms_p2p_topic_mesh{topic=\"followed\"} 0"));
  EXPECT_EQ(text.find("made up"), std::string::npos) << "a label for each name would grow without bound";
  for (std::string_view name :
       {"accepted", "duplicates", "forwarded", "rejected", "messages", "bytes_in", "bytes_out"}) {
    EXPECT_TRUE(has("kms_p2p_topic_" + std::string(name) + "_total{topic=\"followed\"} 0")) << name;
  }
}

}  // namespace
}  // namespace kms::node
