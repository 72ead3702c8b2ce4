#include "node/event_feed.h"

#include <gtest/gtest.h>

namespace kms::node {
namespace {

constexpr Instant kStart = Instant{} + 100s;

TEST(EventFeed, BeginsWithEveryDocumentAndThenSendsWhatChanged) {
  EventFeed feed;
  EXPECT_EQ(feed.next({{"ready", "{}"}, {"keys", "[1]"}}, kStart),
            "event: ready\ndata: {}\n\nevent: keys\ndata: [1]\n\n");
  EXPECT_EQ(feed.next({{"ready", "{}"}, {"keys", "[1]"}}, kStart + 2s), "");
  EXPECT_EQ(feed.next({{"ready", "{}"}, {"keys", "[2]"}}, kStart + 3s), "event: keys\ndata: [2]\n\n");
}

TEST(EventFeed, SendsTheLastOfManyChangesAfterAPause) {
  EventFeed feed;
  feed.next({{"keys", "[1]"}}, kStart);
  EXPECT_EQ(feed.next({{"keys", "[2]"}}, kStart + 500ms), "");
  EXPECT_EQ(feed.next({{"keys", "[3]"}}, kStart + EventFeed::kPause), "event: keys\ndata: [3]\n\n");
}

TEST(EventFeed, KeepsAnIdleConnectionAlive) {
  EventFeed feed;
  feed.next({{"keys", "[1]"}}, kStart);
  EXPECT_EQ(feed.next({{"keys", "[1]"}}, kStart + EventFeed::kKeepAlive - 1ms), "");
  EXPECT_EQ(feed.next({{"keys", "[1]"}}, kStart + EventFeed::kKeepAlive), ": still here\n\n");
  EXPECT_EQ(feed.next({{"keys", "[1]"}}, kStart + EventFeed::kKeepAlive + 1s), "");
}

}  // namespace
}  // namespace kms::node
