// Four nodes with t = 2 and the plan of their key, for tests of a slot's machine and of its parts.
#pragma once

#include "dkg/ceremony.h"
#include "tests/dkg/clock.h"
#include "tests/sim/random.h"

namespace kms::dkg::test {

// 32-byte hashes that differ in their first four bytes.
inline Hash32 numbered_hash(std::uint32_t number) {
  Hash32 out{};
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(number >> 8 * i);
  return out;
}

struct FourNodes {
  FourNodes() : random(1) {
    std::vector<crypto::Point> keys;
    for (int i = 0; i < 4; ++i) {
      nodes.push_back(crypto::NodeKey::generate(random));
      keys.push_back(nodes.back().public_key());
    }
    members.emplace(Committee::make(keys).value());
    secret = crypto::Secret<32>::random(random);
  }
  Plan plan() const {
    const Hash32 nonce{1};
    const auto network = network_id("test", nonce);
    const std::vector<Label> labels{Label{1, {}}};
    return Plan{.network_id = network,
                .key_set = key_set_id(network, nonce, members->hash(), 2, labels),
                .labels = labels,
                .members = *members,
                .threshold = Threshold::make(4, 2).value(),
                .file = file_hash(as_bytes("file")),
                .not_after = 0,
                .genesis = Genesis::automatic,
                .timing = {}};
  }
  const crypto::NodeKey& node(Position position) const {
    for (const auto& node : nodes) {
      if (node.node_id() == members->at(position).node.bytes) return node;
    }
    std::abort();
  }
  Self self(Position position) const { return Self{node(position), secret}; }
  NodeId id(Position position) const { return members->at(position).node; }
  SlotId slot() const { return slot_id(plan().key_set, 0, 0); }
  Ceremony ceremony(Position position) {
    return std::move(Ceremony::begin(plan(), self(position), random, now_at(0s)).value());
  }
  std::set<NodeId> all() const {
    std::set<NodeId> out;
    for (const auto& member : members->members()) out.insert(member.node);
    return out;
  }

  sim::Random random;
  std::vector<crypto::NodeKey> nodes;
  std::optional<Committee> members;
  crypto::Secret<32> secret;
};

}  // namespace kms::dkg::test
