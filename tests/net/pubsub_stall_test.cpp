// A subscriber that stops granting credit on our pubsub stream: the stream is reset in time, and an honest one that
// comes round loses nothing (LIBP2P.md 8.1, 8.9).
#include <set>

#include "tests/net/attacker.h"

namespace kms::net {
namespace {

using namespace yamux;

constexpr std::size_t kMessageBytes = 12'000;

// Answers the streams that the host opens as a gossipsub peer does, and follows the topic "t".
class Subscriber {
 public:
  Subscriber(HostWorld& world, HostNode& target) : world_(world), wire_(world, target) {
    take(wire_.take_last_read());
    wire_.open(1, "/meshsub/1.2.0");
    RpcWriter rpc;
    rpc.subscription(true, "t");
    send(1, rpc.frame());
  }
  // Time passes and what came is answered.
  void run(Duration time) {
    for (const Instant until = world_.now.instant + time; world_.now.instant < until && !wire_.is_cut();) {
      take(wire_.read());
      world_.run(100ms);
    }
  }
  void grant(std::uint32_t bytes) { wire_.frame(kWindowUpdate, 0, pubsub, bytes); }
  bool is_cut() const { return wire_.is_cut(); }
  std::size_t streams() const { return pubsubs_.size(); }
  const PeerId& id() const { return wire_.id(); }

  bool grants = true;
  StreamId pubsub = 0;          // the host's newest pubsub stream
  std::vector<StreamId> reset;  // of those, by the host
  std::set<std::string> texts;  // what came complete

 private:
  struct Theirs {
    Bytes bytes;
    bool is_agreed = false;
    RpcFrames frames;
  };

  void send(StreamId id, ByteView bytes, std::uint16_t flags = 0) {
    Bytes out;
    put_header(out, kData, flags, id, static_cast<std::uint32_t>(bytes.size()));
    append(out, bytes);
    wire_.write(out);
  }
  void take(const Bytes& in) {
    append(in_, in);
    std::size_t at = 0;
    const auto word = [&](std::size_t offset) {
      std::uint32_t out = 0;
      for (std::size_t i = 0; i < 4; ++i) out = out << 8 | in_[at + offset + i];
      return out;
    };
    while (at + kYamuxHeaderBytes <= in_.size()) {
      const std::uint8_t type = in_[at + 1], flags = in_[at + 3];
      const StreamId id = word(4);
      const std::uint32_t length = word(8);
      const std::size_t payload = type == kData ? length : 0;
      if (at + kYamuxHeaderBytes + payload > in_.size()) break;
      if (type == kPing && (flags & kSyn) != 0) wire_.frame(kPing, kAck, 0, length);
      if (type != kPing && (flags & kRst) != 0 && pubsubs_.contains(id)) reset.push_back(id);
      const Bytes bytes = to_bytes(ByteView(in_).subspan(at + kYamuxHeaderBytes, payload));
      at += kYamuxHeaderBytes + payload;
      if (payload > 0 && id % 2 == 0) take_bytes(id, bytes);
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void take_bytes(StreamId id, const Bytes& bytes) {
    Theirs& stream = theirs_[id];
    if (grants || id != pubsub) wire_.frame(kWindowUpdate, 0, id, static_cast<std::uint32_t>(bytes.size()));
    if (stream.is_agreed) return take_rpcs(id, stream, bytes);
    append(stream.bytes, bytes);
    const std::string text(as_text(stream.bytes));
    const auto header_end = text.find('\n');
    const auto end = text.find('\n', header_end + 1);
    if (header_end == std::string::npos || end == std::string::npos) return;
    stream.is_agreed = true;
    const std::string protocol = text.substr(header_end + 2, end - header_end - 2);
    Bytes answer;
    append_multistream_token(answer, kMultistreamHeader);
    append_multistream_token(answer, protocol);
    if (protocol == kIdentifyProtocol) {
      Identify message;
      message.protocols = {"/meshsub/1.2.0"};
      append(answer, encode_identify_frame(message).value());
      send(id, answer, kFin);
      return;
    }
    send(id, answer);
    if (protocol != "/meshsub/1.2.0") return;
    pubsub = id;
    pubsubs_.insert(id);
    take_rpcs(id, stream, ByteView(stream.bytes).subspan(end + 1));
  }
  void take_rpcs(StreamId id, Theirs& stream, ByteView bytes) {
    if (id != pubsub) return;
    ASSERT_TRUE(stream.frames.feed(bytes).has_value());
    while (const auto body = stream.frames.next()) {
      const auto rpc = parse_rpc(*body);
      ASSERT_TRUE(rpc.has_value());
      for (const auto& message : rpc->messages) {
        const auto text = as_text(*message.data);
        texts.emplace(text.substr(0, text.find(' ')));
      }
      // Pulls whatever is announced, as a peer does that missed it.
      std::vector<Bytes> wanted;
      for (const auto& ihave : rpc->ihave) {
        for (const ByteView message : ihave.ids) wanted.push_back(to_bytes(message));
      }
      if (wanted.empty()) continue;
      RpcWriter iwant;
      iwant.iwant(wanted);
      send(1, iwant.frame());
    }
  }

  HostWorld& world_;
  Attacker wire_;
  Bytes in_;
  std::map<StreamId, Theirs> theirs_;
  std::set<StreamId> pubsubs_;  // pubsub streams that the host opened
};

struct PubsubStall : testing::Test {
  void SetUp() override {
    ASSERT_TRUE(alice.host.subscribe("t", world.now).has_value());
    subscriber.run(1s);
    ASSERT_NE(subscriber.pubsub, 0u);
    publish("before", 1);
    subscriber.run(1s);
    ASSERT_TRUE(subscriber.texts.contains("before0"));
  }
  void publish(const std::string& name, int count) {
    for (int i = 0; i < count; ++i) {
      std::string text = name + std::to_string(i) + " ";
      text.resize(kMessageBytes, 'x');
      ASSERT_TRUE(alice.host.publish("t", to_bytes(as_bytes(text)), world.now).has_value());
    }
    world.settle();
  }

  HostWorld world;
  HostNode& alice = world.add("alice");
  Subscriber subscriber{world, alice};
};

TEST_F(PubsubStall, AReaderThatGrantsNoCreditLosesTheStreamAndNotTheConnection) {
  subscriber.grants = false;
  const StreamId first = subscriber.pubsub;
  publish("m", 40);
  subscriber.run(19s);
  EXPECT_TRUE(subscriber.reset.empty());
  EXPECT_GT(alice.host.queued_bytes(subscriber.id()), 100'000u);
  EXPECT_TRUE(alice.host.peers().at(0).is_stalled);
  EXPECT_EQ(alice.host.counters().pubsub_stalls, 0u);
  subscriber.run(2s);
  EXPECT_EQ(alice.host.counters().pubsub_stalls, 1u);
  EXPECT_FALSE(alice.host.peers().at(0).is_stalled);
  EXPECT_EQ(subscriber.reset, std::vector<StreamId>{first});
  EXPECT_FALSE(subscriber.is_cut());
  EXPECT_TRUE(alice.pick<ConnectionClosed>().empty());
}

TEST_F(PubsubStall, WhatWasLostWithTheStreamIsAnnouncedOnTheNextOne) {
  subscriber.grants = false;
  publish("m", 40);
  subscriber.run(10s);
  publish("later", 5);
  subscriber.run(10'500ms);
  ASSERT_EQ(subscriber.reset.size(), 1u);
  ASSERT_LT(subscriber.texts.size(), 30u) << "a window's worth";
  subscriber.grants = true;
  subscriber.run(8s);
  EXPECT_EQ(subscriber.streams(), 2u) << "opened again";
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(subscriber.texts.contains("m" + std::to_string(i))) << i;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(subscriber.texts.contains("later" + std::to_string(i))) << i;
  EXPECT_EQ(subscriber.reset.size(), 1u);
}

TEST_F(PubsubStall, AReaderThatIsSlowOrHasNothingToReadKeepsIt) {
  subscriber.grants = false;
  subscriber.run(60s);
  publish("m", 10);  // within its credit
  subscriber.run(60s);
  EXPECT_TRUE(subscriber.texts.contains("m9"));
  publish("n", 20);
  for (int i = 0; i < 4; ++i) {
    subscriber.run(15s);
    subscriber.grant(1000);
  }
  EXPECT_TRUE(subscriber.reset.empty());
  EXPECT_EQ(subscriber.streams(), 1u);
  EXPECT_EQ(alice.host.counters().pubsub_stalls, 0u);
}

}  // namespace
}  // namespace kms::net
