#include "tests/sim/program/exhaustive.h"

#include <atomic>
#include <iostream>
#include <mutex>
#include <numeric>
#include <thread>

namespace kms::sim {
namespace {

struct Case {
  std::string name;
  Draw draw;
};

// A member that crashes at a persist boundary of the key generation or of the reshare after it, and comes back or not.
struct Crash {
  std::size_t stage = 0;
  bool stays_down = false;
  std::string name() const {
    return std::string(stage == 0 ? "key generation" : "reshare") + (stays_down ? ", for ever" : "");
  }
};

Draw key_generation(std::uint16_t members, std::uint16_t threshold) {
  Draw out;
  out.seed = members * 100u + threshold;
  out.people = members;
  auto& stage = out.stages.emplace_back();
  stage.committee.resize(members);
  std::iota(stage.committee.begin(), stage.committee.end(), 0u);
  stage.threshold = threshold;
  return out;
}

// A member that cheats: in the key generation, or in the refresh after it where only that can be cheated in.
Case cheating(std::uint16_t members, std::uint16_t threshold, const Attack& attack, std::size_t person) {
  Draw draw = key_generation(members, threshold);
  if (attack.only == Attack::Only::reshare) draw.stages.push_back(draw.stages.front());
  auto& stage = draw.stages.back();
  stage.traitors.emplace(person, &attack);
  if (attack.fault == Attack::Fault::rollback) stage.rolled_back.insert(person);
  if (attack.fault == Attack::Fault::clock) stage.clocks[person] = {100'000, 0};
  return {std::to_string(threshold) + " of " + std::to_string(members) + ", person " + std::to_string(person) + ' ' +
              std::string(attack.name),
          std::move(draw)};
}

struct Tally {
  std::uint64_t cases = 0;
  std::uint64_t failures = 0;
};

class Runner {
 public:
  explicit Runner(std::size_t threads) : threads_(threads) {}

  void run(const std::vector<Case>& cases, Tally& tally) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (auto at = next.fetch_add(1); at < cases.size(); at = next.fetch_add(1)) one(cases[at], tally);
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < threads_; ++i) threads.emplace_back(work);
    work();
    for (auto& thread : threads) thread.join();
  }
  // All persist boundaries, until one comes that a run does not have.
  void run(const Crash& crash, std::uint16_t members, std::uint16_t threshold, Tally& tally) {
    for (std::uint64_t boundary = 0;; ++boundary) {
      Case it{std::to_string(threshold) + " of " + std::to_string(members) + ", crash at boundary " +
                  std::to_string(boundary) + " of a " + crash.name(),
              key_generation(members, threshold)};
      while (it.draw.stages.size() <= crash.stage) it.draw.stages.push_back(it.draw.stages.front());
      it.draw.stages.back().crash = Schedule::Crash{boundary, crash.stays_down};
      if (!one(it, tally)) return;
    }
  }
  // Whether the run had as many persist boundaries as the crash wants.
  bool one(const Case& it, Tally& tally) {
    const auto result = run_draw(it.draw, nullptr, Trace::Form::deliveries);
    const std::lock_guard lock(mutex_);
    ++tally.cases;
    if (!result.violation.empty()) {
      ++tally.failures;
      std::cout << it.name << ": " << result.violation << '\n' << result.story << std::endl;
    }
    return result.has_crashed;
  }

 private:
  std::size_t threads_;
  std::mutex mutex_;
};

}  // namespace

bool run_exhaustive(const Mode& mode, std::size_t threads) {
  Runner runner(threads);
  bool is_good = true;
  for (std::uint16_t members = mode.members_min; members <= mode.members_max; ++members) {
    Tally cheats, crashes;
    std::vector<Case> cases;
    for (std::uint16_t threshold = 2; threshold <= members; ++threshold) {
      const auto sizes = dkg::Threshold::make(members, threshold);
      if (!sizes) continue;
      for (const auto& attack : attacks()) {
        for (std::size_t person = 0; sizes->f() > 0 && person < members; ++person) {
          if (!attack.is_open) cases.push_back(cheating(members, threshold, attack, person));
        }
      }
      for (const Crash& crash : {Crash{0, false}, Crash{0, true}, Crash{1, false}, Crash{1, true}}) {
        if (crash.stays_down && sizes->f() == 0) continue;
        runner.run(crash, members, threshold, crashes);
      }
    }
    runner.run(cases, cheats);
    std::cout << members << " members: " << cheats.cases << " cases of one that cheats, " << crashes.cases
              << " of a crash at a persist boundary, " << cheats.failures + crashes.failures << " failures"
              << std::endl;
    is_good = is_good && cheats.failures + crashes.failures == 0;
  }
  return is_good;
}

}  // namespace kms::sim
