#include "tests/sim/program/scenario.h"

#include <fstream>
#include <iostream>
#include <numeric>
#include <sstream>

#include "base/assert.h"
#include "tests/sim/program/run.h"

namespace kms::sim {
namespace {

// A run in the making: a key generation, then what follows it.
class Plot {
 public:
  Plot(std::size_t members, std::uint16_t threshold) {
    draw_.seed = 1;
    next(0, members, threshold);
  }
  // The epoch after: people `first` to `first + members - 1` (from 0), of whom some may be in the epoch before.
  Plot& next(std::size_t first, std::size_t members, std::uint16_t threshold) {
    auto& stage = draw_.stages.emplace_back();
    stage.committee.resize(members);
    std::iota(stage.committee.begin(), stage.committee.end(), first);
    stage.threshold = threshold;
    draw_.people = std::max(draw_.people, first + members);
    return *this;
  }
  Plot& refresh() {
    const auto before = draw_.stages.back();
    next(before.committee.front(), before.committee.size(), before.threshold);
    return *this;
  }
  Plot& by_clock() {
    return change([](StageDraw& stage) { stage.is_by_clock = true; });
  }
  Plot& traitor(std::size_t person, std::string_view attack) {
    const auto* found = find_attack(attack);
    KMS_ASSERT(found != nullptr);
    return change([&](StageDraw& stage) {
      stage.traitors.emplace(person, found);
      if (found->fault == Attack::Fault::rollback) stage.rolled_back.insert(person);
    });
  }
  Plot& import() {
    return change([](StageDraw& stage) { stage.is_import = true; });
  }
  Plot& late(std::size_t person, Duration start) {
    return change([&](StageDraw& stage) { stage.late[person] = start; });
  }
  Plot& storm(Weather weather, Duration until) {
    return change([&](StageDraw& stage) {
      stage.storm = weather;
      stage.calm_from = until;
    });
  }
  Plot& cut_off(std::size_t person, Duration from, Duration until) {
    return change([&](StageDraw& stage) {
      stage.absence = Schedule::Absence{person, from, until};
      stage.calm_from = until;
    });
  }
  Plot& power_cut() {
    return change([](StageDraw& stage) { stage.loses_notarized = true; });
  }
  Plot& keys(std::size_t count) {
    draw_.keys = count;
    return *this;
  }
  // Another choice of everything that is left to chance.
  Plot& seed(std::uint64_t seed) {
    draw_.seed = seed;
    return *this;
  }
  Draw end() const { return draw_; }

 private:
  template <class Change>
  Plot& change(const Change& change) {
    change(draw_.stages.back());
    return *this;
  }
  Draw draw_;
};

Weather lossy() {
  Weather weather;
  weather.loss_per_mille = 200;
  return weather;
}
Weather crashing() {
  Weather weather;
  weather.crash_per_mille = 80;
  return weather;
}
Weather split() {
  Weather weather;
  weather.is_split = true;
  return weather;
}

std::vector<Scenario> write_scenarios() {
  return {
      {"key-generation", "four members make a key that two of them can use: the shortest way through",
       Plot(4, 2).end()},
      {"two-keys", "one ceremony makes the keys of two chains", Plot(4, 2).keys(2).end()},
      {"late-member", "one of five comes a minute late: it is left out, follows by public data and is given its share",
       Plot(5, 3).late(4, 60s).end()},
      {"wrong-share", "a wrong share is proven by its receiver, and its dealer convicted",
       Plot(4, 2).traitor(3, "wrong-share").end()},
      {"false-complaint", "complaints without ground convict whoever makes them",
       Plot(4, 2).traitor(1, "false-complaint").end()},
      {"double-deal", "two Deals under one header are evidence by themselves",
       Plot(4, 2).traitor(2, "double-deal").end()},
      {"hidden-deal", "a Deal that few were shown is fetched from those who have it",
       Plot(4, 2).traitor(0, "partial-publish").end()},
      {"silent-leader", "a leader that says nothing is passed over by nullifying its view",
       Plot(4, 2).traitor(0, "silent-leader").end()},
      {"split-leader", "a leader with two proposals gets neither decided, and is convicted",
       Plot(4, 2).traitor(0, "split-leader").end()},
      {"double-vote", "two votes for one view are evidence", Plot(4, 2).traitor(3, "double-vote").end()},
      {"wrong-public-share", "an ACTIVE that does not fit its sender's share is refuted",
       Plot(4, 2).traitor(2, "bad-active").end()},
      {"power-cut", "everybody restarts at the first notarization, and goes on with what was stored",
       Plot(4, 2).power_cut().end()},
      {"crashes", "members crash before and after writes, for ten seconds",
       Plot(4, 2).storm(crashing(), 10s).seed(3).end()},
      {"old-disk", "a member comes back with an old image of its disk: it says nothing it may have said otherwise",
       Plot(4, 2).traitor(1, "disk-rollback").seed(5).end()},
      {"lossy-network", "a fifth of all messages is lost, for ten seconds", Plot(4, 2).storm(lossy(), 10s).end()},
      {"partition", "halves that change every four seconds: nothing is decided twice",
       Plot(4, 2).storm(split(), 12s).end()},
      {"cut-off", "one member hears nothing for half a minute and catches up", Plot(4, 2).cut_off(2, 0s, 30s).end()},
      {"refresh", "new shares of the same key, by the clock", Plot(4, 2).refresh().by_clock().end()},
      {"growth", "from 2 of 4 to 3 of 7, approved by operators", Plot(4, 2).next(0, 7, 3).end()},
      {"handover", "a committee hands its key to strangers", Plot(4, 2).next(4, 4, 2).end()},
      {"import", "the key of a single node becomes that of 2 of 3, then of 3 of 5 without the node that had it",
       Plot(1, 1).import().next(0, 3, 2).next(1, 5, 3).end()},
      {"import-forge", "a member shows a key of its own as one that was imported: nobody takes it",
       Plot(4, 2).traitor(1, "import-forge").end()},
      {"wrong-constant", "a dealer reshares something else than its share",
       Plot(4, 2).refresh().traitor(0, "wrong-constant").end()},
      {"bad-repair", "a member that missed the ceremony is repaired by givers of whom one cheats",
       Plot(7, 3).late(6, 60s).traitor(1, "bad-repair").end()},
  };
}

std::string text_of(const Scenario& scenario, bool& is_clean) {
  std::ostringstream out;
  is_clean = tell(scenario, out);
  return out.str();
}

// The first line in which two texts differ.
std::string difference(const std::string& kept, const std::string& told) {
  std::istringstream one(kept), other(told);
  for (std::size_t number = 1;; ++number) {
    std::string left, right;
    const bool has_left = static_cast<bool>(std::getline(one, left));
    const bool has_right = static_cast<bool>(std::getline(other, right));
    if (!has_left && !has_right) return {};
    if (left == right && has_left == has_right) continue;
    return "line " + std::to_string(number) + "\n  kept: " + (has_left ? left : "(the end)") +
           "\n  told: " + (has_right ? right : "(the end)");
  }
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = write_scenarios();
  return all;
}

const Scenario* find_scenario(std::string_view name) {
  const auto found =
      std::find_if(scenarios().begin(), scenarios().end(), [&](const Scenario& each) { return each.name == name; });
  return found == scenarios().end() ? nullptr : &*found;
}

bool tell(const Scenario& scenario, std::ostream& out) {
  out << "# " << scenario.name << ": " << scenario.what << "\n# kms-sim --scenario " << scenario.name << '\n';
  const auto result = run_draw(scenario.draw, &out, Trace::Form::sayings);
  out << (result.violation.empty() ? "== all invariants held\n" : "== violated: " + result.violation + '\n');
  return result.violation.empty();
}

bool check_golden(const std::string& folder, Golden golden) {
  bool is_good = true;
  for (const auto& scenario : scenarios()) {
    const auto path = folder + '/' + scenario.name + ".txt";
    bool is_clean = false;
    const auto told = text_of(scenario, is_clean);
    if (!is_clean) std::cout << scenario.name << ": violated\n";
    is_good = is_good && is_clean;
    if (golden == Golden::rewrite) {
      std::ofstream(path, std::ios::binary) << told;
      continue;
    }
    std::ifstream in(path, std::ios::binary);
    const std::string kept(std::istreambuf_iterator<char>(in), {});
    if (const auto line = difference(kept, told); !line.empty()) {
      std::cout << scenario.name << ": " << path << " differs, " << line << '\n';
      is_good = false;
    }
  }
  std::cout << scenarios().size() << " scenarios: "
            << (golden == Golden::rewrite ? "written to " + folder
                : is_good                 ? "as they were"
                          : "they tell another story; if it is meant, accept it with --rewrite and look at the diff")
            << '\n';
  return is_good;
}

}  // namespace kms::sim
