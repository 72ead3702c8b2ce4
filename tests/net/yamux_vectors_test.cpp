// Every yamux frame that js wrote, as a listener reads it.
#include <gtest/gtest.h>

#include "net/yamux.h"
#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

struct YamuxVectors : testing::Test {
  std::vector<YamuxEvent> feed(std::string_view name) {
    fed.insert(std::string(name));
    session.receive(hex_field(vectors().at("yamux"), name), Instant(1h));
    return session.take_events();
  }

  YamuxSession session{YamuxSide::listener, Instant(1h)};
  std::set<std::string> fed;
};

void expect_hi(const YamuxEvent& event, StreamId id) {
  const auto* received = std::get_if<YamuxReceived>(&event);
  ASSERT_NE(received, nullptr);
  EXPECT_EQ(received->id, id);
  EXPECT_EQ(received->bytes, to_bytes(as_bytes("hi")));
}

TEST_F(YamuxVectors, ReadsEveryFrameOfJs) {
  auto opened = feed("WINDOW_UPDATE SYN stream 1, delta 0 (js and go open a stream with this)");
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(std::get<YamuxOpened>(opened[0]).id, 1u);
  EXPECT_TRUE(feed("WINDOW_UPDATE ACK stream 1, delta 0").empty());
  auto received = feed("DATA stream 1 \"hi\"");
  ASSERT_EQ(received.size(), 1u);
  expect_hi(received[0], 1);
  auto finished = feed("WINDOW_UPDATE FIN stream 1");
  ASSERT_EQ(finished.size(), 1u);
  EXPECT_EQ(std::get<YamuxRemoteFinished>(finished[0]).id, 1u);
  auto reset = feed("WINDOW_UPDATE RST stream 1");
  ASSERT_EQ(reset.size(), 1u);
  EXPECT_EQ(std::get<YamuxReset>(reset[0]).id, 1u);

  opened = feed("DATA SYN stream 3 \"hi\" (allowed)");
  ASSERT_EQ(opened.size(), 2u);
  EXPECT_EQ(std::get<YamuxOpened>(opened[0]).id, 3u);
  expect_hi(opened[1], 3);

  session.take_output(1000);
  EXPECT_TRUE(feed("PING SYN 7").empty());
  EXPECT_EQ(session.take_output(1000), hex_field(vectors().at("yamux"), "PING ACK 7"));
  EXPECT_TRUE(feed("PING ACK 7").empty()) << "an answer to no question of ours";
  EXPECT_FALSE(session.has_ended());
  auto ended = feed("GOAWAY normal");
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(std::get<YamuxEnded>(ended[0]).by_remote);
  EXPECT_EQ(std::get<YamuxEnded>(ended[0]).code, 0u);
  EXPECT_EQ(fed.size(), vectors().at("yamux").as_object().size());
}

}  // namespace
}  // namespace kms::net
