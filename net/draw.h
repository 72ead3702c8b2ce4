// Uniform choices from an Entropy, the same on every machine for the same bytes.
#pragma once

#include <utility>
#include <vector>

#include "base/entropy.h"

namespace kms::net {

// Below `bound`, which is far below 2^64: nearly uniform. `bound` is not zero.
inline std::size_t draw_below(Entropy& entropy, std::size_t bound) {
  std::uint64_t value = 0;
  for (std::uint8_t byte : entropy.array<8>()) value = value << 8 | byte;
  return static_cast<std::size_t>(value % bound);
}

// Puts `count` random elements first, in random order; all if there are fewer.
template <class T>
void shuffle_first(Entropy& entropy, std::vector<T>& all, std::size_t count) {
  for (std::size_t i = 0; i < count && i + 1 < all.size(); ++i) {
    std::swap(all[i], all[i + draw_below(entropy, all.size() - i)]);
  }
}
template <class T>
void shuffle(Entropy& entropy, std::vector<T>& all) {
  shuffle_first(entropy, all, all.size());
}

// `count` random elements, or all.
template <class T>
std::vector<T> sample(Entropy& entropy, std::vector<T> all, std::size_t count) {
  shuffle_first(entropy, all, count);
  if (all.size() > count) all.erase(all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
  return all;
}

}  // namespace kms::net
