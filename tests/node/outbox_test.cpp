#include "node/outbox.h"

#include <gtest/gtest.h>

namespace kms::node {
namespace {

dkg::Envelope envelope_of(std::size_t bytes) {
  return {dkg::NetworkId{}, dkg::MessageType::fetch_reply, dkg::NodeId{{1}}, Bytes(bytes), std::nullopt};
}

TEST(Outbox, StartsAnotherBatchBeyondTheBytesOfOne) {
  Outbox outbox(10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(100 * 1024)));
  EXPECT_EQ(outbox.flush().size(), 2u);
  EXPECT_TRUE(outbox.is_empty());
}

TEST(Outbox, DropsAndCountsWhatFitsNoBatchRatherThanDie) {
  Outbox outbox(10);
  EXPECT_FALSE(outbox.add(Topic::ceremony, {}, envelope_of(dkg::Batch::kBytesMax)));
  EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(dkg::Batch::kBytesMax - 256)));
  EXPECT_EQ(outbox.dropped(), 1u);
  EXPECT_EQ(outbox.flush().size(), 1u);
}

TEST(Outbox, DropsAndCountsWhatIsBeyondItsItems) {
  Outbox outbox(1);
  EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(1)));
  EXPECT_FALSE(outbox.add(Topic::requests, {}, envelope_of(1)));
  EXPECT_EQ(outbox.dropped(), 1u);
}

}  // namespace
}  // namespace kms::node
