// Times calls: the fastest of several rounds, each long enough for the clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace kms::bench {

class Stopwatch {
 public:
  struct Reading {
    std::string name;
    double microseconds = 0;  // of one call
  };

  // Runs `call` for about `kRounds` times `kRoundMs`.
  template <class Call>
  void time(std::string name, Call call) {
    using Clock = std::chrono::steady_clock;
    auto run = [&](std::size_t calls) {
      auto began = Clock::now();
      for (std::size_t i = 0; i < calls; ++i) call();
      return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
    };
    double once = std::max(run(1), 0.05);
    auto calls = static_cast<std::size_t>(std::max(1.0, kRoundMs * 1000 / once));
    double best = once;
    int rounds = once > kRoundMs * 5000 ? 1 : kRounds;
    for (int round = 0; round < rounds; ++round) best = std::min(best, run(calls) / static_cast<double>(calls));
    readings_.push_back({std::move(name), best});
  }
  void add(std::string name, double microseconds) { readings_.push_back({std::move(name), microseconds}); }
  const std::vector<Reading>& readings() const { return readings_; }

 private:
  static constexpr double kRoundMs = 20;
  static constexpr int kRounds = 5;
  std::vector<Reading> readings_;
};

// Keeps the compiler from dropping a result that nobody reads.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(&value) : "memory");
}

}  // namespace kms::bench
