// What the stateful fuzzers of net/ share: identities, bytes to send, virtual time, and the run of a script.
#pragma once

#include <deque>

#include "base/time.h"
#include "net/identity.h"
#include "tests/fuzz/fuzzer.h"

namespace kms::fuzz {

inline constexpr std::size_t kIdentities = 5;

// The same ones in every run; `number` below kIdentities.
inline const net::Identity& identity(std::size_t number) {
  static const std::vector<net::Identity> all = [] {
    std::vector<net::Identity> made;
    for (std::uint64_t i = 0; i < kIdentities; ++i) {
      sim::Random entropy(i + 1);
      made.push_back(net::Identity::generate(entropy));
    }
    return made;
  }();
  return all.at(number);
}

// Up to 65521 bytes of what stream `id` carries from `from` on.
inline ByteView content(std::uint64_t id, std::size_t from, std::size_t size) {
  constexpr std::size_t kPeriod = 65'521;
  static const Bytes all = [] {
    Bytes made(2 * kPeriod);
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<std::uint8_t>(i % kPeriod * 31 >> 3);
    return made;
  }();
  return ByteView(all).subspan((from + id * 1009) % kPeriod, std::min(size, kPeriod));
}

// `bytes` are what stream `id` carries from `from` on.
inline bool is_content(std::uint64_t id, std::size_t from, ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView wanted = content(id, from, bytes.size());
    if (!equal(bytes.first(wanted.size()), wanted)) return false;
    bytes = bytes.subspan(wanted.size());
    from += wanted.size();
  }
  return true;
}

inline constexpr Now kScriptBegins{Instant(Duration(1h)), 1'700'000'000'000};

inline void pass(Now& now, Duration time) {
  now.instant += time;
  now.unix_ms += time / 1ms;
}

// The first byte makes the world, at most `steps_max` steps follow, then its end is checked.
template <class World>
void run_script(ByteView input, int steps_max) {
  Input in(input);
  World world(in.byte());
  for (int steps = 0; steps < steps_max && !in.is_empty(); ++steps) world.step(in);
  world.finish();
}

}  // namespace kms::fuzz
