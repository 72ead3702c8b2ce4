// What a yamux frame may cost (LIBP2P.md 5, Floods): nothing when something justifies it, else a token.
#include "tests/net/yamux_machine.h"

namespace kms::net {
namespace {

// Each kind of frame that nothing justifies: so many at once are taken, one more ends the session.
TEST(YamuxFlood, FloodsOfFramesThatNothingJustifiesEndTheSession) {
  YamuxOptions options;
  options.idle_frames_burst = 50;
  options.idle_frames_per_second = 10;
  options.inbound_per_second = 1;
  struct Kind {
    const char* name;
    Bytes bytes;
    Bytes before = {};
  };
  const Kind kinds[] = {
      {"empty data", frame(kData, 0, 1, 0)},
      {"empty updates", frame(kWindowUpdate, 0, 1, 0)},
      {"updates that give back what was never sent", frame(kWindowUpdate, 0, 1, 1)},
      {"pings", frame(kPing, kSyn, 0, 5)},
      {"pongs to no ping", frame(kPing, kAck, 0, 0)},
      {"ACKs of a stream that is not ours", frame(kWindowUpdate, kAck, 1, 0)},
      {"FINs after the first", frame(kWindowUpdate, kFin, 1, 0), frame(kWindowUpdate, kFin, 1, 0)},
      {"FINs with data after the first", frame(kData, kFin, 1, 1, Bytes(1)), frame(kData, kFin, 1, 0)},
      {"data of a stream that never was", payload_frame(0, 77, 3)},
      {"resets of a stream that never was", frame(kWindowUpdate, kRst, 79, 0)},
  };
  for (const auto& [name, bytes, before] : kinds) {
    Listener listener(options);
    listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
    listener.feed(before);
    for (int i = 0; i < 50; ++i) listener.feed(bytes);
    listener.output();
    ASSERT_FALSE(listener.session.has_ended()) << name;
    EXPECT_EQ(listener.session.stream_count(), 1u);
    listener.now += 1s;  // ten more
    for (int i = 0; i < 10; ++i) listener.feed(bytes);
    listener.output();
    ASSERT_FALSE(listener.session.has_ended()) << name;
    EXPECT_EQ(listener.goaway_after(bytes), 1u) << name;
  }
}

TEST(YamuxFlood, AcksAndPongsAreFreeOnce) {
  YamuxOptions options;
  options.idle_frames_burst = 1;
  Dialer dialer(options);
  const StreamId id = dialer.session.open_stream().value();
  dialer.session.tick(dialer.now);
  dialer.output();
  dialer.feed(frame(kPing, kAck, 0, 1));
  dialer.feed(frame(kWindowUpdate, kAck, id, 0));
  dialer.feed(frame(kWindowUpdate, kAck, id, 0));
  ASSERT_FALSE(dialer.session.has_ended()) << "one token for the second ACK";
  EXPECT_EQ(dialer.goaway_after(frame(kPing, kAck, 0, 1)), 1u);
}

// All that go and js send for a stream that is opened, used and closed: an ACK late and alone, an update for every
// frame of ours, however small, a FIN. It costs them nothing, whatever the rate; a raised window costs one token.
TEST(YamuxFlood, HonestStreamsNeedNoTokens) {
  YamuxOptions options;
  options.idle_frames_burst = 1;
  options.idle_frames_per_second = 1;
  Dialer dialer(options);
  for (int i = 0; i < 10'000; ++i) {
    const StreamId id = dialer.session.open_stream().value();
    for (int k = 0; k < 3; ++k) {
      ASSERT_EQ(dialer.session.send(id, Bytes(40)), 40u);
      dialer.output();
      dialer.feed(payload_frame(0, id, 40));
      if (k == 0) dialer.feed(frame(kWindowUpdate, kAck, id, 0));
      dialer.feed(frame(kWindowUpdate, 0, id, 40));
    }
    dialer.session.consumed(id, 120);
    dialer.session.finish(id);
    dialer.output();
    dialer.feed(frame(kWindowUpdate, kFin, id, 0));
    ASSERT_FALSE(dialer.session.has_ended()) << "after " << i << " streams";
  }
  EXPECT_EQ(dialer.session.stream_count(), 0u);
  const StreamId id = dialer.session.open_stream().value();
  dialer.output();
  dialer.feed(frame(kWindowUpdate, 0, id, 1 << 20));
  EXPECT_FALSE(dialer.session.has_ended());
}

TEST(YamuxFlood, AStormOfRefusedOpensEndsTheSession) {
  YamuxOptions options;
  options.idle_frames_burst = 50;
  options.inbound_per_second = 1;
  Listener listener(options);
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  StreamId id = 3;
  for (; id < 3 + 2 * 50; id += 2) {
    listener.feed(frame(kWindowUpdate, kSyn, id, 0));
    EXPECT_EQ(listener.output().size() % 12, 0u);
  }
  ASSERT_FALSE(listener.session.has_ended());
  EXPECT_EQ(listener.session.stream_count(), 1u);
  EXPECT_EQ(listener.goaway_after(frame(kWindowUpdate, kSyn, id, 0)), 1u);
}

}  // namespace
}  // namespace kms::net
