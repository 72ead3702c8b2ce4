#include "tests/sim/program/run.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <ostream>
#include <thread>

#include "tests/sim/program/controls.h"
#include "tests/sim/program/crypto_memo.h"
#include "tests/sim/program/service.h"
#include "tests/sim/program/stage.h"

namespace kms::sim {

bool is_service(const Mode& mode, std::uint64_t seed) {
  if (!mode.control.empty()) {
    const auto* control = control_of(mode);
    return control != nullptr && is_of_delegations(control->attack);
  }
  if (mode.attack == "mixed" || mode.attack == "none") return seed % 5 == 2;
  return is_of_delegations(mode.attack);
}

namespace {

RunResult run_service(const Mode& mode, std::uint64_t seed, std::ostream* lines) {
  forget_crypto();
  Trace trace(lines, Trace::Form::deliveries);
  trace.name_with(delegation_name_of);
  const ServiceDraw draw = draw_service(mode, seed);
  Service service(draw, trace);
  if (lines != nullptr) *lines << "== " << service.title() << '\n';
  RunResult out;
  out.seed = seed;
  out.violation = service.run();
  out.is_undecided = service.is_undecided();
  out.stages = 1;
  if (!out.violation.empty()) out.story = service.story();
  out.events = service.events();
  out.acts = service.acts();
  out.digest = trace.digest();
  return out;
}

}  // namespace

RunResult run_once(const Mode& mode, std::uint64_t seed, std::ostream* lines) {
  if (is_service(mode, seed)) return run_service(mode, seed, lines);
  return run_draw(draw_run(mode, seed), lines, Trace::Form::deliveries);
}

RunResult run_draw(const Draw& draw, std::ostream* lines, Trace::Form form) {
  forget_crypto();
  Trace trace(lines, form);
  Chain chain(draw, trace);
  RunResult out;
  out.seed = draw.seed;
  for (std::uint32_t epoch = 0; epoch < draw.stages.size(); ++epoch) {
    Stage stage(chain, draw.stages[epoch], epoch);
    if (lines != nullptr) *lines << "== " << stage.title() << '\n';
    out.violation = stage.run();
    ++out.stages;
    out.has_crashed = out.has_crashed || stage.has_crashed();
    if (!out.violation.empty()) {
      out.is_undecided = stage.is_undecided();
      out.story = stage.story();
      break;
    }
    stage.hand_over();
  }
  out.events = chain.events;
  out.digest = trace.digest();
  return out;
}

Summary run_many(const Mode& mode, const Batch& batch) {
  Summary out;
  out.first_seed = batch.first_seed;
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(); };
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  const auto work = [&] {
    for (;;) {
      const auto number = next.fetch_add(1);
      if (number >= batch.runs || (batch.seconds_max > 0 && elapsed() > batch.seconds_max)) return;
      auto result = run_once(mode, batch.first_seed + number);
      const std::lock_guard lock(mutex);
      ++out.runs;
      out.events += result.events;
      out.acts += result.acts;
      if (result.violation.empty()) continue;
      ++(result.is_undecided ? out.undecided : out.violations);
      out.failures.push_back(std::move(result));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < batch.threads; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  std::sort(out.failures.begin(), out.failures.end(), [](const auto& a, const auto& b) { return a.seed < b.seed; });
  out.seconds = elapsed();
  return out;
}

}  // namespace kms::sim
