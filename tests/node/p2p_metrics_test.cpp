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

}  // namespace
}  // namespace kms::node
