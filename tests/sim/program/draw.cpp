#include "tests/sim/program/draw.h"

#include "base/assert.h"
#include "tests/sim/program/controls.h"

namespace kms::sim {
namespace {

// Per mille: the fastest makes a run long.
constexpr std::int64_t kSkews[] = {10, 200, 10'000, 100'000};

using People = std::vector<std::size_t>;

std::size_t take(People& from, Random& random) {
  const auto at = static_cast<std::ptrdiff_t>(random.below(from.size()));
  const auto taken = from[static_cast<std::size_t>(at)];
  from.erase(from.begin() + at);
  return taken;
}

bool has(const People& people, std::size_t person) {
  return std::find(people.begin(), people.end(), person) != people.end();
}

// How many more of a committee may fail.
struct Budget {
  const People* committee;
  std::size_t left;
};

// A person who counts against every committee that it is in; false if one of them has no room.
bool charge(std::vector<Budget>& budgets, std::size_t person) {
  for (const auto& budget : budgets) {
    if (has(*budget.committee, person) && budget.left == 0) return false;
  }
  for (auto& budget : budgets) {
    if (has(*budget.committee, person)) --budget.left;
  }
  return true;
}

Weather draw_weather(Random& random) {
  Weather storm;
  storm.latency_max = std::chrono::milliseconds(60 + random.below(1500));
  storm.loss_per_mille = 50 * random.below(6);
  storm.repeat_per_mille = 100 * random.below(3);
  storm.straggle_per_mille = 100 * random.below(2);
  storm.crash_per_mille = 8 * random.below(4);
  storm.is_split = random.below(3) == 0;
  return storm;
}

class Drawer {
 public:
  Drawer(const Mode& mode, std::uint64_t seed)
      : mode_(mode), random_(seed ^ 0x64726177ULL), control_(control_of(mode)) {
    draw_.seed = seed;
  }

  Draw draw() {
    draw_.keys = random_.below(5) == 0 ? 2 : 1;
    const auto size = draw_size();
    auto& first = draw_.stages.emplace_back();
    for (std::size_t i = 0; i < size; ++i) first.committee.push_back(draw_.people++);
    first.threshold = draw_threshold(size);
    draw_faults(draw_.stages.back(), nullptr);
    const std::size_t more = is_beyond() ? 0 : 1 + random_.below(4) / 3;
    for (std::size_t i = 0; i < more; ++i) add_stage();
    return std::move(draw_);
  }

 private:
  bool is_beyond() const { return control_ != nullptr && control_->overdraw != nullptr; }
  // Small committees more often: they are cheap, and have the narrowest margins.
  std::size_t draw_size() {
    const std::uint64_t spread = mode_.members_max - mode_.members_min + 1U;
    return mode_.members_min + std::min(random_.below(spread), random_.below(spread));
  }
  std::uint16_t draw_threshold(std::size_t size) {
    const auto majority = static_cast<std::uint16_t>(size / 2 + 1);
    if (random_.below(2) == 0) return std::max<std::uint16_t>(2, static_cast<std::uint16_t>((size - 1) / 3 + 1));
    return random_.below(4) == 0 ? static_cast<std::uint16_t>(2 + random_.below(size - 1)) : majority;
  }

  void add_stage() {
    const auto& before = draw_.stages.back();
    StageDraw stage;
    if (random_.below(2) == 0) {
      stage.committee = before.committee;
      stage.threshold = before.threshold;
      stage.is_by_clock = random_.below(2) == 0;
    } else {
      auto old = before.committee;
      const auto size = draw_size();
      const auto shared = std::min<std::size_t>({random_.below(old.size() + 1), size, old.size()});
      for (std::size_t i = 0; i < shared; ++i) stage.committee.push_back(take(old, random_));
      while (stage.committee.size() < size) stage.committee.push_back(draw_.people++);
      stage.threshold = draw_threshold(size);
    }
    draw_faults(stage, &before);
    draw_.stages.push_back(std::move(stage));
  }

  // Who is corrupted while holding shares of two epochs counts in both (PROTOCOL.md 2).
  bool may_betray(const StageDraw& stage, const StageDraw* before, std::size_t person) const {
    if (before == nullptr || !has(before->committee, person)) return true;
    auto knowing = before->traitors.size();
    for (const auto& [other, attack] : stage.traitors) {
      if (has(before->committee, other) && !before->traitors.contains(other)) ++knowing;
    }
    return before->traitors.contains(person) || knowing + 1 <= before->threshold - 1U;
  }

  void draw_faults(StageDraw& stage, const StageDraw* before) {
    const auto sizes =
        dkg::Threshold::make(static_cast<std::uint32_t>(stage.committee.size()), stage.threshold).value();
    // Secrecy wants b <= t - 1, which a low threshold makes less than f (PROTOCOL.md 2).
    std::vector<Budget> budgets{{&stage.committee, std::min<std::size_t>(sizes.f(), sizes.t() - 1U)}};
    People everybody = stage.committee;
    if (before != nullptr) {
      const auto old =
          dkg::Threshold::make(static_cast<std::uint32_t>(before->committee.size()), before->threshold).value();
      budgets.push_back({&before->committee, std::min<std::size_t>(old.f(), old.t() - 1U)});
      for (const auto person : before->committee) {
        if (!has(everybody, person)) everybody.push_back(person);
      }
    }
    if (is_beyond()) return control_->overdraw(stage, random_);
    draw_traitors(stage, before, budgets, everybody);
    draw_others(stage, budgets, everybody);
    if (random_.below(3) != 0) {
      stage.storm = draw_weather(random_);
      stage.calm_from = std::chrono::seconds(5 + random_.below(25));
    }
    stage.relays_whispers = random_.below(4) != 0;
    stage.loses_notarized = random_.below(8) == 0;
    if (random_.below(6) == 0) {
      stage.absence = Schedule::Absence{stage.committee[random_.below(stage.committee.size())],
                                        std::chrono::seconds(random_.below(20)), 30s};
      stage.calm_from = std::max(stage.calm_from, stage.absence->until);
    }
  }

  const Attack& draw_attack() {
    const auto is_drawn = [](const Attack& attack) { return !attack.is_alone; };
    const auto drawn = static_cast<std::uint64_t>(std::count_if(attacks().begin(), attacks().end(), is_drawn));
    for (;;) {
      const auto& attack = attacks()[random_.below(drawn)];
      if (!attack.is_open) return attack;
    }
  }

  void draw_traitors(StageDraw& stage, const StageDraw* before, std::vector<Budget>& budgets, const People& everybody) {
    if (mode_.attack == "none") return;
    auto people = everybody;
    // Most runs have as many as may be.
    const auto wanted = random_.below(4) == 0 ? random_.below(everybody.size()) : everybody.size();
    for (std::size_t i = 0; i < wanted && !people.empty(); ++i) {
      const auto person = take(people, random_);
      if (!may_betray(stage, before, person)) continue;
      const auto* attack = mode_.attack == "mixed" ? &draw_attack() : find_attack(mode_.attack);
      KMS_ASSERT(attack != nullptr);
      if (attack->only == Attack::Only::reshare && before == nullptr) continue;
      if (!charge(budgets, person)) continue;
      stage.traitors.emplace(person, attack);
      if (attack->fault == Attack::Fault::rollback) stage.rolled_back.insert(person);
      if (attack->fault == Attack::Fault::clock) {
        stage.clocks[person] = {kSkews[random_.below(4)],
                                static_cast<std::int64_t>(random_.below(1000)) * 86'400'000 - 500ll * 86'400'000};
      }
    }
  }

  void draw_others(StageDraw& stage, std::vector<Budget>& budgets, const People& everybody) {
    for (const auto person : everybody) {
      const bool is_traitor = stage.traitors.contains(person);
      if (!is_traitor && random_.below(12) == 0 && charge(budgets, person)) {
        stage.late[person] = std::chrono::seconds(1 + random_.below(120));
      }
      // Honest clocks drift, and calendars differ by a minute.
      if (!is_traitor && random_.below(8) == 0) {
        stage.clocks[person] = {static_cast<std::int64_t>(900 + random_.below(200)),
                                static_cast<std::int64_t>(random_.below(120'000)) - 60'000};
      }
    }
  }

  const Mode& mode_;
  Random random_;
  const Control* control_;
  Draw draw_;
};

}  // namespace

bool StageDraw::is_fair() const {
  return storm.loss_per_mille == 0 && storm.crash_per_mille == 0 && !storm.is_split && storm.latency_max <= 60ms &&
         storm.straggle_per_mille == 0 && !loses_notarized && !absence && !crash && rolled_back.empty() &&
         relays_whispers;
}

Draw draw_run(const Mode& mode, std::uint64_t seed) {
  return Drawer(mode, seed).draw();
}

}  // namespace kms::sim
