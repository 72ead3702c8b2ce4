#include "tests/sim/program/attack.h"

#include <algorithm>

#include "tests/sim/program/attacks_of.h"

namespace kms::sim {

const std::vector<Attack>& attacks() {
  static const std::vector<Attack> all = [] {
    std::vector<Attack> out;
    for (const auto list :
         {fault_attacks, deal_attacks, header_attacks, vote_attacks, repair_attacks, import_attacks, later_attacks}) {
      auto more = list();
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }();
  return all;
}

const std::vector<Attack>& delegation_attacks() {
  static const std::vector<Attack> all = [] {
    std::vector<Attack> out{{0, "delegations", "nobody lies: delegations in every form, weather and falls"}};
    for (const auto list : {partial_attacks, entry_attacks, gossip_attacks, client_attacks}) {
      auto more = list();
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }();
  return all;
}

const Attack* find_attack(std::string_view name) {
  for (const auto* list : {&attacks(), &delegation_attacks()}) {
    for (const auto& attack : *list) {
      if (attack.name == name) return &attack;
    }
  }
  return nullptr;
}

bool is_of_delegations(std::string_view name) {
  const auto& all = delegation_attacks();
  return std::any_of(all.begin(), all.end(), [&](const Attack& attack) { return attack.name == name; });
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
