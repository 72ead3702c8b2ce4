// The simulator's own generator (SplitMix64): the same numbers on every machine and standard library.
#pragma once

#include <cstdint>

#include "base/entropy.h"

namespace kms::sim {

class Random final : public Entropy {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Below `bound`, which is not zero; the tiny bias does not matter here.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  // True with probability `per_mille` / 1000.
  bool chance(std::uint64_t per_mille) { return below(1000) < per_mille; }
  // An independent stream, so that one part's draws do not shift another's.
  Random fork() { return Random(next()); }
  void fill(MutableByteView out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(next() >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace kms::sim
