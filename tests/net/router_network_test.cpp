// Several routers on an in-memory bus.
#include <set>

#include <gtest/gtest.h>

#include "tests/net/router_world.h"

namespace kms::net {
namespace {

RouterOptions committee_options() {
  RouterOptions options = RouterWorld::open_options();
  options.policies.otherwise = TopicPolicy::committee;
  return options;
}

void subscribe_all(RouterWorld& world, std::string_view topic) {
  for (auto& node : world.nodes) node->absorb(*node->router.subscribe(topic, world.now));
  world.settle();
}

struct Committee : RouterWorld {
  explicit Committee(int size, RouterOptions options = committee_options()) {
    for (int i = 0; i < size; ++i) add("member " + std::to_string(i), options);
    for (auto& a : nodes) {
      for (auto& b : nodes) {
        if (a->id() < b->id()) connect(*a, *b);
      }
    }
    subscribe_all(*this, "t");
  }
};

TEST(RouterNetwork, AMessageFloodsAlongALineOfThree) {
  RouterWorld world;
  auto &a = world.add("a"), &b = world.add("b"), &c = world.add("c");
  world.connect(a, b);
  world.connect(b, c);
  subscribe_all(world, "t");
  world.publish(a, "t", "hello");
  world.settle();
  EXPECT_EQ(b.payloads(), std::vector<std::string>{"hello"});
  EXPECT_EQ(c.payloads(), std::vector<std::string>{"hello"});
  EXPECT_EQ(c.delivered.at(0).author, a.id());
  EXPECT_EQ(c.delivered.at(0).received_from, b.id());
  EXPECT_TRUE(a.delivered.empty());
}

TEST(RouterNetwork, AMessageThatIsRejectedInTheMiddleGoesNoFurther) {
  RouterWorld world;
  auto &a = world.add("a"), &b = world.add("b"), &c = world.add("c");
  world.connect(a, b);
  world.connect(b, c);
  b.verdict = Verdict::reject;
  subscribe_all(world, "t");
  world.publish(a, "t", "hello");
  world.settle();
  EXPECT_EQ(b.delivered.size(), 1u);
  EXPECT_TRUE(c.delivered.empty());
}

TEST(RouterNetwork, FloodingDeliversOnceAndChecksOneSignatureEach) {
  RouterOptions options = RouterWorld::open_options();
  Committee world(5, options);
  world.publish(*world.nodes[0], "t", "hello");
  world.settle();
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_EQ(world.nodes[i]->delivered.size(), 1u);
    EXPECT_EQ(world.nodes[i]->router.counters().signatures_checked, 1u);
    EXPECT_GT(world.nodes[i]->counters_of("t").duplicates, 0u);
  }
}

TEST(RouterNetwork, AConnectedCommitteeSendsEachMessageOncePerMember) {
  Committee world(5);
  world.messages = 0;
  for (auto& node : world.nodes) world.publish(*node, "t", node->id().text());
  world.settle();
  world.run(5s);
  EXPECT_EQ(world.messages, 5u * 4);
  for (auto& node : world.nodes) {
    EXPECT_EQ(node->delivered.size(), 4u);
    EXPECT_EQ(node->counters_of("t").duplicates, 0u);
  }
}

TEST(RouterNetwork, ALostMessageIsPulledWithinTwoHeartbeats) {
  Committee world(5);
  RouterNode& author = *world.nodes[0];
  RouterNode& unlucky = *world.nodes[3];
  world.loses = [&](const RouterNode& from, const RouterNode& to, const RpcView& rpc) {
    return &from == &author && &to == &unlucky && !rpc.messages.empty();
  };
  world.run(1s);
  world.publish(author, "t", "hello");
  world.settle();
  EXPECT_TRUE(unlucky.delivered.empty());
  world.run(1400ms);
  EXPECT_EQ(unlucky.payloads(), std::vector<std::string>{"hello"});
  EXPECT_NE(unlucky.delivered.at(0).received_from, author.id());
  std::uint64_t pulled = 0;
  for (auto& node : world.nodes) pulled += node->router.counters().pulled;
  EXPECT_EQ(pulled, 2u) << "the author was asked first, its answer was lost too";
}

TEST(RouterNetwork, EverythingArrivesThoughAThirdOfAllFramesWithMessagesAreLost) {
  Committee world(7);
  sim::Random dice(11);
  world.loses = [&](const RouterNode&, const RouterNode&, const RpcView& rpc) {
    return !rpc.messages.empty() && dice.chance(333);
  };
  for (int round = 0; round < 20; ++round) {
    for (auto& node : world.nodes) {
      world.publish(*node, "t", std::to_string(round) + node->id().text());
    }
    world.settle();
    world.run(100ms);
  }
  world.run(10s);
  for (auto& node : world.nodes) {
    auto payloads = node->payloads();
    EXPECT_EQ(payloads.size(), 20u * 6);
    EXPECT_EQ(std::set<std::string>(payloads.begin(), payloads.end()).size(), 20u * 6);
  }
}

TEST(RouterNetwork, ALightClientThatGraftsTwoMembersHearsAllAndReachesAll) {
  Committee world(5);
  RouterOptions options = RouterWorld::open_options();
  options.policies.otherwise = TopicPolicy::leaf;
  RouterNode& client = world.add("client", options);
  for (std::size_t i : {0u, 1u}) {
    RouterNode& member = *world.nodes[i];
    world.connect(client, member);
    member.absorb(member.router.peer_added(client.id(), PeerClass::light, world.now));
  }
  client.absorb(*client.router.subscribe("t", world.now));
  world.settle();
  EXPECT_EQ(client.router.grafted("t").size(), 2u);
  EXPECT_EQ(world.nodes[0]->router.grafted("t"), std::vector<PeerId>{client.id()});

  world.publish(*world.nodes[4], "t", "from far");
  world.settle();
  EXPECT_EQ(client.payloads(), std::vector<std::string>{"from far"});
  world.publish(client, "t", "from outside");
  world.settle();
  for (std::size_t i = 0; i < 5; ++i) {
    auto payloads = world.nodes[i]->payloads();
    EXPECT_EQ(std::count(payloads.begin(), payloads.end(), "from outside"), 1) << i;
  }
}

TEST(RouterNetwork, AMemberThatComesBackHearsSubscriptionsAndMessagesAgain) {
  Committee world(3);
  RouterNode &a = *world.nodes[0], &b = *world.nodes[1];
  for (auto [one, other] : {std::pair{&a, &b}, std::pair{&b, &a}}) one->router.peer_removed(other->id(), world.now);
  world.links[a.id()][b.id()] = world.links[b.id()][a.id()] = false;
  world.publish(a, "t", "unheard");
  world.settle();
  EXPECT_TRUE(b.delivered.empty());
  world.connect(a, b);
  world.settle();
  world.publish(a, "t", "heard");
  world.settle();
  EXPECT_EQ(b.payloads(), std::vector<std::string>{"heard"});
  world.run(2s);
  EXPECT_EQ(b.delivered.size(), 2u) << "what it missed was pulled";
}

}  // namespace
}  // namespace kms::net
