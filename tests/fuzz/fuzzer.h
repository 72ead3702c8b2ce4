// What every fuzzer includes. KMS_FUZZER(name) { .. } is the body over `input`: with the fuzz preset it becomes
// libFuzzer's entry point, otherwise it registers with the replay program (replay.cpp).
#pragma once

#include "base/assert.h"
#include "base/bytes.h"
#include "tests/sim/random.h"

namespace kms::fuzz {

using Body = void (*)(ByteView input);

struct Registration {
  Registration(const char* name, Body body);
};

// Takes a fuzzer's input apart from its front; past the end everything reads as zero or empty.
class Input {
 public:
  explicit Input(ByteView bytes) : rest_(bytes) {}
  bool is_empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint16_t word() {
    auto high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint32_t number() {
    std::uint32_t high = word();
    return high << 16 | word();
  }
  ByteView take(std::size_t size) {
    ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  ByteView rest() { return take(rest_.size()); }

 private:
  ByteView rest_;
};

// Hands `bytes` on in pieces of 1 to `piece_max`, whose sizes follow from the seed.
template <class Feed>
void feed_in_pieces(ByteView bytes, std::uint64_t seed, std::size_t piece_max, Feed feed) {
  sim::Random random(seed);
  while (!bytes.empty()) {
    std::size_t size = std::min<std::size_t>(1 + random.below(piece_max), bytes.size());
    feed(bytes.first(size));
    bytes = bytes.subspan(size);
  }
}

}  // namespace kms::fuzz

// NOLINTBEGIN: the macro is what a fuzzer is declared by
#ifdef KMS_LIBFUZZER
#define KMS_FUZZER(name)                                                               \
  static void fuzz_##name(kms::ByteView input);                                        \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) { \
    fuzz_##name({bytes, size});                                                        \
    return 0;                                                                          \
  }                                                                                    \
  static void fuzz_##name(kms::ByteView input)
#else
#define KMS_FUZZER(name)                                                         \
  static void fuzz_##name(kms::ByteView input);                                  \
  static const kms::fuzz::Registration registration_##name(#name, &fuzz_##name); \
  static void fuzz_##name(kms::ByteView input)
#endif
// NOLINTEND
