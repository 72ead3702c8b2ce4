// What a link is measured against: ChaCha20-Poly1305 frames as Noise makes them, over a blocking TCP socket, and
// nothing else. One process seals and sends, the other receives and opens.
#pragma once

#include <cstdint>

#include "bench/child.h"

namespace kms::bench {

// What one end of a transfer saw.
struct Transfer {
  std::uint64_t bytes = 0;
  double seconds = 0;                               // from the first byte received to the last
  double sender_seconds = 0, receiver_seconds = 0;  // of the processor
  double megabytes_per_second() const { return static_cast<double>(bytes) / 1e6 / seconds; }
};

// Forks the sender. `bytes` of plaintext, in frames as large as Noise allows.
Transfer measure_bare_link(std::uint64_t bytes);

}  // namespace kms::bench
