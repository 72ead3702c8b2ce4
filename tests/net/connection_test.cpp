// One connection against another, byte for byte, and against a peer that stops halfway.
#include "net/connection.h"

#include <gtest/gtest.h>

#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

ProtocolList protocols(std::vector<std::string> names) {
  return std::make_shared<const std::vector<std::string>>(std::move(names));
}

struct ConnectionPair : testing::Test {
  // Moves bytes and admits until nothing moves.
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto* end : {&dialer, &listener}) {
        auto& events = end == &dialer ? dialer_events : listener_events;
        for (auto& event : end->take_events()) {
          if (std::holds_alternative<ConnectionAuthenticated>(event) && admits) end->admit(now);
          events.push_back(std::move(event));
          moved = true;
        }
        const Bytes bytes = end->take_output(1000);
        auto& other = end == &dialer ? listener : dialer;
        if (!bytes.empty()) other.receive(bytes, now);
        moved = moved || !bytes.empty();
      }
    }
  }
  template <class Event>
  static std::vector<Event> pick(const std::vector<ConnectionEvent>& events) {
    std::vector<Event> out;
    for (const auto& event : events) {
      if (const auto* match = std::get_if<Event>(&event)) out.push_back(*match);
    }
    return out;
  }

  SeededEntropy entropy{1};
  Identity alice = identity_named("alice"), bob = identity_named("bob");
  Now now{Instant(Duration(1h)), 0};
  Connection dialer{Direction::outbound, alice, protocols({"/a/1"}), {}, entropy, now};
  Connection listener{Direction::inbound, bob, protocols({"/a/1", "/b/1"}), {}, entropy, now};
  std::vector<ConnectionEvent> dialer_events, listener_events;
  bool admits = true;
};

TEST_F(ConnectionPair, AgreesOnTheFirstProtocolThatTheRemoteSupports) {
  settle();
  const auto stream = *dialer.open_stream({"/c/1", "/b/1", "/a/1"}, now);
  settle();
  ASSERT_EQ(pick<StreamAgreed>(dialer_events).size(), 1u);
  EXPECT_EQ(pick<StreamAgreed>(dialer_events)[0].protocol, "/b/1");
  EXPECT_EQ(pick<StreamAccepted>(listener_events)[0].protocol, "/b/1");
  EXPECT_EQ(dialer.send(stream, as_bytes("hi")), 2u);
  settle();
  EXPECT_EQ(as_text(pick<StreamBytes>(listener_events)[0].bytes), "hi");
}

TEST_F(ConnectionPair, ReportsAStreamThatTheRemoteSupportsNoProtocolOf) {
  settle();
  ASSERT_TRUE(dialer.open_stream({"/c/1"}, now).has_value());
  settle();
  EXPECT_EQ(pick<StreamRefused>(dialer_events).size(), 1u);
  EXPECT_TRUE(pick<StreamAccepted>(listener_events).empty());
  EXPECT_TRUE(dialer.is_ready());
}

TEST_F(ConnectionPair, GivesUpOnAStreamWhoseNegotiationStalls) {
  settle();
  ASSERT_TRUE(dialer.open_stream({"/a/1"}, now).has_value());
  now.instant += 11s;
  dialer.tick(now);
  for (auto& event : dialer.take_events()) dialer_events.push_back(std::move(event));
  ASSERT_EQ(pick<StreamRefused>(dialer_events).size(), 1u);
  EXPECT_NE(pick<StreamRefused>(dialer_events)[0].reason.find("in time"), std::string::npos);
  EXPECT_TRUE(dialer.is_ready());
}

TEST_F(ConnectionPair, DoesNothingBetweenAuthenticationAndAdmission) {
  admits = false;
  settle();
  EXPECT_EQ(pick<ConnectionAuthenticated>(listener_events).size(), 1u);
  EXPECT_TRUE(pick<ConnectionReady>(listener_events).empty());
  EXPECT_FALSE(listener.open_stream({"/a/1"}, now).has_value());
  now.instant += 10s;
  listener.tick(now);
  for (auto& event : listener.take_events()) listener_events.push_back(std::move(event));
  ASSERT_EQ(pick<ConnectionEnded>(listener_events).size(), 1u);
  EXPECT_EQ(pick<ConnectionEnded>(listener_events)[0].cause.reason, CloseReason::upgrade_timeout);
}

TEST_F(ConnectionPair, EndsOnceWithTheFirstCause) {
  settle();
  dialer.close({CloseReason::requested, "enough"});
  dialer.close({CloseReason::denied, "again"});
  dialer.channel_closed("gone");
  settle();
  const auto ended = pick<ConnectionEnded>(dialer_events);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].cause.text, "enough");
  EXPECT_TRUE(std::holds_alternative<ConnectionEnded>(dialer_events.back()));
  ASSERT_EQ(pick<ConnectionEnded>(listener_events).size(), 1u);  // by the GOAWAY
  EXPECT_EQ(pick<ConnectionEnded>(listener_events)[0].cause.reason, CloseReason::remote_closed);
}

TEST_F(ConnectionPair, ABadFrameAfterTheUpgradeIsAProtocolViolation) {
  settle();
  Bytes garbage(40, 0x11);
  garbage[0] = 0;
  garbage[1] = 38;
  listener.receive(garbage, now);
  settle();
  ASSERT_EQ(pick<ConnectionEnded>(listener_events).size(), 1u);
  EXPECT_EQ(pick<ConnectionEnded>(listener_events)[0].cause.reason, CloseReason::protocol_violation);
}

}  // namespace
}  // namespace kms::net
