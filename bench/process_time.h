// Processor time of other processes, for benchmarks that load them.
#pragma once

#include <vector>

#include "base/result.h"

namespace kms::bench {

// User and system seconds so far of a living process, to the kernel's tick (usually 10 ms). Linux only.
Result<double> processor_seconds_of(int pid);

// What several processes used between two calls of `measure`. A process that is gone or was replaced counts nothing.
class ProcessTimes {
 public:
  explicit ProcessTimes(std::vector<int> pids) : pids_(std::move(pids)), used_(pids_.size(), 0) {}
  void begin();
  void end();
  const std::vector<int>& pids() const { return pids_; }
  const std::vector<double>& used() const { return used_; }  // seconds, in the order of `pids`
  double total() const;

 private:
  std::vector<double> read() const;
  std::vector<int> pids_;
  std::vector<double> began_, used_;
};

}  // namespace kms::bench
