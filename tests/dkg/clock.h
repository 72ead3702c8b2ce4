// The clock of tests: what time it is some while after they began.
#pragma once

#include "base/time.h"

namespace kms::dkg::test {

inline Instant at(Duration since) {
  return Instant{} + since;
}
inline Now now_at(Duration since) {
  return {at(since), 1'700'000'000'000};
}

}  // namespace kms::dkg::test
