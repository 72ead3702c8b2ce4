// Who cheated is told with the evidence also after every node was restarted (docs/API.md, GET /v1/ceremonies).
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

#include "tests/sim/node_machine.h"

namespace kms::sim {
namespace {

namespace json = boost::json;

// A member that confirms one root to all and another one to member 1, once.
class TwoRoots final : public Machine {
 public:
  TwoRoots(std::unique_ptr<Machine> honest, const crypto::NodeKey& key, bool& has_lied)
      : honest_(std::move(honest)), key_(key), has_lied_(has_lied) {}
  Output receive(const Bytes& message, Now now) override { return twist(honest_->receive(message, now)); }
  Output tick(Now now) override { return twist(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return twist(honest_->connected(members, now));
  }

 private:
  Output twist(Output output) {
    for (const Bytes& message : output.send) {
      if (has_lied_ || message[0] != static_cast<std::uint8_t>(node::Topic::ceremony)) continue;
      const auto batch = dkg::Batch::parse(batch_of(message));
      for (const dkg::Envelope& item : batch->items) {
        if (item.type != dkg::MessageType::confirm || has_lied_) continue;
        auto lie = *dkg::Confirm::parse(item.body);
        lie.root.bytes[0] ^= 1;
        Bytes forged = to_bytes(ByteView(message).first(73));
        forged[71] ^= 0x80;  // another seqno
        append(forged, dkg::Batch{{dkg::seal(lie, key_, item.network)}}.encode());
        output.whispers.push_back({1, std::move(forged)});
        has_lied_ = true;
      }
    }
    return output;
  }

  std::unique_ptr<Machine> honest_;
  const crypto::NodeKey& key_;
  bool& has_lied_;
};

struct BlameSim : testing::Test {
  BlameSim() : world(schedule(), 5, boot()) {}
  static Schedule schedule() {
    Schedule out;
    out.members = 5;
    return out;
  }
  Boot boot() {
    return [this, honest = network.boot()](std::size_t member, const Disk& disk, Now now) {
      auto machine = honest(member, disk, now);
      if (member != 3) return machine;
      return std::unique_ptr<Machine>(
          std::make_unique<TwoRoots>(std::move(machine), network.credentials[2]->node_key, has_lied));
    };
  }
  NodeMachine* node(std::size_t member) { return static_cast<NodeMachine*>(world.machine(member)); }
  void run_for(Duration span) {
    const Instant until = world.now().instant + span;
    world.run([&] { return world.now().instant >= until; });
  }
  json::value ask(const std::string& path) {
    node::HttpRequest request;
    request.method = "GET";
    request.target = path;
    node(1)->ask(++last_id, std::move(request));
    world.run([&] { return node(1)->answers().contains(last_id); });
    return json::parse(node(1)->answers().at(last_id).body);
  }
  json::value only_ceremony() {
    const json::value all = ask("/v1/ceremonies");
    return ask("/v1/ceremonies/" + std::string(all.at("ceremonies").at(0).at("id").as_string()));
  }

  bool has_lied = false;
  NodeNetwork network{5, 3, 5};
  World world;
  node::HttpRequestId last_id = 0;
};

TEST_F(BlameSim, BlameAndEventsAreToldAfterARestart) {
  world.run([&] { return has_lied; });
  run_for(60s);
  const json::value before = only_ceremony();
  ASSERT_EQ(before.at("blame").as_array().size(), 1u) << before;
  const json::value& blame = before.at("blame").at(0);
  EXPECT_EQ(blame.at("text").as_string(), "two roots confirmed");
  EXPECT_EQ(blame.at("member").as_string(),
            "node-3 (" + crypto::address_of(network.credentials[2]->node_key.public_key()).hex() + ")");
  EXPECT_GT(before.at("events").as_array().size(), 3u);
  world.crash_all();
  run_for(60s);
  ASSERT_NE(node(1), nullptr);
  const json::value after = only_ceremony();
  EXPECT_EQ(after.at("blame"), before.at("blame"));
  ASSERT_GE(after.at("events").as_array().size(), before.at("events").as_array().size());
  for (std::size_t i = 0; i < before.at("events").as_array().size(); ++i) {
    EXPECT_EQ(after.at("events").at(i), before.at("events").at(i));
  }
}

}  // namespace
}  // namespace kms::sim
