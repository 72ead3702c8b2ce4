// One filled body of every ceremony message, and several of those with more than one shape.
#pragma once

#include <functional>

#include "dkg/envelope.h"

namespace kms::dkg::test {

struct Sample {
  std::string message;  // its name in proto/kms.proto
  std::string shape;    // empty, or what is special
  Bytes body;
  // Parses another body of this message and writes it again; nothing if it is refused.
  std::function<std::optional<Bytes>(ByteView)> again;
};
const std::vector<Sample>& samples();

}  // namespace kms::dkg::test
