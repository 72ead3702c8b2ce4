// What must hold after every run of ceremonies. Each returns what is wrong in words, or an empty string. Only here,
// inside a test process, shares are ever put together.
#pragma once

#include "tests/sim/ceremony_machine.h"

namespace kms::sim {

// All finishers: same T, root and S; s_i G = table; any t shares give the discrete logarithm of S; any t - 1 fit every
// key.
std::string check_key(const dkg::Plan& plan, const std::vector<const dkg::Ceremony*>& finishers);

// No two different signed values for one field of PROTOCOL.md 4.9 from one member, over all its restarts.
class FieldChecker {
 public:
  void see(std::size_t member, const Bytes& message);
  const std::string& verdict() const { return verdict_; }

 private:
  void note(std::size_t member, const std::string& field, const Bytes& value);
  std::map<std::pair<std::size_t, std::string>, Bytes> fields_;
  std::string verdict_;
};

}  // namespace kms::sim
