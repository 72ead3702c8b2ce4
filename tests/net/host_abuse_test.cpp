// The yamux and Noise rules of LIBP2P.md 3, 5 and 8.8 from outside: an authenticated stranger breaks one of them beside
// an honest member. The stranger is throttled or cut with a reason, the member goes on, and memory stays in its budget.
#include "tests/net/attacker.h"

namespace kms::net {
namespace {

using namespace yamux;

Bytes frame_of(Type type, std::uint16_t flags, StreamId id, std::uint32_t length) {
  Bytes out;
  put_header(out, type, flags, id, length);
  return out;
}

struct HostAbuse : testing::Test {
  static HostOptions options() {
    HostOptions out = HostWorld::open_options();
    out.unlisted = PeerClass::light;
    return out;
  }
  void SetUp() override {
    for (auto* node : {&alice, &bob}) {
      node->host.set_peer_classes({{alice.id(), PeerClass::committee}, {bob.id(), PeerClass::committee}}, world.now);
    }
    alice.host.add_service({.protocol = "/take/1", .idle_max = 30s}, world.now);
    ASSERT_TRUE(bob.host.subscribe("t", world.now).has_value());
    world.connect(bob, alice);
    world.run(1s);
    attacker.emplace(world, alice);
  }
  // The member still gets its messages, over the connection it had.
  void TearDown() override {
    const auto before = bob.payloads().size();
    ASSERT_TRUE(alice.host.publish("t", to_bytes(as_bytes("still here")), world.now).has_value());
    world.run(100ms);
    EXPECT_EQ(bob.payloads().size(), before + 1);
    EXPECT_EQ(bob.pick<ConnectionClosed>().size(), 0u);
  }
  void expect_cut(CloseReason reason, std::string_view text) {
    world.run(10ms);
    EXPECT_TRUE(attacker->is_cut());
    const auto closed = alice.pick<ConnectionClosed>();
    ASSERT_EQ(closed.size(), 1u);
    EXPECT_EQ(closed[0].cause.reason, reason) << closed[0].cause.text;
    EXPECT_NE(closed[0].cause.text.find(text), std::string::npos) << closed[0].cause.text;
    EXPECT_EQ(alice.host.counters().closed[static_cast<std::size_t>(reason)], 1u);
    EXPECT_LT(alice.host.queued_bytes(), 1'000u) << "nothing of it is kept";
  }
  void expect_violation(std::string_view text) { expect_cut(CloseReason::protocol_violation, text); }
  PeerView view() const {
    for (auto& peer : alice.host.peers()) {
      if (peer.peer == attacker->id()) return peer;
    }
    ADD_FAILURE() << "the attacker is not connected";
    return alice.host.peers().at(0);
  }

  HostWorld world;
  HostNode& alice = world.add("alice", options());
  HostNode& bob = world.add("bob", options());
  std::optional<Attacker> attacker;
};

TEST_F(HostAbuse, AFirstFrameBeyondTheWindow) {
  attacker->frame(kData, kSyn, 1, kYamuxInitialWindow + 1);
  expect_violation("were granted");
}

TEST_F(HostAbuse, BytesBeyondTheWindowOfAStreamThatIsNotConsumed) {
  attacker->open(1, "/take/1");
  for (int i = 0; i < 4; ++i) attacker->frame(kData, 0, 1, 60'000, 60'000);
  EXPECT_EQ(view().queued_bytes / 1000, 240u);
  attacker->frame(kData, 0, 1, 60'000, 60'000);
  expect_violation("were granted");
}

TEST_F(HostAbuse, ManyStreamsThatAreNotConsumedShareTheBudgetOfTheirClass) {
  for (StreamId id = 1; id < 33; id += 2) {
    attacker->open(id, "/take/1");
    for (int i = 0; i < 4 && !attacker->is_cut(); ++i) attacker->frame(kData, 0, id, 60'000, 60'000);
    EXPECT_LE(view().queued_bytes, kLightRules.receive_bytes_max);
  }
  EXPECT_GT(view().queued_bytes, kLightRules.receive_bytes_max / 2);
  EXPECT_FALSE(attacker->is_cut()) << "the streams beyond are reset, that is all";
}

TEST_F(HostAbuse, AWindowThatGrowsBeyondAnything) {
  attacker->open(1, "/take/1");
  attacker->frame(kWindowUpdate, 0, 1, 0xffffffff);
  expect_violation("2^32");
}

TEST_F(HostAbuse, AFloodOfOpens) {
  StreamId id = 1;
  const auto wave = [&] {
    Bytes opens;
    for (int i = 0; i < 500; ++i, id += 2) append(opens, frame_of(kWindowUpdate, kSyn, id, 0));
    attacker->write(opens);
  };
  wave();
  ASSERT_FALSE(attacker->is_cut()) << "throttled";
  EXPECT_LE(view().streams, kLightRules.inbound_streams_per_second + 10);
  for (int i = 0; i < 12 && !attacker->is_cut(); ++i) wave();
  expect_violation("flood");
}

TEST_F(HostAbuse, StreamsThatNeverSayWhatTheyAreFor) {
  for (StreamId id = 1; id < 41; id += 2) attacker->frame(kWindowUpdate, kSyn, id, 0);
  EXPECT_GE(view().streams, 20u);
  world.run(11s);
  EXPECT_TRUE(attacker->is_cut() || view().streams < 5u) << "the negotiation has its time";
}

TEST_F(HostAbuse, AStormOfOpensAndResets) {
  for (StreamId id = 1; id < 20'000 && !attacker->is_cut(); id += 1000) {
    Bytes storm;
    for (StreamId i = id; i < id + 1000; i += 2) {
      append(storm, frame_of(kWindowUpdate, kSyn, i, 0));
      append(storm, frame_of(kWindowUpdate, kRst, i, 0));
    }
    attacker->write(storm);
    EXPECT_LT(alice.host.queued_bytes(), 100'000u);
  }
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfEmptyData) {
  attacker->open(1, "/take/1");
  attacker->flood(frame_of(kData, 0, 1, 0), 3000);
  EXPECT_FALSE(attacker->is_cut());
  attacker->flood(frame_of(kData, 0, 1, 0), 3000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfEmptyWindowUpdates) {
  attacker->open(1, "/take/1");
  attacker->flood(frame_of(kWindowUpdate, 0, 1, 0), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfPings) {
  attacker->flood(frame_of(kPing, kSyn, 0, 7), 1000);
  EXPECT_FALSE(attacker->is_cut());
  EXPECT_LE(attacker->read().size(), 33u * kYamuxHeaderBytes) << "answered up to a bound";
  attacker->flood(frame_of(kPing, kSyn, 0, 7), 5000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfPongsToNoPing) {
  attacker->flood(frame_of(kPing, kAck, 0, 12345), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfAcksOnALiveStream) {
  attacker->open(1, "/take/1");
  attacker->flood(frame_of(kWindowUpdate, kAck, 1, 0), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfFins) {
  attacker->open(1, "/take/1");
  attacker->flood(frame_of(kData, kFin, 1, 0), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfTinyWindowUpdates) {
  attacker->open(1, "/take/1");
  attacker->flood(frame_of(kWindowUpdate, 0, 1, 1), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AFloodOfResetsForStreamsThatNeverWere) {
  attacker->flood(frame_of(kWindowUpdate, kRst, 999, 0), 6000);
  expect_violation("flood");
}

TEST_F(HostAbuse, AnOpenOfALiveStream) {
  attacker->open(1, "/take/1");
  attacker->frame(kWindowUpdate, kSyn, 1, 0);
  expect_violation("twice");
}

TEST_F(HostAbuse, AnOpenOfAStreamThatEnded) {
  attacker->open(1, "/take/1");
  attacker->frame(kWindowUpdate, kRst, 1, 0);
  attacker->frame(kWindowUpdate, kSyn, 1, 0);
  expect_violation("twice");
}

TEST_F(HostAbuse, AnOpenWithAnIdOfOurs) {
  attacker->frame(kWindowUpdate, kSyn, 1000, 0);
  expect_violation("an id of ours");
}

TEST_F(HostAbuse, AGoaway) {
  attacker->frame(kGoAway, 0, 0, 1);
  expect_cut(CloseReason::remote_closed, "GOAWAY");
}

TEST_F(HostAbuse, UnknownTypesAndVersions) {
  attacker->frame(static_cast<Type>(4), 0, 1, 0);
  expect_violation("type 4");
}

TEST_F(HostAbuse, AnotherVersion) {
  Bytes out = frame_of(kPing, kSyn, 0, 1);
  out[0] = 1;
  attacker->write(out);
  expect_violation("version 1");
}

TEST_F(HostAbuse, UnknownFlagsMeanNothing) {
  attacker->open(1, "/take/1");
  attacker->frame(kData, 0xff00, 1, 10, 10);
  ASSERT_EQ(alice.pick<ServiceBytes>().size(), 1u);
  EXPECT_EQ(alice.pick<ServiceBytes>()[0].bytes.size(), 10u);
  EXPECT_FALSE(attacker->is_cut());
}

TEST_F(HostAbuse, HalfClosedStreamsDoNotStay) {
  StreamId id = 1;
  for (int round = 0; round < 5; ++round) {
    for (const auto* protocol : {"/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/take/1"}) {
      attacker->open(id, protocol);
      if (round % 2 == 0) attacker->frame(kWindowUpdate, kFin, id, 0);
      id += 2;
    }
    world.run(1s);
  }
  EXPECT_GT(view().streams, 2u);
  for (int i = 0; i < 35; ++i) {
    world.run(2s);
    attacker->answer_pings();
  }
  ASSERT_FALSE(attacker->is_cut());
  EXPECT_LE(view().streams, 2u) << "ours";
}

TEST_F(HostAbuse, MoreStreamsOfOneKindThanAllowedAreResetAndCounted) {
  for (StreamId id = 1; id < 13; id += 2) attacker->open(id, "/ipfs/ping/1.0.0");
  EXPECT_EQ(view().traffic.streams_refused, 4u);
  EXPECT_EQ(alice.host.counters().protocols.at("/ipfs/ping/1.0.0").refused, 4u);
  EXPECT_FALSE(attacker->is_cut());
}

TEST_F(HostAbuse, AFrameWithAWrongTagOrNoTag) {
  attacker->write_raw(Bytes{0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20});
  expect_violation("noise");
}

TEST_F(HostAbuse, AFrameTooShortForATag) {
  attacker->write_raw(Bytes{0, 3, 1, 2, 3});
  expect_violation("noise");
}

TEST_F(HostAbuse, AHandshakeReplayedByteForByte) {
  const auto raw = world.connect_raw(alice, 67);
  world.write_raw(raw, attacker->handshake());
  world.run(100ms);
  EXPECT_TRUE(raw.end->is_closed);
  ASSERT_EQ(alice.pick<ConnectionClosed>().size(), 1u);
  EXPECT_EQ(alice.pick<ConnectionClosed>()[0].cause.reason, CloseReason::security_failed);
  EXPECT_EQ(view().connections, 1u) << "nobody got a second connection in its name";
}

TEST_F(HostAbuse, AHandshakeMessageLargerThanAny) {
  const auto raw = world.connect_raw(alice, 67);
  Bytes hello;
  append_multistream_token(hello, kMultistreamHeader);
  append_multistream_token(hello, kNoiseProtocol);
  append(hello, Bytes{0xff, 0xff});
  world.write_raw(raw, hello);
  world.run(100ms);
  EXPECT_TRUE(raw.end->is_closed);
  ASSERT_EQ(alice.pick<ConnectionClosed>().size(), 1u);
  EXPECT_EQ(alice.pick<ConnectionClosed>()[0].cause.reason, CloseReason::security_failed);
}

TEST_F(HostAbuse, AThirdConnectionOfTheSameStranger) {
  Attacker second(world, alice, 67);
  EXPECT_EQ(view().connections, 2u);
  const auto raw = world.connect_raw(alice, 68);
  Identity same = identity_named("attacker");
  SeededEntropy entropy(5);
  Upgrade upgrade(Direction::outbound, same, {}, entropy);
  for (int turn = 0; turn < 4; ++turn) {
    world.write_raw(raw, upgrade.take_output());
    world.run(10ms);
    upgrade.feed(std::exchange(raw.end->received, {}));
    if (upgrade.state() == Upgrade::State::authenticated) upgrade.admit();
  }
  EXPECT_TRUE(raw.end->is_closed);
  EXPECT_EQ(view().connections, 2u);
  EXPECT_EQ(alice.host.counters().closed[static_cast<std::size_t>(CloseReason::over_limit)], 1u);
}

}  // namespace
}  // namespace kms::net
