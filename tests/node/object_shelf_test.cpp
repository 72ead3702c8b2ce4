#include "node/object_shelf.h"

#include <gtest/gtest.h>

#include "tests/sim/random.h"

namespace kms::node {
namespace {

TEST(ObjectShelf, MakesRoomByItsOldestObjects) {
  ObjectShelf shelf(3, 1000);
  const auto id = [](std::uint8_t i) { return dkg::ObjectId{{i}}; };
  for (std::uint8_t i = 1; i <= 4; ++i) shelf.put(id(i), Bytes(100, i));
  EXPECT_EQ(shelf.find(id(1)), nullptr);
  ASSERT_NE(shelf.find(id(4)), nullptr);
  EXPECT_EQ(*shelf.find(id(4)), Bytes(100, 4));
  shelf.put(id(5), Bytes(850, 5));
  EXPECT_EQ(shelf.size(), 2u);
  EXPECT_EQ(shelf.bytes(), 950u);
  shelf.put(id(6), Bytes(1001, 6));
  EXPECT_EQ(shelf.find(id(6)), nullptr);
  EXPECT_EQ(shelf.bytes(), 950u);
  shelf.put(id(5), Bytes(10, 7));  // the same name is the same object
  EXPECT_EQ(shelf.bytes(), 950u);
}

struct NamedObjects : testing::Test {
  NamedObjects() {
    for (int i = 0; i < 4; ++i) {
      keys.push_back(crypto::NodeKey::generate(random));
      members.emplace(node(keys.size() - 1), node::KnownNode{keys.back().public_key(), "", {}});
    }
  }
  dkg::NodeId node(std::size_t i) const { return dkg::NodeId{keys[i].node_id()}; }
  static dkg::ObjectId id_of(const dkg::Envelope& envelope) {
    return *dkg::object_id(envelope, dkg::parse_message(envelope).value());
  }
  bool is_named(const dkg::ObjectId& id, const dkg::Envelope& envelope, std::size_t from) const {
    return named_object(id, envelope.encode(), network, members, node(from)).has_value();
  }
  static dkg::Ready ready() {
    dkg::Ready out;
    out.slot = dkg::SlotId{{1}};
    out.sid = dkg::Sid{{2}};
    out.transcript = dkg::TranscriptHash{{3}};
    out.index = 1;
    return out;
  }

  sim::Random random{1};
  dkg::NetworkId network{{9}};
  std::vector<crypto::NodeKey> keys;
  std::map<dkg::NodeId, node::KnownNode> members;
};

TEST_F(NamedObjects, OfSignedTypesComeFromAnybodyWithTheirSendersSignature) {
  const auto envelope = dkg::seal(ready(), keys[0], network);
  EXPECT_TRUE(is_named(id_of(envelope), envelope, 0));
  EXPECT_TRUE(is_named(id_of(envelope), envelope, 3));
  EXPECT_FALSE(is_named(dkg::ObjectId{{5}}, envelope, 0));
  auto other = dkg::seal(ready(), keys[1], network);
  auto forged = envelope;
  forged.signature = other.signature;
  EXPECT_FALSE(is_named(id_of(envelope), forged, 0));
  sim::Random another(7);
  const auto stranger = dkg::seal(ready(), crypto::NodeKey::generate(another), network);
  EXPECT_FALSE(is_named(id_of(stranger), stranger, 0));
}

TEST_F(NamedObjects, OfUnsignedTypesAreWrappedByWhoeverGivesThem) {
  dkg::Value value;
  value.slot = dkg::SlotId{{1}};
  value.sid = dkg::Sid{{2}};
  value.list.push_back({1, dkg::DealHash{{4}}});
  const auto envelope = dkg::wrap(value, node(0), network);
  EXPECT_TRUE(is_named(id_of(envelope), envelope, 0));
  EXPECT_TRUE(is_named(dkg::id_cast<dkg::ObjectId>(value.transcript()), envelope, 0));
  EXPECT_FALSE(is_named(id_of(envelope), envelope, 1));
}

TEST_F(NamedObjects, OfAnotherNetworkOrOfNoFormAreNone) {
  const auto envelope = dkg::seal(ready(), keys[0], dkg::NetworkId{{8}});
  EXPECT_FALSE(is_named(id_of(envelope), envelope, 0));
  EXPECT_FALSE(named_object({}, Bytes(100, 1), network, members, node(0)).has_value());
  EXPECT_FALSE(named_object({}, {}, network, members, node(0)).has_value());
  dkg::NodeStatus status;
  EXPECT_FALSE(is_named({}, dkg::wrap(status, node(0), network), 0));
}

}  // namespace
}  // namespace kms::node
