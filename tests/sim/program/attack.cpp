#include "tests/sim/program/attack.h"

#include "tests/sim/program/attacks_of.h"

namespace kms::sim {

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all = [] {
    std::vector<Attack> out;
    for (const auto list :
         {fault_attacks, deal_attacks, header_attacks, vote_attacks, repair_attacks, import_attacks}) {
      auto more = list();
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }();
  return all;
}

const Attack* find_attack(std::string_view name) {
  for (const auto& attack : attacks()) {
    if (attack.name == name) return &attack;
  }
  return nullptr;
}

std::string_view name_of(Attack::Evidence evidence) {
  switch (evidence) {
    case Attack::Evidence::none:
      return "no";
    case Attack::Evidence::local:
      return "local";
    case Attack::Evidence::transferable:
      return "yes";
  }
  return "unknown";
}

}  // namespace kms::sim
