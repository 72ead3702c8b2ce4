// kms-sim: ceremonies and delegations over virtual time, hostile by seed (docs/SIMULATOR.md).
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>

#include "tests/sim/program/controls.h"
#include "tests/sim/program/cost.h"
#include "tests/sim/program/exhaustive.h"
#include "tests/sim/program/run.h"
#include "tests/sim/program/scenario.h"

namespace kms::sim {
namespace {

constexpr const char* kUsage =
    R"(kms-sim: runs ceremonies and delegations of the real machines over virtual time, with traitors, faults and weather
drawn from a seed.

  --runs N            how many runs (1); seeds are S, S + 1, ..
  --seed S            the first seed (fresh)
  --attack NAME       what traitors do: a name of --list-attacks, "mixed" (each draws its own; the default), "none",
                      or "all": --runs runs of every attack alone
  --members A..B      sizes of committees (4..16)
  --threads N         worlds at once (2)
  --for SECONDS       begin no run after that
  --trace             print what happens, message by message (one thread)
  --digest            print each run's digest: equal runs have equal ones
  --json              print one JSON object
  --break NAME        a negative control of --list-breaks: ends with 0 if the checkers fire
  --replay FILE       the runs that are listed there, one a line: SEED ATTACK A..B
  --scenario NAME     tell one of --list-scenarios: a run that is written down, each message once
  --exhaustive        every threshold of committees of --members (2..4), each member cheating in each way, and a crash
                      at each persist boundary
  --cost N,T          what a DKG and a reshare of N members with threshold T cost; may be given several times
  --golden FOLDER     compare all scenarios with FOLDER/NAME.txt; with --rewrite, write them there
  --list-attacks, --list-breaks, --list-scenarios, --help

Ends with 0 if nothing was violated and all runs ended, with 1 otherwise, with 2 if it was called wrongly.
)";

struct Options {
  Mode mode;
  Batch batch;
  bool is_traced = false;
  bool shows_digests = false;
  bool is_json = false;
  bool is_exhaustive = false;
  bool has_members = false;
  std::vector<CostQuestion> costs;
  std::string replay;
  std::string scenario;
  std::string golden;
  Golden how = Golden::compare;
};

[[noreturn]] void refuse(const std::string& why) {
  std::cerr << "kms-sim: " << why << "; see --help\n";
  std::exit(2);
}

std::uint64_t number(const std::string& text, const std::string& option) {
  std::uint64_t out = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (fault != std::errc{} || end != text.data() + text.size()) refuse(option + " wants a number, not '" + text + "'");
  return out;
}

void take_members(Mode& mode, const std::string& text) {
  const auto dots = text.find("..");
  const auto low = number(text.substr(0, dots), "--members");
  const auto high = dots == std::string::npos ? low : number(text.substr(dots + 2), "--members");
  if (low < 2 || high < low || high > 64) refuse("--members wants A..B with 2 <= A <= B <= 64");
  mode.members_min = static_cast<std::uint16_t>(low);
  mode.members_max = static_cast<std::uint16_t>(high);
}

CostQuestion cost_question(const std::string& text) {
  const auto comma = text.find(',');
  if (comma == std::string::npos) refuse("--cost wants N,T, such as 7,4");
  const auto members = number(text.substr(0, comma), "--cost");
  const auto threshold = number(text.substr(comma + 1), "--cost");
  if (members > 128 || threshold > members || threshold < 2) refuse("--cost wants N,T with 2 <= T <= N <= 128");
  return {static_cast<std::uint16_t>(members), static_cast<std::uint16_t>(threshold)};
}

int run_costs(const std::vector<CostQuestion>& questions) {
  print_cost_head();
  bool is_good = true;
  for (const auto& question : questions) is_good = print_cost(question) && is_good;
  return is_good ? 0 : 1;
}

void list_attacks() {
  for (const auto* list : {&attacks(), &delegation_attacks()}) {
    for (const auto& attack : *list) {
      std::cout << attack.name << '\t' << name_of(attack.evidence) << '\t' << attack.what
                << (attack.is_open ? " (not always withstood yet)" : "") << '\n';
    }
  }
}

void list_controls() {
  for (const auto& control : controls()) std::cout << control.name << '\t' << control.what << '\n';
}

void list_scenarios() {
  for (const auto& scenario : scenarios()) std::cout << scenario.name << '\t' << scenario.what << '\n';
}

void check_attack(const std::string& name) {
  if (name == "mixed" || name == "none" || name == "all" || find_attack(name) != nullptr) return;
  refuse("there is no attack '" + name + "'");
}

Options parse(const std::vector<std::string>& words) {
  Options out;
  out.batch.threads = 2;
  out.batch.first_seed = std::uint64_t{std::random_device{}()} % 1'000'000'000;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto& word = words[at];
    const auto value = [&]() -> const std::string& {
      if (at + 1 >= words.size()) refuse(word + " wants a value");
      return words[++at];
    };
    if (word == "--runs") {
      out.batch.runs = number(value(), word);
    } else if (word == "--seed") {
      out.batch.first_seed = number(value(), word);
    } else if (word == "--threads") {
      out.batch.threads = std::max<std::uint64_t>(1, number(value(), word));
    } else if (word == "--for") {
      out.batch.seconds_max = static_cast<double>(number(value(), word));
    } else if (word == "--attack") {
      out.mode.attack = value();
      check_attack(out.mode.attack);
    } else if (word == "--members") {
      take_members(out.mode, value());
      out.has_members = true;
    } else if (word == "--exhaustive") {
      out.is_exhaustive = true;
    } else if (word == "--cost") {
      out.costs.push_back(cost_question(value()));
    } else if (word == "--break") {
      out.mode.control = value();
      const auto* control = control_of(out.mode);
      if (control == nullptr) refuse("there is no control '" + out.mode.control + "' in this program");
      out.mode.attack = control->attack;
      take_out(*control);
    } else if (word == "--replay") {
      out.replay = value();
    } else if (word == "--scenario") {
      out.scenario = value();
      if (find_scenario(out.scenario) == nullptr) refuse("there is no scenario '" + out.scenario + "'");
    } else if (word == "--golden") {
      out.golden = value();
    } else if (word == "--rewrite") {
      out.how = Golden::rewrite;
    } else if (word == "--trace") {
      out.is_traced = true;
    } else if (word == "--digest") {
      out.shows_digests = true;
    } else if (word == "--json") {
      out.is_json = true;
    } else {
      refuse("unknown option '" + word + "'");
    }
  }
  if (out.is_exhaustive && !out.has_members) take_members(out.mode, "2..4");
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string command_of(const Mode& mode, std::uint64_t seed) {
  return "kms-sim --seed " + std::to_string(seed) + " --attack " + mode.attack + " --members " +
         std::to_string(mode.members_min) + ".." + std::to_string(mode.members_max);
}

void print(const Options& options, const Summary& summary) {
  if (options.is_json) {
    std::printf(
        "{\"runs\":%llu,\"events\":%llu,\"violations\":%llu,\"undecided\":%llu,\"seconds\":%.1f,\"firstSeed\":%llu,"
        "\"acts\":%llu,\"attack\":\"%s\",\"failures\":[",
        static_cast<unsigned long long>(summary.runs), static_cast<unsigned long long>(summary.events),
        static_cast<unsigned long long>(summary.violations), static_cast<unsigned long long>(summary.undecided),
        summary.seconds, static_cast<unsigned long long>(summary.first_seed),
        static_cast<unsigned long long>(summary.acts), options.mode.attack.c_str());
    const char* comma = "";
    for (const auto& failure : summary.failures) {
      std::printf("%s{\"seed\":%llu,\"what\":\"%s\"}", comma, static_cast<unsigned long long>(failure.seed),
                  escaped(failure.violation).c_str());
      comma = ",";
    }
    std::printf("]}\n");
  } else {
    for (const auto& failure : summary.failures) {
      std::printf("seed %llu: %s\n%s\n  again: %s\n", static_cast<unsigned long long>(failure.seed),
                  failure.violation.c_str(), failure.story.c_str(), command_of(options.mode, failure.seed).c_str());
    }
    std::printf("%s: %llu runs from seed %llu, %llu events, %llu violations, %llu undecided, %.1f s\n",
                options.mode.attack.c_str(), static_cast<unsigned long long>(summary.runs),
                static_cast<unsigned long long>(summary.first_seed), static_cast<unsigned long long>(summary.events),
                static_cast<unsigned long long>(summary.violations), static_cast<unsigned long long>(summary.undecided),
                summary.seconds);
  }
  std::fflush(stdout);
}

// With a control, what is wanted is the opposite.
bool is_good(const Options& options, const Summary& summary) {
  if (!options.mode.control.empty()) return summary.violations + summary.undecided > 0;
  return summary.violations + summary.undecided == 0;
}

int run_alone(const Options& options) {
  bool is_clean = true;
  for (std::uint64_t i = 0; i < options.batch.runs; ++i) {
    const auto seed = options.batch.first_seed + i;
    const auto result = run_once(options.mode, seed, options.is_traced ? &std::cout : nullptr);
    std::printf("seed %llu digest %016llx events %llu %s\n", static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(result.digest), static_cast<unsigned long long>(result.events),
                result.violation.empty() ? "ok" : result.violation.c_str());
    if (!result.story.empty()) std::printf("%s\n", result.story.c_str());
    std::fflush(stdout);
    is_clean = is_clean && result.violation.empty();
  }
  return is_clean ? 0 : 1;
}

// An attack on delegations that never did anything shows nothing.
bool is_idle(const Attack& attack, const Summary& summary) {
  return attack.trick != nullptr && summary.runs >= 3 && summary.acts == 0;
}

int run_all_attacks(Options options) {
  bool is_clean = true;
  for (const auto* list : {&attacks(), &delegation_attacks()}) {
    for (const auto& attack : *list) {
      if (attack.is_open) continue;
      options.mode.attack = attack.name;
      const auto summary = run_many(options.mode, options.batch);
      print(options, summary);
      if (is_idle(attack, summary)) std::printf("%s: never did anything\n", options.mode.attack.c_str());
      is_clean = is_clean && is_good(options, summary) && !is_idle(attack, summary);
    }
  }
  return is_clean ? 0 : 1;
}

int replay(Options options) {
  std::ifstream in(options.replay);
  if (!in) refuse("cannot read " + options.replay);
  bool is_clean = true;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string seed, attack, members;
    if (!(words >> seed >> attack >> members)) refuse("a line is not SEED ATTACK A..B: " + line);
    options.mode.attack = attack;
    check_attack(attack);
    take_members(options.mode, members);
    options.batch = {1, number(seed, "a seed"), 1, 0};
    const auto summary = run_many(options.mode, options.batch);
    print(options, summary);
    is_clean = is_clean && is_good(options, summary);
  }
  return is_clean ? 0 : 1;
}

int run(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word == "--help") return std::cout << kUsage, 0;
    if (word == "--list-attacks") return list_attacks(), 0;
    if (word == "--list-breaks") return list_controls(), 0;
    if (word == "--list-scenarios") return list_scenarios(), 0;
  }
  const auto options = parse(words);
  if (!options.scenario.empty()) return tell(*find_scenario(options.scenario), std::cout) ? 0 : 1;
  if (!options.costs.empty()) return run_costs(options.costs);
  if (options.is_exhaustive) return run_exhaustive(options.mode, options.batch.threads) ? 0 : 1;
  if (!options.golden.empty()) return check_golden(options.golden, options.how) ? 0 : 1;
  if (!options.is_json) std::cerr << "first seed " << options.batch.first_seed << '\n';
  if (!options.replay.empty()) return replay(options);
  if (options.is_traced || options.shows_digests) return run_alone(options);
  if (options.mode.attack == "all") return run_all_attacks(options);
  const auto summary = run_many(options.mode, options.batch);
  print(options, summary);
  return is_good(options, summary) ? 0 : 1;
}

}  // namespace
}  // namespace kms::sim

int main(int count, char** words) {
  return kms::sim::run({words + 1, words + count});
}
