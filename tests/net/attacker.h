// A stranger with a key of its own: finishes the upgrade honestly, then writes any yamux frames it likes.
#pragma once

#include "net/yamux_frame.h"
#include "tests/net/fixtures.h"
#include "tests/net/host_world.h"

namespace kms::net {

class Attacker {
 public:
  // From 10.9.9.`ip`.
  Attacker(HostWorld& world, HostNode& target, std::uint8_t ip = 66)
      : Attacker(world, target, "attacker", Multiaddr::of_tcp(ByteArray<4>{10, 9, 9, ip}, 50000)) {}
  Attacker(HostWorld& world, HostNode& target, std::string_view name, const Multiaddr& from)
      : world_(world), identity_(identity_named(name)), raw_(world.connect_raw(target, from)) {
    Upgrade upgrade(Direction::outbound, identity_, {}, entropy_);
    for (int turn = 0; turn < 10 && upgrade.state() != Upgrade::State::done; ++turn) {
      append(said_, upgrade.take_output());
      world_.write_raw(raw_, ByteView(said_).subspan(told_));
      told_ = said_.size();
      world_.run(10ms);
      upgrade.feed(new_bytes());
      if (upgrade.state() == Upgrade::State::authenticated) upgrade.admit();
    }
    EXPECT_EQ(upgrade.state(), Upgrade::State::done);
    append(said_, upgrade.take_output());
    world_.write_raw(raw_, ByteView(said_).subspan(told_));
    auto channel = upgrade.take_channel();
    sender_.emplace(std::move(channel.sender));
    receiver_.emplace(std::move(channel.receiver));
    world_.run(50ms);
    answer_pings();
  }

  const PeerId& id() const { return identity_.peer_id(); }
  bool is_cut() const { return raw_.end->is_closed; }
  void leave() {
    world_.close_raw(raw_);
    world_.run(10ms);
  }
  // All bytes of the handshake that this side sent.
  const Bytes& handshake() const { return said_; }

  void write(ByteView frames) {
    Bytes sealed;
    for (; !frames.empty(); frames = frames.subspan(std::min(frames.size(), kNoisePlaintextBytesMax))) {
      const auto piece = frames.first(std::min(frames.size(), kNoisePlaintextBytesMax));
      ASSERT_TRUE(sender_->encrypt(piece, sealed).has_value());
    }
    world_.write_raw(raw_, sealed);
    world_.run(10ms);
  }
  void write_raw(ByteView bytes) {
    world_.write_raw(raw_, bytes);
    world_.run(10ms);
  }
  void frame(yamux::Type type, std::uint16_t flags, StreamId id, std::uint32_t length, std::size_t payload = 0) {
    Bytes out;
    yamux::put_header(out, type, flags, id, length);
    append(out, Bytes(payload, 0x41));
    write(out);
  }
  // The same frame again and again, in one go.
  void flood(const Bytes& one, std::size_t times) {
    Bytes out;
    for (std::size_t i = 0; i < times; ++i) append(out, one);
    write(out);
  }
  // Opens a stream and agrees on its protocol in its first frame.
  void open(StreamId id, std::string_view protocol) {
    Bytes tokens;
    append_multistream_token(tokens, kMultistreamHeader);
    append_multistream_token(tokens, protocol);
    Bytes out;
    yamux::put_header(out, yamux::kData, yamux::kSyn, id, static_cast<std::uint32_t>(tokens.size()));
    append(out, tokens);
    write(out);
  }
  // Answers the pings of the host, as an honest peer would.
  void answer_pings() {
    last_read_ = read();
    const Bytes& frames = last_read_;
    for (std::size_t at = 0; at + kYamuxHeaderBytes <= frames.size();) {
      const auto word = [&](std::size_t offset) {
        std::uint32_t out = 0;
        for (std::size_t i = 0; i < 4; ++i) out = out << 8 | frames[at + offset + i];
        return out;
      };
      const std::uint32_t length = word(8);
      if (frames[at + 1] == yamux::kPing && frames[at + 3] == yamux::kSyn) frame(yamux::kPing, yamux::kAck, 0, length);
      at += kYamuxHeaderBytes + (frames[at + 1] == yamux::kData ? length : 0);
    }
  }
  // What `answer_pings` read and otherwise left alone; at first that is how the host began.
  Bytes take_last_read() { return std::exchange(last_read_, {}); }
  // What the host wrote since the last call.
  Bytes read() {
    Bytes out;
    EXPECT_TRUE(receiver_->decrypt(new_bytes(), out).has_value());
    return out;
  }

 private:
  Bytes new_bytes() { return std::exchange(raw_.end->received, {}); }

  HostWorld& world_;
  Identity identity_;
  SeededEntropy entropy_{66};
  HostWorld::Raw raw_;
  Bytes said_, last_read_;
  std::size_t told_ = 0;
  std::optional<NoiseSender> sender_;
  std::optional<NoiseReceiver> receiver_;
};

}  // namespace kms::net
