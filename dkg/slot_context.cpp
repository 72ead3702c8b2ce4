#include "dkg/slot_context.h"

#include <algorithm>

namespace kms::dkg {
namespace {

Result<Committee> union_of(const Committee& a, const Committee& b) {
  if (a == b) return a;
  std::vector<crypto::Point> keys;
  for (const auto& member : a.members()) keys.push_back(member.key);
  for (const auto& member : b.members()) {
    if (!a.position_of(member.node)) keys.push_back(member.key);
  }
  if (keys.size() > kMembersMax) {
    return error("the old and the new committee have " + std::to_string(keys.size()) + " nodes together, at most " +
                 std::to_string(kMembersMax) + " can take part in a reshare; move in two steps");
  }
  return Committee::make(keys);
}

Result<void> check_imported(const Plan& plan) {
  if (plan.imported.empty()) return {};
  if (plan.threshold.n() != 1) return error("a key is imported by a committee of one, which reshares it afterwards");
  if (plan.imported.size() != plan.labels.size()) {
    return error("the plan pins " + std::to_string(plan.imported.size()) + " public keys for " +
                 std::to_string(plan.labels.size()) + " imported keys");
  }
  return {};
}

Result<void> check_old(const Plan& plan) {
  const auto& terms = plan.old->header.terms;
  if (!plan.old->is_released()) return error("the epoch before is not released yet");
  if (terms.key_set != plan.key_set || terms.labels != plan.labels) {
    return error("the plan names another key set or other labels than the epoch before it");
  }
  return {};
}

}  // namespace

bool SlotContext::can_deal() const {
  if (dealer == 0) return false;
  if (!plan.old) return true;
  if (old_shares == nullptr || old_shares->size() != plan.labels.size()) return false;
  return std::none_of(old_shares->begin(), old_shares->end(), [](const auto& share) { return share.is_zero(); });
}

std::vector<std::vector<crypto::Element>> SlotContext::old_points() const {
  std::vector<std::vector<crypto::Element>> points;
  if (plan.old) {
    for (const auto& table : plan.old->tables) points.push_back(table.shares);
  }
  return points;
}

Result<SlotContext> SlotContext::make(Plan plan, Self self, Entropy& entropy) {
  if (plan.labels.empty() || plan.labels.size() > kKeysMax) {
    return error("a key set has 1 to " + std::to_string(kKeysMax) + " keys, the plan names " +
                 std::to_string(plan.labels.size()));
  }
  if (plan.threshold.n() != plan.members.size()) {
    return error("the threshold is for " + std::to_string(plan.threshold.n()) + " members, the committee has " +
                 std::to_string(plan.members.size()));
  }
  if (plan.old) {
    if (auto fits = check_old(plan); !fits) return fits.error();
  } else if (auto fits = check_imported(plan); !fits) {
    return fits.error();
  }
  const NodeId id{self.key.node_id()};
  Committee old_members = plan.old ? plan.old->header.committee() : plan.members;
  auto everyone = union_of(old_members, plan.members);
  if (!everyone) return everyone.error();
  const auto place = everyone->position_of(id);
  if (!place) return error("this node (" + id.hex() + ") is not a member of the committee");
  SlotContext context{.plan = std::move(plan),
                      .old_members = std::move(old_members),
                      .everyone = std::move(*everyone),
                      .seats = {},
                      .slot = {},
                      .key = &self.key,
                      .node_secret = &self.node_secret,
                      .old_shares = self.shares,
                      .entropy = &entropy,
                      .self = id,
                      .prefix = {}};
  for (Position member = 1; member <= context.everyone.size(); ++member) {
    const auto& node = context.everyone.at(member).node;
    const auto old = context.old_members.position_of(node).value_or(0);
    context.seats.push_back({member, old, context.plan.members.position_of(node).value_or(0), old});
  }
  const Seat& own = context.seat(*place);
  context.member = own.member;
  context.dealer = own.dealer;
  context.receiver = own.receiver;
  context.decider = own.decider;
  context.slot = slot_id(context.plan.key_set, context.epoch(), context.branch());
  context.prefix = "slot/" + to_hex(context.slot.view()) + "/";
  return context;
}

}  // namespace kms::dkg
