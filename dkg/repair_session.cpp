#include "dkg/repair_session.h"

namespace kms::dkg {

RepairSession::Verdict RepairSession::add(Position sender, const RepairDelta& delta, const Envelope& envelope,
                                          const std::vector<KeyTable>& tables, Turn& turn) {
  if (delta.rid != terms_.rid || delta.giver != sender || bad_.contains(sender)) return Verdict::ignored;
  if (const auto held = deltas_.find(sender); held != deltas_.end()) {
    if (held->second.hash == delta.hash()) return Verdict::ignored;
    bad_.insert(sender);
    turn.report(Event::Kind::blame, "two deltas in one repair", sender,
                evidence_of({&request_, &held->second.envelope, &envelope}));
    turn.publish(held->second.envelope);
    return Verdict::conflict;
  }
  const auto checked = check_delta(terms_, delta, tables);
  if (!checked) {
    bad_.insert(sender);
    turn.report(Event::Kind::blame, "repair: " + checked.error().message, sender, evidence_of({&request_, &envelope}));
    return Verdict::bad;
  }
  deltas_.emplace(sender, Held{delta, envelope, delta.hash()});
  return Verdict::taken;
}

const RepairSession::Held* RepairSession::find(Position giver) const {
  const auto found = deltas_.find(giver);
  return found == deltas_.end() ? nullptr : &found->second;
}

void RepairSession::show_conflicts(Turn& turn) const {
  for (const Position giver : bad_) {
    if (const auto* held = find(giver)) turn.publish(held->envelope);
  }
}

std::vector<const RepairDelta*> RepairSession::in_order() const {
  std::vector<const RepairDelta*> out;
  for (const auto& [giver, held] : deltas_) out.push_back(&held.delta);
  return out;
}

std::vector<DeltaHash> RepairSession::hashes() const {
  std::vector<DeltaHash> out;
  for (const auto& [giver, held] : deltas_) out.push_back(held.hash);
  return out;
}

Bytes RepairSession::evidence(std::vector<const Envelope*> more) const {
  std::vector<const Envelope*> all{&request_};
  for (const auto& [giver, held] : deltas_) all.push_back(&held.envelope);
  all.insert(all.end(), more.begin(), more.end());
  return evidence_of(all);
}

}  // namespace kms::dkg
