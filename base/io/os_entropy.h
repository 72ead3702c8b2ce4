// The operating system's generator.
#pragma once

#include "base/entropy.h"

namespace kms::io {

// getrandom(2), without a buffer of its own: a fork or a snapshot repeats nothing.
class OsEntropy final : public Entropy {
 public:
  void fill(MutableByteView out) override;
};

}  // namespace kms::io
