#include "dkg/slot_context.h"

namespace kms::dkg {

Result<SlotContext> SlotContext::make(Plan plan, Self self, Entropy& entropy) {
  if (plan.labels.empty() || plan.labels.size() > kKeysMax) {
    return error("a key set has 1 to " + std::to_string(kKeysMax) + " keys, the plan names " +
                 std::to_string(plan.labels.size()));
  }
  if (plan.threshold.n() != plan.members.size()) {
    return error("the threshold is for " + std::to_string(plan.threshold.n()) + " members, the committee has " +
                 std::to_string(plan.members.size()));
  }
  const NodeId id{self.key.node_id()};
  const auto position = plan.members.position_of(id);
  if (!position) return error("this node (" + id.hex() + ") is not a member of the committee");
  SlotContext context{.plan = std::move(plan),
                      .slot = {},
                      .key = &self.key,
                      .node_secret = &self.node_secret,
                      .entropy = &entropy,
                      .self = id,
                      .dealer = *position,
                      .receiver = *position,
                      .decider = *position,
                      .prefix = {}};
  context.slot = slot_id(context.plan.key_set, context.epoch(), context.branch());
  context.prefix = "slot/" + to_hex(context.slot.view()) + "/";
  return context;
}

}  // namespace kms::dkg
