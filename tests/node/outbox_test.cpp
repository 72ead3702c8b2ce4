#include "node/outbox.h"

#include <gtest/gtest.h>

namespace kms::node {
namespace {

dkg::Envelope envelope_of(std::size_t bytes) {
  return {dkg::NetworkId{}, dkg::MessageType::fetch_reply, dkg::NodeId{{1}}, Bytes(bytes), std::nullopt};
}

constexpr std::size_t kMegabytes = std::size_t{1} << 20;
// Header fields of an envelope and the lengths around it, at these sizes.
constexpr std::size_t kOverhead = 50;

std::size_t items_in(const Publish& publish) {
  return dkg::Batch::parse(publish.batch).value().items.size();
}
dkg::Envelope numbered(std::uint8_t number) {
  auto envelope = envelope_of(200);
  envelope.network = dkg::NetworkId{{7}};
  envelope.body[0] = number;
  return envelope;
}

TEST(Outbox, StartsAnotherBatchBeyondTheBytesOfOne) {
  Outbox outbox(10, 4 * kMegabytes);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(100 * 1024)));
  EXPECT_TRUE(outbox.has_closed());
  const auto batches = outbox.flush();
  ASSERT_EQ(batches.size(), 2u);
  for (const auto& batch : batches) EXPECT_LE(batch.batch.size(), dkg::Batch::kBytesMax);
  EXPECT_TRUE(outbox.is_empty());
}

TEST(Outbox, ClosesABatchAt64ItemsAndKeepsTheirOrder) {
  Outbox outbox(1000, kMegabytes);
  for (std::uint8_t i = 0; i < 130; ++i) {
    EXPECT_EQ(outbox.has_closed(), i >= 64);
    ASSERT_TRUE(outbox.add(Topic::requests, {}, numbered(i)));
  }
  const auto full = outbox.take_closed();
  ASSERT_EQ(full.size(), 2u);
  EXPECT_FALSE(outbox.has_closed());
  EXPECT_FALSE(outbox.is_empty());
  const auto rest = outbox.flush();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(items_in(rest[0]), 2u);
  std::uint8_t next = 0;
  for (const auto* list : {&full, &rest}) {
    for (const auto& publish : *list) {
      for (const auto& item : dkg::Batch::parse(publish.batch).value().items) EXPECT_EQ(item.body[0], next++);
    }
  }
  EXPECT_EQ(next, 130);
  EXPECT_EQ(outbox.batches(), 3u);
  EXPECT_EQ(outbox.items_sent(), 130u);
  EXPECT_TRUE(outbox.flush().empty());
}

TEST(Outbox, BatchesEveryTopicAndEntryForItself) {
  Outbox outbox(1000, kMegabytes);
  const dkg::NodeId a{{1}}, b{{2}};
  for (int i = 0; i < 3; ++i) {
    outbox.add(Topic::partials, b, numbered(1));
    outbox.add(Topic::partials, a, numbered(2));
    outbox.add(Topic::requests, {}, numbered(3));
  }
  const auto batches = outbox.flush();
  ASSERT_EQ(batches.size(), 3u);
  for (const auto& batch : batches) EXPECT_EQ(items_in(batch), 3u);
  EXPECT_EQ(batches[0].topic, Topic::requests);
  EXPECT_EQ(batches[1].entry, a);
  EXPECT_EQ(batches[2].entry, b);
}

TEST(Outbox, DropsAndCountsWhatFitsNoBatchRatherThanDie) {
  Outbox outbox(10, kMegabytes);
  EXPECT_FALSE(outbox.add(Topic::ceremony, {}, envelope_of(dkg::Batch::kBytesMax)));
  EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(dkg::Batch::kBytesMax - kOverhead)));
  EXPECT_EQ(outbox.dropped(), 1u);
  EXPECT_EQ(outbox.flush().size(), 1u);
}

TEST(Outbox, DropsAndCountsWhatIsBeyondItsItemsOrBytes) {
  Outbox outbox(1, kMegabytes);
  EXPECT_TRUE(outbox.add(Topic::ceremony, {}, envelope_of(1)));
  EXPECT_FALSE(outbox.add(Topic::requests, {}, envelope_of(1)));
  EXPECT_EQ(outbox.dropped(), 1u);
  Outbox small(100, 1000);
  EXPECT_TRUE(small.add(Topic::ceremony, {}, envelope_of(800)));
  EXPECT_FALSE(small.add(Topic::ceremony, {}, envelope_of(800)));
  EXPECT_EQ(small.dropped(), 1u);
  small.flush();
  EXPECT_TRUE(small.add(Topic::ceremony, {}, envelope_of(800)));
}

TEST(Outbox, CountsClosedBatchesUntilTheyAreTaken) {
  Outbox outbox(65, kMegabytes);
  for (std::uint8_t i = 0; i < 65; ++i) EXPECT_TRUE(outbox.add(Topic::requests, {}, numbered(i)));
  EXPECT_FALSE(outbox.add(Topic::requests, {}, numbered(65)));
  outbox.take_closed();
  EXPECT_TRUE(outbox.add(Topic::requests, {}, numbered(65)));
}

}  // namespace
}  // namespace kms::node
