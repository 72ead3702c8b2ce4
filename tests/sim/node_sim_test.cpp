// Whole nodes over virtual time: from nothing to a key and delegations, with members that die and come back.
#include <gtest/gtest.h>

#include "tests/sim/node_trial.h"

namespace kms::sim {
namespace {

TEST(NodeSim, FiveNodesMakeAKeyAndEachDelegates) {
  NodeTrial run(5, 3, {}, 1);
  run.world.run([&] { return run.serving() == 5; });
  ASSERT_EQ(run.serving(), 5u);
  for (std::size_t member = 1; member <= 5; ++member) {
    int status = 0;
    EXPECT_TRUE(run.delegate(member, status)) << member << " status " << status;
  }
}

TEST(NodeSim, DelegatesWhileMessagesAreLostAndRepeated) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Schedule schedule;
    schedule.storm.loss_per_mille = 50;
    schedule.storm.repeat_per_mille = 200;
    schedule.calm_from = 24h;
    schedule.end = 24h;
    NodeTrial run(5, 3, schedule, seed);
    run.world.run([&] { return run.serving() == 5 || run.world.now().instant > Instant(600s); });
    ASSERT_EQ(run.serving(), 5u) << "seed " << seed;
    for (std::size_t member = 1; member <= 5; ++member) {
      int status = 0;
      EXPECT_TRUE(run.delegate(member, status)) << "seed " << seed << " member " << member << " status " << status;
    }
  }
}

// With a limit of nothing every Deal, certificate and EpochChain is announced and pulled.
TEST(NodeSim, MakesAKeyWhenAllObjectsArePulledByTheirIds) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Schedule schedule;
    schedule.storm.loss_per_mille = seed == 1 ? 0 : 50;
    schedule.calm_from = 24h;
    schedule.end = 24h;
    schedule.starts = {{5, seed == 3 ? Duration(60s) : Duration(0s)}};  // late: it learns the key from an EpochChain
    NodeTrial run(5, 3, schedule, seed);
    run.network.options.gossiped_object_bytes_max = 0;
    std::size_t announced = 0, gossiped = 0, objects = 0;
    run.world.watch([&](std::size_t, const Bytes& message) {
      if (message[0] == 0xf1) ++objects;
      if (message[0] != static_cast<std::uint8_t>(node::Topic::ceremony)) return;
      for (const auto& item : dkg::Batch::parse(batch_of(message)).value().items) {
        if (item.type == dkg::MessageType::have_objects) ++announced;
        if (item.type == dkg::MessageType::deal || item.type == dkg::MessageType::fetch ||
            item.type == dkg::MessageType::epoch_chain) {
          ++gossiped;
        }
      }
    });
    run.world.run([&] { return run.serving() == 5 || run.world.now().instant > Instant(600s); });
    EXPECT_EQ(run.serving(), 5u) << "seed " << seed;
    EXPECT_GE(announced, 4u);
    EXPECT_GE(objects, 4u);
    EXPECT_EQ(gossiped, 0u);
  }
}

// With the limit as it is: 21 members that make 16 keys have Deals of more than 16 KiB.
TEST(NodeSim, PullsLargeDealsInsteadOfGossipingThem) {
  constexpr std::uint16_t kMembers = 21;
  NodeTrial run(kMembers, 11, {}, 1, dkg::kKeysMax);
  std::set<dkg::ObjectId> announced;
  std::size_t pulled_large = 0, gossiped_largest = 0, deals_gossiped = 0;
  run.world.watch([&](std::size_t, const Bytes& message) {
    if (message[0] == 0xf1 && message.size() > 16 * 1024) ++pulled_large;
    if (message[0] != static_cast<std::uint8_t>(node::Topic::ceremony)) return;
    for (const auto& item : dkg::Batch::parse(batch_of(message)).value().items) {
      gossiped_largest = std::max(gossiped_largest, item.body.size());
      if (item.type == dkg::MessageType::deal) ++deals_gossiped;
      if (item.type != dkg::MessageType::have_objects) continue;
      for (const auto& id : dkg::HaveObjects::parse(item.body).value().hashes) announced.insert(id);
    }
  });
  run.world.run([&] { return run.serving() == kMembers; });
  EXPECT_EQ(run.serving(), kMembers);
  EXPECT_GE(announced.size(), kMembers);
  EXPECT_GE(pulled_large, std::size_t{kMembers - 1} * 11);  // everybody needs those of a quorum of dealers
  EXPECT_EQ(deals_gossiped, 0u);
  EXPECT_LE(gossiped_largest, 16 * 1024);
}

dkg::NodeStatus::Entry status_of(const NodeNetwork& network, dkg::Phase phase) {
  dkg::NodeStatus::Entry entry;
  entry.key_set = network.terms().key_set;
  entry.state = static_cast<std::uint32_t>(phase);
  return entry;
}

// A message of gossip as a member would publish it.
Bytes message_with(const NodeNetwork& network, std::size_t member, std::uint64_t seqno, const dkg::NodeStatus& status) {
  const dkg::NodeId author = network.credentials[member - 1]->node_id();
  const dkg::Batch batch{{dkg::wrap(status, author, network.terms().network)}};
  Bytes message{static_cast<std::uint8_t>(node::Topic::ceremony)};
  append(message, author.bytes);
  append(message, dkg::NodeId{}.bytes);
  for (int shift = 56; shift >= 0; shift -= 8) message.push_back(static_cast<std::uint8_t>(seqno >> shift));
  append(message, batch.encode());
  return message;
}

// As an attacker does who kept them until the seen caches forgot them.
TEST(NodeSim, IgnoresBatchesThatArePlayedAgain) {
  NodeTrial run(4, 3, {}, 1);
  std::vector<Bytes> kept;
  bool keeps = true;
  run.world.watch([&](std::size_t member, const Bytes& message) {
    const bool is_ceremony = message[0] == static_cast<std::uint8_t>(node::Topic::ceremony);
    if (keeps && member == 2 && is_ceremony) kept.push_back(message);
  });
  run.world.run([&] { return run.serving() == 4; });
  keeps = false;
  const Instant later = run.world.now().instant + 300s;
  run.world.run([&] { return run.world.now().instant > later; });
  const auto before = run.node(1)->core().metrics(run.world.now());
  EXPECT_NE(before.find("kms_batches_repeated_total 0\n"), std::string::npos);
  ASSERT_GT(kept.size(), 5u);
  for (const Bytes& message : kept) {
    const Output output = run.world.machine(1)->receive(message, run.world.now());
    EXPECT_TRUE(output.send.empty() && output.save.empty());
  }
  const auto after = run.node(1)->core().metrics(run.world.now());
  EXPECT_NE(after.find("kms_batches_repeated_total " + std::to_string(kept.size()) + "\n"), std::string::npos);
}

// Five nodes with a key; what member 2 says of itself, and whether member 1's /ready then holds a text.
struct NodeStatusSim : testing::Test {
  void SetUp() override {
    run.world.run([&] { return run.serving() == 5; });
    now_ns = static_cast<std::uint64_t>(run.world.now().unix_ms) * 1'000'000;
  }
  bool ready_holds(const std::string& text) {
    node::HttpRequest request;
    request.method = "GET";
    request.target = "/ready";
    const node::HttpRequestId id = ++run.last_id;
    run.node(1)->ask(id, std::move(request));
    run.world.run([&] { return run.node(1)->answers().contains(id); });
    return run.node(1)->answers().at(id).body.find(text) != std::string::npos;
  }
  void says(std::uint64_t later, const dkg::NodeStatus::Entry& entry) {
    run.world.machine(1)->receive(message_with(run.network, 2, now_ns + later, {{entry}}), run.world.now());
  }
  void says(std::uint64_t later, dkg::Phase phase) { says(later, status_of(run.network, phase)); }

  NodeTrial run{5, 3, {}, 1};
  std::uint64_t now_ns = 0;
};

TEST_F(NodeStatusSim, KeepsTheNewestOfAMemberWhateverComesLate) {
  says(10, dkg::Phase::need_repair);
  EXPECT_TRUE(ready_holds("has no share"));
  says(9, dkg::Phase::released);  // overtaken
  EXPECT_TRUE(ready_holds("has no share"));
  says(11, dkg::Phase::released);
  EXPECT_FALSE(ready_holds("has no share"));
  says(10, dkg::Phase::need_repair);  // played again
  EXPECT_FALSE(ready_holds("has no share"));
}

TEST_F(NodeStatusSim, NamesAMemberWhoseNetworkFileMakesAnotherKeySet) {
  EXPECT_FALSE(ready_holds("its network file differs"));
  auto foreign = status_of(run.network, dkg::Phase::idle);
  foreign.key_set = dkg::KeySetId{Hash32{5}};
  says(10, foreign);
  EXPECT_TRUE(ready_holds("node-2 (" + crypto::address_of(run.network.credentials[1]->node_key.public_key()).hex() +
                          "): its network file differs"));
  says(11, dkg::Phase::released);
  EXPECT_FALSE(ready_holds("its network file differs"));
}

TEST(NodeSim, DoesNotCountOnAMemberWithoutAShare) {
  Schedule schedule;
  schedule.starts = {{5, 60s}};
  NodeTrial run(5, 3, schedule, 4);
  run.world.run([&] { return run.serving() == 5; });
  ASSERT_EQ(run.serving(), 5u);
  const Instant until = run.world.now().instant + 15s;  // one NodeStatus of everybody
  run.world.run([&] { return run.world.now().instant > until; });
  const bool has_share = run.node(5)->core().ceremony()->shares() != nullptr;
  node::HttpRequest request;
  request.method = "GET";
  request.target = "/ready";
  run.node(1)->ask(1000, std::move(request));
  run.world.run([&] { return run.node(1)->answers().contains(1000); });
  const node::HttpResponse& ready = run.node(1)->answers().at(1000);
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body.find("node-5") != std::string::npos && ready.body.find("has no share") != std::string::npos,
            !has_share)
      << ready.body;
  for (std::size_t member = 1; member <= 5; ++member) {
    int status = 0;
    EXPECT_TRUE(run.delegate(member, status)) << member << " status " << status;
  }
}

TEST(NodeSim, ServesAgainWithTheSameShareAfterARestart) {
  for (std::uint64_t boundary : {60u, 90u}) {
    Schedule schedule;
    schedule.crash = Schedule::Crash{boundary, false};
    NodeTrial run(5, 3, schedule, 3);
    run.world.run([&] { return run.serving() == 5 && (run.world.victim() == 0 || run.node(run.world.victim())); });
    ASSERT_EQ(run.serving(), 5u) << boundary;
    for (std::size_t member = 1; member <= 5; ++member) {
      int status = 0;
      EXPECT_TRUE(run.delegate(member, status)) << boundary << " " << member << " status " << status;
    }
  }
}

}  // namespace
}  // namespace kms::sim
