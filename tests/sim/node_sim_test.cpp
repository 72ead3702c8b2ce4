// Whole nodes over virtual time: from nothing to a key and delegations, with members that die and come back.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "crypto/eip712.h"
#include "crypto/rsa_oaep.h"
#include "tests/sim/node_machine.h"

namespace kms::sim {
namespace {

const crypto::RsaPrivateKey& requester_key() {
  static const crypto::RsaPrivateKey key = crypto::RsaPrivateKey::generate(2048);
  return key;
}

struct NodeTrial {
  NodeTrial(std::uint16_t members, std::uint16_t threshold, Schedule schedule, std::uint64_t seed)
      : network(members, threshold, seed), random(seed), world(with(schedule, members), seed, network.boot()) {}

  static Schedule with(Schedule schedule, std::size_t members) {
    schedule.members = members;
    return schedule;
  }
  NodeMachine* node(std::size_t member) { return static_cast<NodeMachine*>(world.machine(member)); }
  std::size_t serving() {
    std::size_t count = 0;
    for (std::size_t i = 1; i <= network.credentials.size(); ++i) {
      if (node(i) != nullptr && node(i)->core().serving(NodeNetwork::kChain)) ++count;
    }
    return count;
  }
  // Asks one node for x(s*K) of a fresh K and gives whether the answer is right; `status` gets the HTTP status.
  bool delegate(std::size_t member, int& status) {
    const auto ephemeral = crypto::SecretScalar::random(random);
    const auto key = node(member)->core().serving(NodeNetwork::kChain);
    boost::json::object body;
    const std::string k = to_0x(crypto::multiply_generator(ephemeral).point().bytes());
    const std::string target = to_0x(requester_key().public_spki());
    body["ephemeralPubKey"] = k;
    body["targetPubKey"] = target;
    const auto digest = crypto::delegate_authorization_digest(NodeNetwork::kChain, k, target);
    node::HttpRequest request;
    request.method = "POST";
    request.target = "/v0/delegate?chain_id=31337&salt=" + std::string(64, 'a');
    request.content_type = "application/json";
    request.authorization = "Bearer " + to_0x(crypto::sign_recoverable(network.gateway_key, digest).bytes);
    request.body = boost::json::serialize(body);
    const node::HttpRequestId id = ++last_id;
    node(member)->ask(id, std::move(request));
    const Instant until = world.now().instant + 10s;
    world.run([&] { return node(member)->answers().contains(id) || world.now().instant > until; });
    if (!node(member)->answers().contains(id)) return false;
    const node::HttpResponse& response = node(member)->answers().at(id);
    status = response.status;
    if (status != 200 || !key) return false;
    const auto parsed = boost::json::parse(response.body);
    const auto sealed = parse_hex(std::string_view(parsed.at("encryptedSharedSecret").as_string()));
    const auto opened = requester_key().decrypt_oaep(*sealed, {});
    return opened &&
           crypto::equal_constant_time(opened->expose(), crypto::ecdh_x(ephemeral, key->table.public_key).expose());
  }

  NodeNetwork network;
  Random random;
  World world;
  node::HttpRequestId last_id = 0;
};

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
      for (const auto& item : dkg::Batch::parse(ByteView(message).subspan(65)).value().items) {
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
