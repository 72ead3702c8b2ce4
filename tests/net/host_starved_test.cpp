// A member whose process gets no time for a while is dropped, and back within seconds once it lives again, however long
// and however often that happened (LIBP2P.md 9.1).
#include "tests/net/fixtures.h"
#include "tests/net/host_world.h"

namespace kms::net {
namespace {

struct Starved : testing::Test {
  Starved() {
    for (const char* name : {"a", "b", "c", "d"}) nodes.push_back(&world.add(name));
    std::vector<Multiaddr> all;
    for (const HostNode* node : nodes) all.push_back(node->address());
    for (HostNode* node : nodes) EXPECT_TRUE(node->host.set_peers(all, world.now).has_value());
    world.run(3s);
    EXPECT_TRUE(is_whole());
  }
  bool is_whole() const {
    return std::all_of(nodes.begin(), nodes.end(), [](const HostNode* node) { return node->host.peers().size() == 3; });
  }
  void pause(HostNode& node, Duration time) {
    world.stop(node);
    world.run(time);
    world.go_on(node);
  }
  // Until everybody has everybody.
  Duration time_to_heal(Duration most) {
    const Instant from = world.now.instant;
    while (!is_whole() && world.now.instant - from < most) world.run(10ms);
    return world.now.instant - from;
  }

  HostWorld world;
  std::vector<HostNode*> nodes;
};

TEST_F(Starved, AMemberThatStoodStillIsBackWithinASecond) {
  for (const Duration time : {Duration(15s), Duration(40s), Duration(10min)}) {
    world.stop(*nodes[1]);
    world.run(time);
    EXPECT_FALSE(is_whole());
    world.go_on(*nodes[1]);
    EXPECT_LT(time_to_heal(2min), Duration(1s)) << time / 1s;
    world.run(20s);
  }
}

TEST_F(Starved, AMemberThatStandsStillAgainAndAgainIsBackAsSoonAsTheFirstTime) {
  for (int i = 0; i < 12; ++i) {
    pause(*nodes[1], 8s);
    world.run(1s);
  }
  EXPECT_LT(time_to_heal(2min), Duration(1s));
}

}  // namespace
}  // namespace kms::net
