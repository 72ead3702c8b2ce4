// Randomness as an input: the node passes the operating system's, tests and the simulator a seeded one.
#pragma once

#include "base/bytes.h"

namespace kms {

class Entropy {
 public:
  virtual ~Entropy() = default;
  // Fills `out` with uniform bytes; does not fail (a broken generator stops the process).
  virtual void fill(MutableByteView out) = 0;

  template <std::size_t N>
  ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
};

}  // namespace kms
