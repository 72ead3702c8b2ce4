// First inputs of the fuzzers, made by our own encoders.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace kms::fuzz {

struct Seed {
  std::string fuzzer;
  std::string name;  // of the file
  Bytes bytes;
};
std::vector<Seed> make_seeds();
void add_net_seeds(std::vector<Seed>& to);

}  // namespace kms::fuzz
