#include <random>

#include "tests/net/yamux_machine.h"

namespace kms::net {
namespace {

Bytes frame_of_js(std::string_view name) {
  return hex_field(vectors().at("yamux"), name);
}

TEST(Yamux, FramesAreThoseOfJsAndGo) {
  Bytes open = frame_of_js("WINDOW_UPDATE SYN stream 1, delta 0 (js and go open a stream with this)");
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  EXPECT_EQ(id, 1u);
  EXPECT_EQ(dialer.output(), open);
  EXPECT_EQ(dialer.session.send(id, as_bytes("hi")), 2u);
  EXPECT_EQ(dialer.output(), frame_of_js("DATA stream 1 \"hi\""));
  dialer.session.finish(id);
  EXPECT_EQ(dialer.output(), frame_of_js("WINDOW_UPDATE FIN stream 1"));

  Listener listener;
  auto events = listener.feed(open);
  ASSERT_EQ(pick<YamuxOpened>(events).size(), 1u);
  EXPECT_EQ(listener.output(), frame_of_js("WINDOW_UPDATE ACK stream 1, delta 0"));
  listener.session.reset(1);
  EXPECT_EQ(listener.output(), frame_of_js("WINDOW_UPDATE RST stream 1"));
  EXPECT_TRUE(listener.feed(frame_of_js("PING SYN 7")).empty());
  EXPECT_EQ(listener.output(), frame_of_js("PING ACK 7"));
  listener.session.close(YamuxCode::normal, "done");
  EXPECT_EQ(listener.output(), frame_of_js("GOAWAY normal"));
}

TEST(Yamux, IdsAreOddForTheDialerAndEvenForTheListener) {
  Dialer dialer;
  EXPECT_EQ(*dialer.session.open_stream(), 1u);
  EXPECT_EQ(*dialer.session.open_stream(), 3u);
  Listener listener;
  EXPECT_EQ(*listener.session.open_stream(), 2u);
  EXPECT_EQ(*listener.session.open_stream(), 4u);
}

TEST(Yamux, FlagsOfOneFrameAreTakenInOrder) {
  Listener listener;
  auto events = listener.feed(payload_frame(kSyn | kFin, 1, 3));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<YamuxOpened>(events[0]));
  EXPECT_TRUE(std::holds_alternative<YamuxReceived>(events[1]));
  EXPECT_TRUE(std::holds_alternative<YamuxRemoteFinished>(events[2]));
  events = listener.feed(payload_frame(kSyn | kRst, 3, 2));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(std::get<YamuxReset>(events[2]).id, 3u);
  EXPECT_FALSE(listener.session.is_open(3));
}

TEST(Yamux, HalfCloseKeepsTheOtherDirectionOpenBothWays) {
  Listener listener;
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  listener.feed(frame(kWindowUpdate, kFin, 1, 0));
  EXPECT_EQ(listener.session.send(1, as_bytes("late")), 4u);
  listener.output();
  EXPECT_TRUE(listener.session.is_open(1));
  listener.session.finish(1);
  EXPECT_EQ(listener.session.send(1, as_bytes("too late")), 0u);
  EXPECT_EQ(listener.output(), frame(kWindowUpdate, kFin, 1, 0));
  EXPECT_EQ(pick<YamuxClosed>(listener.session.take_events()).size(), 1u);
  EXPECT_EQ(listener.session.stream_count(), 0u);

  listener.feed(frame(kWindowUpdate, kSyn, 3, 0));
  listener.session.finish(3);
  listener.output();
  auto events = listener.feed(payload_frame(0, 3, 5));
  EXPECT_EQ(pick<YamuxReceived>(events).size(), 1u);
  events = listener.feed(frame(kData, kFin, 3, 0));
  EXPECT_EQ(pick<YamuxRemoteFinished>(events).size(), 1u);
  EXPECT_EQ(pick<YamuxClosed>(events).size(), 1u);
  EXPECT_EQ(listener.session.stream_count(), 1u) << "its bytes are not consumed";
  listener.session.consumed(3, 5);
  EXPECT_EQ(listener.session.stream_count(), 0u);
}

TEST(Yamux, FinFollowsWhatIsQueued) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  dialer.session.send(id, as_bytes("hi"));
  dialer.session.finish(id);
  EXPECT_EQ(dialer.output(), unhex("000100010000000100000000"
                                   "0000000000000001000000026869"
                                   "000100040000000100000000"));
}

TEST(Yamux, StopsAtTheCreditAndGoesOnAfterAnUpdate) {
  Dialer dialer({.pending_bytes_max = 400000});
  StreamId id = *dialer.session.open_stream();
  EXPECT_EQ(dialer.session.send(id, Bytes(300000)), 300000u);
  dialer.output();
  EXPECT_EQ(dialer.session.pending(id), 300000u - kYamuxInitialWindow);
  EXPECT_FALSE(dialer.session.has_output());
  dialer.feed(frame(kWindowUpdate, kAck, id, 1000));
  EXPECT_EQ(dialer.output().size(), kYamuxHeaderBytes + 1000);
  EXPECT_EQ(dialer.session.pending(id), 300000u - kYamuxInitialWindow - 1000);
}

TEST(Yamux, WindowUpdateIsADeltaInSixtyFourBitsUpToTheLargestWindow) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  EXPECT_TRUE(dialer.feed(frame(kWindowUpdate, kAck, id, 0xffffffff - kYamuxInitialWindow)).empty());
  EXPECT_EQ(dialer.goaway_after(frame(kWindowUpdate, 0, id, 1)), 1u);
}

TEST(Yamux, TheErrorCodeOfARstIsNotAddedToTheWindow) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  auto events = dialer.feed(frame(kWindowUpdate, kRst, id, 0xffffffff));
  EXPECT_EQ(pick<YamuxReset>(events).size(), 1u);
  EXPECT_FALSE(dialer.session.has_ended());
}

TEST(Yamux, QueueOfAStreamIsBounded) {
  Dialer dialer({.pending_bytes_max = 1000});
  StreamId id = *dialer.session.open_stream();
  EXPECT_EQ(dialer.session.send(id, Bytes(1500)), 1000u);
  EXPECT_EQ(dialer.session.send(id, Bytes(1)), 0u);
  EXPECT_EQ(dialer.session.room(id), 0u);
  dialer.session.take_output(12 + 12 + 600);
  EXPECT_EQ(dialer.session.room(id), 600u);
}

TEST(Yamux, NoFrameIsLargerThanANoiseMessageAndOutputKeepsToItsSize) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  dialer.session.send(id, Bytes(200000));
  EXPECT_EQ(dialer.session.take_output(11).size(), 0u);
  EXPECT_EQ(dialer.session.take_output(12).size(), 12u);
  EXPECT_EQ(dialer.session.take_output(12).size(), 0u);
  EXPECT_EQ(dialer.session.take_output(65519).size(), 65519u);
  Bytes rest = dialer.output();
  EXPECT_EQ(to_hex(ByteView(rest).subspan(8, 4)), "0000ffe3");
}

TEST(Yamux, StreamsTakeTurnsAndControlFramesGoFirst) {
  Dialer dialer;
  StreamId first = *dialer.session.open_stream(), second = *dialer.session.open_stream();
  dialer.session.send(first, Bytes(200000));
  dialer.session.send(second, Bytes(200000));
  dialer.session.take_output(24);
  auto stream_of = [](const Bytes& out) { return out.at(7); };
  EXPECT_EQ(stream_of(dialer.session.take_output(65519)), first);
  EXPECT_EQ(stream_of(dialer.session.take_output(65519)), second);
  dialer.feed(frame(kPing, kSyn, 0, 9));
  Bytes out = dialer.session.take_output(65519);
  EXPECT_EQ(Bytes(out.begin(), out.begin() + 12), frame(kPing, kAck, 0, 9));
  EXPECT_EQ(out.at(12 + 7), first);
}

TEST(Yamux, CreditIsGrantedWhenHalfTheWindowWasConsumedNotWhenItArrived) {
  Listener listener;
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  listener.output();
  listener.feed(payload_frame(0, 1, kYamuxInitialWindow));
  EXPECT_FALSE(listener.session.has_output());
  listener.session.consumed(1, kYamuxInitialWindow / 2 - 1);
  EXPECT_FALSE(listener.session.has_output());
  listener.session.consumed(1, 1);
  EXPECT_EQ(listener.output(), frame(kWindowUpdate, 0, 1, kYamuxInitialWindow / 2));
  EXPECT_FALSE(listener.session.has_ended());
  EXPECT_EQ(pick<YamuxReceived>(listener.feed(payload_frame(0, 1, kYamuxInitialWindow / 2))).size(), 1u);
  EXPECT_EQ(listener.goaway_after(payload_frame(0, 1, 1)), 1u);
}

TEST(Yamux, OverrunEndsTheSession) {
  Listener listener;
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  listener.output();
  EXPECT_EQ(listener.goaway_after(frame(kData, 0, 1, kYamuxInitialWindow + 1)), 1u);
  Listener other;
  EXPECT_EQ(other.goaway_after(frame(kData, kSyn, 1, kYamuxInitialWindow + 1)), 1u);
}

TEST(Yamux, OneFrameMayFillAGrownWindowAndIsStreamed) {
  Listener listener;
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  EXPECT_TRUE(listener.session.grow_window(1, 1 << 20));
  EXPECT_EQ(listener.output(), frame(kWindowUpdate, kAck, 1, (1 << 20) - kYamuxInitialWindow));
  EXPECT_TRUE(listener.feed(frame(kData, 0, 1, 1 << 20)).empty());
  for (std::size_t left = 1 << 20; left > 0; left -= 4096) {
    EXPECT_EQ(pick<YamuxReceived>(listener.feed(Bytes(4096))).at(0).bytes.size(), 4096u);
  }
  EXPECT_EQ(listener.session.unconsumed_bytes(), std::size_t{1} << 20);
  EXPECT_EQ(listener.goaway_after(frame(kData, 0, 1, 1)), 1u);
}

TEST(Yamux, RaisedWindowsKeepToTheBudgetOfTheSession) {
  Listener listener({.receive_bytes_max = 4 << 20});
  for (StreamId id : {1u, 3u, 5u, 7u}) listener.feed(frame(kWindowUpdate, kSyn, id, 0));
  EXPECT_TRUE(listener.session.grow_window(1, 1 << 20));
  EXPECT_TRUE(listener.session.grow_window(3, 1 << 20));
  EXPECT_FALSE(listener.session.grow_window(5, 1 << 20));
  listener.session.reset(1);
  EXPECT_TRUE(listener.session.grow_window(5, 1 << 20));
}

TEST(Yamux, AStreamBeyondTheReceiveBudgetIsResetAndDrained) {
  Listener listener({.receive_bytes_max = 300000});
  listener.feed(payload_frame(kSyn, 1, 250000));
  auto events = listener.feed(payload_frame(kSyn, 3, 60000));
  EXPECT_EQ(pick<YamuxReset>(events).size(), 1u);
  EXPECT_TRUE(pick<YamuxReceived>(events).empty());
  EXPECT_EQ(listener.session.unconsumed_bytes(), 250000u);
  EXPECT_TRUE(listener.session.is_open(1));
  EXPECT_FALSE(listener.session.is_open(3));
  EXPECT_FALSE(listener.session.has_ended());
  Bytes out = listener.output();
  EXPECT_EQ(Bytes(out.begin(), out.begin() + 12), frame(kWindowUpdate, kRst, 3, 0));
}

TEST(Yamux, BrokenFramesEndTheSession) {
  auto code = [](const Bytes& bytes) {
    Listener listener;
    listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
    listener.output();
    return listener.goaway_after(bytes);
  };
  EXPECT_EQ(code(unhex("010100010000000300000000")), 1u) << "version";
  EXPECT_EQ(code(unhex("000400000000000000000000")), 1u) << "type";
  EXPECT_EQ(code(frame(kPing, kSyn, 1, 0)), 1u) << "ping with a stream";
  EXPECT_EQ(code(frame(kGoAway, 0, 1, 0)), 1u) << "goaway with a stream";
  EXPECT_EQ(code(frame(kData, 0, 0, 0)), 1u) << "data of the session";
  EXPECT_EQ(code(frame(kWindowUpdate, 0, 0, 1)), 1u) << "window update of the session";
  EXPECT_EQ(code(frame(kPing, 0, 0, 1)), 1u) << "ping without a flag";
  EXPECT_EQ(code(frame(kWindowUpdate, kSyn, 2, 0)), 1u) << "wrong parity";
  EXPECT_EQ(code(frame(kWindowUpdate, kSyn, 1, 0)), 1u) << "duplicate SYN";
  EXPECT_EQ(code(frame(kWindowUpdate, 0, 1, 0)), std::nullopt) << "a good frame";
}

TEST(Yamux, AnIdIsNeverUsedTwiceButMayComeOutOfOrder) {
  Listener listener;
  listener.feed(frame(kWindowUpdate, kSyn, 5, 0));
  EXPECT_EQ(pick<YamuxOpened>(listener.feed(frame(kWindowUpdate, kSyn, 3, 0))).size(), 1u);
  listener.feed(frame(kWindowUpdate, kRst, 5, 0));
  listener.output();
  EXPECT_EQ(listener.goaway_after(frame(kWindowUpdate, kSyn, 5, 0)), 1u);
}

TEST(Yamux, FramesOfUnknownAndDeadStreamsAreDrained) {
  Listener listener;
  EXPECT_TRUE(listener.feed(payload_frame(0, 9, 100000)).empty());
  EXPECT_TRUE(listener.feed(frame(kWindowUpdate, kFin, 9, 5)).empty());
  listener.feed(frame(kWindowUpdate, kSyn, 1, 0));
  listener.session.reset(1);
  EXPECT_TRUE(listener.feed(payload_frame(0, 1, 1000)).empty());
  EXPECT_EQ(pick<YamuxOpened>(listener.feed(frame(kWindowUpdate, kSyn, 3, 0))).size(), 1u) << "still in step";
}

TEST(Yamux, AResetInTheMiddleOfAPayloadDropsTheRest) {
  Listener listener;
  Bytes bytes = payload_frame(kSyn, 1, 1000);
  listener.feed(ByteView(bytes).first(500));
  listener.session.reset(1);
  EXPECT_TRUE(listener.feed(ByteView(bytes).subspan(500)).empty());
  EXPECT_EQ(listener.session.unconsumed_bytes(), 0u);
}

TEST(Yamux, SynFloodIsRefusedByCountAndByRate) {
  Listener listener({.inbound_streams_max = 4});
  std::size_t opened = 0;
  for (StreamId id = 1; id < 40; id += 2) {
    opened += pick<YamuxOpened>(listener.feed(frame(kWindowUpdate, kSyn, id, 0))).size();
  }
  EXPECT_EQ(opened, 4u);
  EXPECT_EQ(listener.output().size(), 12u * 20) << "4 ACK, 16 RST";
  EXPECT_FALSE(listener.session.has_ended());

  Listener churned({.inbound_per_second = 10});
  auto open_and_reset = [&churned](StreamId id) {
    auto events = churned.feed(frame(kWindowUpdate, kSyn, id, 0));
    churned.feed(frame(kWindowUpdate, kRst, id, 0));
    churned.output();
    return pick<YamuxOpened>(events).size();
  };
  opened = 0;
  for (StreamId id = 1; id < 61; id += 2) opened += open_and_reset(id);
  EXPECT_EQ(opened, 10u);
  churned.now += 500ms;
  for (StreamId id = 61; id < 121; id += 2) opened += open_and_reset(id);
  EXPECT_EQ(opened, 15u);
}

TEST(Yamux, RefusalsThatNobodyReadsEndTheSession) {
  Listener listener({.inbound_streams_max = 0, .resets_max = 3});
  for (StreamId id = 1; id <= 5; id += 2) listener.feed(frame(kWindowUpdate, kSyn, id, 0));
  EXPECT_EQ(listener.goaway_after(frame(kWindowUpdate, kSyn, 7, 0)), 2u);
}

TEST(Yamux, PingFloodIsAnsweredUpToABound) {
  Listener listener;
  for (std::uint32_t i = 0; i < 1000; ++i) listener.feed(frame(kPing, kSyn, 0, i));
  Bytes out = listener.output();
  ASSERT_EQ(out.size(), 32u * 12);
  EXPECT_EQ(Bytes(out.end() - 12, out.end()), frame(kPing, kAck, 0, 31));
}

TEST(Yamux, PingsAtTheStartEveryThirtySecondsAndAfterEverySilence) {
  YamuxOptions options;
  options.quiet_max = 12s;
  Dialer dialer(options);
  EXPECT_EQ(dialer.session.wakes_at(), kStart);
  dialer.session.tick(kStart);
  EXPECT_EQ(dialer.output(), frame(kPing, kSyn, 0, 1));
  dialer.now += 25ms;
  dialer.feed(frame(kPing, kAck, 0, 99));
  EXPECT_FALSE(dialer.session.round_trip()) << "an answer to another question";
  dialer.feed(frame(kPing, kAck, 0, 1));
  EXPECT_EQ(dialer.session.round_trip(), Duration(25ms));
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 25ms + 12s);
  for (const auto second : {10s, 20s, 29s}) {
    dialer.now = kStart + second;
    dialer.feed(frame(kWindowUpdate, kSyn, 2 * static_cast<StreamId>(second.count()), 0));
    dialer.output();
    dialer.session.tick(dialer.now);
    EXPECT_FALSE(dialer.session.has_output()) << "the other end speaks";
  }
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 30s);
  dialer.session.tick(kStart + 30s);
  EXPECT_EQ(dialer.output(), frame(kPing, kSyn, 0, 2));
  dialer.now = kStart + 31s;
  dialer.feed(frame(kPing, kAck, 0, 2));
  dialer.session.tick(kStart + 42s);
  EXPECT_FALSE(dialer.session.has_output());
  dialer.session.tick(kStart + 43s);
  EXPECT_EQ(dialer.output(), frame(kPing, kSyn, 0, 3)) << "nothing came for twelve seconds";
}

TEST(Yamux, SilenceWhileAPingWaitsEndsTheSessionAfterALastChance) {
  Dialer dialer;
  dialer.session.tick(kStart);
  dialer.output();
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 10s);
  dialer.session.tick(kStart + 9s);
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 10s);
  dialer.session.tick(kStart + 10s);
  EXPECT_FALSE(dialer.session.has_ended()) << "the driver may be late and have bytes at hand";
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 10s + 200ms);
  dialer.session.tick(kStart + 10s + 200ms);
  EXPECT_TRUE(dialer.session.has_ended());
  EXPECT_EQ(dialer.output(), frame(kGoAway, 0, 0, 2));
  EXPECT_FALSE(dialer.session.wakes_at());
}

TEST(Yamux, AnyByteKeepsALinkAliveWhoseAnswersAreLateButNotForEver) {
  Dialer dialer;
  dialer.session.tick(kStart);
  dialer.output();
  const Bytes update = frame(kWindowUpdate, kSyn, 2, 0);
  for (std::size_t i = 0; i < update.size(); ++i) {  // a byte every 2.4 s: not even a frame
    dialer.now = kStart + Duration(2400ms) * (i + 1);
    dialer.feed(ByteView(update).subspan(i, 1));
    dialer.session.tick(dialer.now);
    ASSERT_FALSE(dialer.session.has_ended());
  }
  EXPECT_EQ(dialer.session.wakes_at(), kStart + 30s);
  dialer.session.tick(kStart + 30s);
  EXPECT_TRUE(dialer.session.has_ended());
}

TEST(Yamux, AStalledDriverThatThenReadsDoesNotLoseItsLink) {
  Dialer dialer;
  dialer.session.tick(kStart);
  dialer.output();
  dialer.session.tick(kStart + 60ms);
  dialer.session.tick(kStart + 12s);  // the timer came first, the answer waits in the socket
  dialer.now = kStart + 12s;
  dialer.feed(frame(kPing, kAck, 0, 1));
  dialer.session.tick(kStart + 13s);
  EXPECT_FALSE(dialer.session.has_ended());
}

TEST(Yamux, GoawayOfTheRemoteEndsTheSessionAtOnce) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  dialer.session.send(id, Bytes(10));
  auto ended = pick<YamuxEnded>(dialer.feed(frame(kGoAway, 0, 0, 77)));
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_TRUE(ended[0].by_remote);
  EXPECT_EQ(ended[0].code, 77u);
  EXPECT_TRUE(dialer.output().empty());
  EXPECT_FALSE(dialer.session.open_stream());
  EXPECT_TRUE(dialer.feed(frame(kPing, kSyn, 0, 1)).empty());
}

TEST(Yamux, NeverWaitsForAnAckButBoundsUnansweredOpens) {
  Dialer dialer({.unacked_opens_max = 2});
  StreamId first = *dialer.session.open_stream();
  EXPECT_EQ(dialer.session.send(first, as_bytes("x")), 1u);
  EXPECT_EQ(dialer.output().size(), 25u);
  ASSERT_TRUE(dialer.session.open_stream());
  EXPECT_FALSE(dialer.session.open_stream());
  dialer.feed(payload_frame(0, first, 1));
  EXPECT_TRUE(dialer.session.open_stream()) << "any frame of the remote is its ACK";
  dialer.session.reset(3);
  EXPECT_TRUE(dialer.session.open_stream());
}

TEST(Yamux, AResetBeforeTheSynLeftIsSilent) {
  Dialer dialer;
  StreamId id = *dialer.session.open_stream();
  dialer.session.send(id, as_bytes("x"));
  dialer.session.reset(id);
  EXPECT_TRUE(dialer.output().empty());
}

TEST(Yamux, DataAfterAFinIsDrained) {
  Listener listener;
  listener.feed(payload_frame(kSyn | kFin, 1, 3));
  EXPECT_TRUE(listener.feed(payload_frame(0, 1, 3)).empty());
  EXPECT_FALSE(listener.session.has_ended());
}

// Moves bytes between two sessions in pieces of seeded sizes, consuming what arrives, until nothing moves.
struct Pipe {
  Machine dialer{YamuxSide::dialer}, listener{YamuxSide::listener};
  std::mt19937 random;
  std::map<StreamId, Bytes> at_listener, at_dialer;

  explicit Pipe(unsigned seed) : random(seed) {}
  std::size_t upto(std::size_t max) { return 1 + random() % max; }
  void carry(Machine& from, Machine& to, std::map<StreamId, Bytes>& into) {
    Bytes out = from.session.take_output(12 + upto(70000));
    for (ByteView rest = out; !rest.empty();) {
      std::size_t size = std::min(rest.size(), upto(5000));
      for (auto& event : to.feed(rest.first(size))) {
        ASSERT_FALSE(std::holds_alternative<YamuxEnded>(event));
        if (auto* received = std::get_if<YamuxReceived>(&event)) append(into[received->id], received->bytes);
      }
      rest = rest.subspan(size);
    }
    for (auto& [id, bytes] : into) to.session.consumed(id, upto(bytes.size() + 1));
  }
};

TEST(Yamux, AMegabyteEachWayOnFourStreamsArrivesWholeThroughAFragmentingPipe) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Pipe pipe(seed);
    std::map<StreamId, Bytes> sent_up, sent_down;
    std::map<StreamId, std::size_t> up_from, down_from;
    for (int i = 0; i < 4; ++i) {
      StreamId id = *pipe.dialer.session.open_stream();
      sent_up[id].resize(1 << 20);
      sent_down[id].resize(1 << 20);
      for (auto& byte : sent_up[id]) byte = static_cast<std::uint8_t>(pipe.random());
      for (auto& byte : sent_down[id]) byte = static_cast<std::uint8_t>(pipe.random());
    }
    auto offer = [&pipe](YamuxSession& session, const std::map<StreamId, Bytes>& sent, auto& from) {
      for (const auto& [id, bytes] : sent) {
        ByteView rest = ByteView(bytes).subspan(from[id]);
        from[id] += session.send(id, rest.first(std::min(rest.size(), pipe.upto(100000))));
        if (from[id] == bytes.size()) session.finish(id);
      }
    };
    for (int round = 0; round < 5000 && (pipe.at_listener != sent_up || pipe.at_dialer != sent_down); ++round) {
      offer(pipe.dialer.session, sent_up, up_from);
      offer(pipe.listener.session, sent_down, down_from);
      pipe.carry(pipe.dialer, pipe.listener, pipe.at_listener);
      pipe.carry(pipe.listener, pipe.dialer, pipe.at_dialer);
      if (HasFatalFailure()) return;
    }
    EXPECT_TRUE(pipe.at_listener == sent_up) << "seed " << seed;
    EXPECT_TRUE(pipe.at_dialer == sent_down) << "seed " << seed;
  }
}

TEST(Yamux, RandomBytesNeverBreakTheBounds) {
  std::mt19937 random(7);
  auto below = [&random](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
  for (int run = 0; run < 2000; ++run) {
    Listener listener({.receive_bytes_max = 1 << 20});
    listener.session.open_stream();
    for (int i = 0; i < 60 && !listener.session.has_ended(); ++i) {
      std::uint32_t length = below(4) == 0 ? below(300000) : below(40);
      Bytes bytes = frame(static_cast<Type>(below(4)), static_cast<std::uint16_t>(below(16)), below(8), length);
      bytes.resize(bytes.size() + (below(8) == 0 ? below(100) : length));
      listener.feed(bytes);
      if (below(2) == 0) listener.session.consumed(below(8), below(70000));
      if (below(8) == 0) listener.session.reset(below(8));
      if (below(8) == 0) listener.session.finish(below(8));
      if (below(2) == 0) listener.output();
      EXPECT_LE(listener.session.unconsumed_bytes(), std::size_t{1} << 20);
    }
  }
}

}  // namespace
}  // namespace kms::net
