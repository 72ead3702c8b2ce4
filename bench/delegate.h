// kms-bench delegate: what delegations cost a network of real nodes at saturation, beside what they cannot avoid.
#pragma once

#include <string>

#include "bench/output.h"

namespace kms::bench {

struct DelegateOptions {
  std::string solo, network;  // testnet.json of running ones; empty: one node, and five with threshold 3, are started
  std::size_t clients = 32;
  double seconds = 10;
  std::uint16_t base_port = 19000;
};
int delegate(const DelegateOptions& options, Output output);

struct ScaleOptions {
  std::size_t clients = 32;
  double seconds = 8;
  std::uint16_t base_port = 19000;
};
// kms-bench scale: processor time of a delegation summed over all nodes, for n = 5 to 20 and t = 3, and the time to
// verify and combine for t = 3 and 33.
int scale(const ScaleOptions& options, Output output);

}  // namespace kms::bench
