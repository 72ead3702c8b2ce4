// One end of a yamux session whose other end is the test: frames written by hand, and what came of them.
#pragma once

#include <gtest/gtest.h>

#include "net/yamux.h"
#include "net/yamux_frame.h"
#include "tests/net/fixtures.h"

namespace kms::net {

using namespace yamux;

inline constexpr Instant kStart{Duration(1h)};

inline Bytes frame(Type type, std::uint16_t flags, StreamId id, std::uint32_t length, ByteView payload = {}) {
  Bytes out;
  put_header(out, type, flags, id, length);
  append(out, payload);
  return out;
}
inline Bytes payload_frame(std::uint16_t flags, StreamId id, std::size_t size) {
  return frame(kData, flags, id, static_cast<std::uint32_t>(size), Bytes(size, 0x5a));
}

template <class Event>
std::vector<Event> pick(const std::vector<YamuxEvent>& events) {
  std::vector<Event> out;
  for (const auto& event : events) {
    if (const auto* match = std::get_if<Event>(&event)) out.push_back(*match);
  }
  return out;
}

// A session with what the wire of the other side would show.
struct Machine {
  explicit Machine(YamuxSide side, YamuxOptions options = {}) : session(side, kStart, options) {}
  std::vector<YamuxEvent> feed(ByteView bytes) {
    session.receive(bytes, now);
    return session.take_events();
  }
  Bytes output() { return session.take_output(std::size_t{1} << 24); }
  // The GOAWAY code that ended it, after `bytes`.
  std::optional<std::uint32_t> goaway_after(ByteView bytes) {
    auto ended = pick<YamuxEnded>(feed(bytes));
    if (ended.size() != 1 || ended[0].by_remote || !session.has_ended()) return std::nullopt;
    EXPECT_EQ(output(), frame(kGoAway, 0, 0, ended[0].code));
    EXPECT_TRUE(output().empty());
    return ended[0].code;
  }
  YamuxSession session;
  Instant now = kStart;
};

struct Listener : Machine {
  explicit Listener(YamuxOptions options = {}) : Machine(YamuxSide::listener, options) {}
};
struct Dialer : Machine {
  explicit Dialer(YamuxOptions options = {}) : Machine(YamuxSide::dialer, options) {}
};

}  // namespace kms::net
