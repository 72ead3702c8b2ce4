#include "dkg/quorum.h"

#include <string>

namespace kms::dkg {

Result<Threshold> Threshold::make(std::uint32_t members, std::uint32_t needed) {
  bool solo = members == 1 && needed == 1;
  bool shared = needed >= 2 && needed <= members && members <= 128;
  if (!solo && !shared) {
    return error("a threshold of " + std::to_string(needed) + " of " + std::to_string(members) +
                 " members is not possible: 2 <= t <= n <= 128, or 1 of 1");
  }
  return Threshold(static_cast<std::uint16_t>(members), static_cast<std::uint16_t>(needed));
}

}  // namespace kms::dkg
