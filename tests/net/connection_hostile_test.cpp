// What a connection makes of an authenticated remote that writes any yamux frames it likes.
#include <gtest/gtest.h>

#include "net/connection.h"
#include "net/yamux_frame.h"
#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

constexpr Now kNow{Instant(Duration(1h)), 1'700'000'000'000};

// A listener of ours behind a finished upgrade, and the remote's side of the channel.
class HostileFrames : public testing::Test {
 protected:
  void SetUp() override {
    Upgrade upgrade(Direction::outbound, remote_, {}, entropy_);
    for (int turn = 0; turn < 10 && upgrade.state() != Upgrade::State::done; ++turn) {
      connection_.receive(upgrade.take_output(), kNow);
      connection_.admit(kNow);
      upgrade.feed(connection_.take_output(100'000));
      if (upgrade.state() == Upgrade::State::authenticated) upgrade.admit();
    }
    ASSERT_EQ(upgrade.state(), Upgrade::State::done);
    connection_.receive(upgrade.take_output(), kNow);
    connection_.admit(kNow);
    ASSERT_TRUE(connection_.is_ready());
    sender_.emplace(upgrade.take_channel().sender);
    connection_.take_events();
  }

  // All of it in one Noise message, so that it is one input.
  std::vector<ConnectionEvent> receive(const Bytes& frames) {
    Bytes sealed;
    EXPECT_TRUE(sender_->encrypt(frames, sealed).has_value());
    connection_.receive(sealed, kNow);
    return connection_.take_events();
  }

  // Opens stream 1 and agrees on the protocol in a single frame.
  static Bytes opening() {
    Bytes tokens;
    append_multistream_token(tokens, kMultistreamHeader);
    append_multistream_token(tokens, "/echo/1");
    Bytes frame;
    yamux::put_header(frame, yamux::kData, yamux::kSyn, 1, static_cast<std::uint32_t>(tokens.size()));
    append(frame, tokens);
    return frame;
  }

  Identity ours_ = identity_named("connection-ours");
  Identity remote_ = identity_named("connection-remote");
  SeededEntropy entropy_{7};
  Connection connection_{Direction::inbound,
                         ours_,
                         std::make_shared<const std::vector<std::string>>(std::vector<std::string>{"/echo/1"}),
                         ConnectionOptions(),
                         entropy_,
                         kNow};
  std::optional<NoiseSender> sender_;
};

TEST_F(HostileFrames, AcceptsAStreamThatAgreesInItsFirstFrame) {
  auto events = receive(opening());
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<StreamAccepted>(events[0]).protocol, "/echo/1");
}

TEST_F(HostileFrames, ForgetsAStreamThatWasResetInTheBytesThatOpenedIt) {
  Bytes frames = opening();
  yamux::put_header(frames, yamux::kWindowUpdate, yamux::kRst, 1, 0);
  EXPECT_TRUE(receive(frames).empty());
  EXPECT_EQ(connection_.stream_count(), 0u);
  EXPECT_FALSE(connection_.has_ended());
}

TEST_F(HostileFrames, EndsOnceWhenGoawayFollowsTheBytesThatOpenedAStream) {
  Bytes frames = opening();
  yamux::put_header(frames, yamux::kGoAway, 0, 0, 0);
  auto events = receive(frames);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(std::get<ConnectionEnded>(events[0]).cause.reason, CloseReason::remote_closed);
}

}  // namespace
}  // namespace kms::net
