#include "dkg/repair.h"

namespace kms::dkg {

void Repair::restore(const Records& records, const Outbox& outbox, Now now) {
  prekeys_.restore(records, outbox);
  givers_.restore(records, now);
  requester_.restore(records, outbox, now);
}

bool Repair::wants(const RepairRequest& request, const Activation& activation) const {
  if (request.key_set != slot_.plan.key_set || request.epoch != slot_.epoch() || request.branch != slot_.branch()) {
    return false;
  }
  return activation.is_decided() && request.transcript == activation.record()->transcript &&
         request.givers.size() == slot_.receiving().t();
}

void Repair::take(Position sender, const RepairRequest& request, const Envelope& envelope, const Activation& activation,
                  Turn& turn) {
  if (sender == slot_.receiver || request.index != sender) return;
  givers_.take(sender, request, envelope, activation, turn);
  for (const auto& giver : request.givers) {
    if (giver.position != slot_.receiver) prekeys_.note_named(giver.position, giver.number);
  }
}

void Repair::take(Position sender, const RepairDelta& delta, const Envelope& envelope, const Activation& activation,
                  Turn& turn) {
  givers_.take(sender, delta, envelope, activation, turn);
  requester_.take(sender, delta, envelope, activation, turn);
}

namespace {

std::string approval_name(Position subject, std::uint64_t not_after) {
  return "approve-repair/" + std::to_string(subject) + "/" + std::to_string(not_after);
}

}  // namespace

void Repair::approve(Position subject, std::uint64_t not_after, const Activation& activation, Turn& turn) {
  if (!activation.is_decided() || slot_.receiver == 0 || !slot_.receivers().has(subject)) return;
  const auto name = approval_name(subject, not_after);
  if (const auto* said = turn.said(name)) return turn.publish(*said);
  auto approval = tickets_.form(*activation.record(), subject, not_after);
  approval.signature = slot_.key->sign(approval.approval_digest(slot_.plan.network_id));
  turn.say_as_signed(name, approval);
}

// It may have lost its disk: then it knows neither who approved its repair nor what it said before.
void Repair::heard_need(Position member, const Activation& activation, Turn& turn) {
  if (activation.is_active()) prekeys_.show(turn);
  if (member == 0 || turn.instant() < reminded_at_[member] + 2 * slot_.plan.timing.delta) return;
  reminded_at_[member] = turn.instant();
  prekeys_.remind(member, turn);
  if (const auto end = tickets_.pending_end(member, turn.unix_s())) {
    if (const auto* said = turn.said(approval_name(member, *end))) turn.publish(*said);
  }
}

bool Repair::advance(Activation& activation, const std::set<NodeId>& peers, Turn& turn) {
  if (!activation.is_decided()) return false;
  if (slot_.receiving().n() > slot_.receiving().t() && activation.is_active()) prekeys_.announce(turn);
  givers_.advance(activation, turn);
  if (auto shares = requester_.advance(activation, peers, turn)) {
    activation.repair(std::move(*shares), turn);
    repeats_left_ = kActiveRepeats;
    repeat_at_ = turn.instant() + 2 * slot_.plan.timing.delta;
    return true;
  }
  if (repeats_left_ > 0 && turn.instant() >= repeat_at_) {
    --repeats_left_;
    repeat_at_ = turn.instant() + 2 * slot_.plan.timing.delta;
    for (const auto* name : {"active", "confirm"}) {
      if (const auto* said = turn.said(name)) turn.publish(*said);
    }
  }
  return false;
}

std::optional<Instant> Repair::wakes_at(const Activation& activation) const {
  if (!activation.is_decided()) return std::nullopt;
  std::optional<Instant> at = givers_.wakes_at();
  const auto consider = [&](std::optional<Instant> other) {
    if (other) at = at ? std::min(*at, *other) : *other;
  };
  consider(requester_.wakes_at(activation));
  if (repeats_left_ > 0) consider(repeat_at_);
  return at;
}

}  // namespace kms::dkg
