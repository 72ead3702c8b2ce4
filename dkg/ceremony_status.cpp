#include <algorithm>

#include "dkg/ceremony_impl.h"

namespace kms::dkg {

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::closed:
      return "closed";
    case Phase::idle:
      return "idle";
    case Phase::collect:
      return "collect";
    case Phase::decided:
      return "decided";
    case Phase::need_repair:
      return "need repair";
    case Phase::active:
      return "active";
    case Phase::activated:
      return "activated";
    case Phase::released:
      return "released";
    case Phase::retired:
      return "retired";
    case Phase::erased:
      return "erased";
    case Phase::voided:
      return "voided";
  }
  return "unknown";
}

std::optional<Instant> Ceremony::Impl::wakes_at() const {
  const auto in_unix = [&](std::uint64_t then) {
    return seen_at + std::chrono::seconds(then > seen_unix ? then - seen_unix : 0);
  };
  if (is_erased || voided) return std::nullopt;
  if (is_finished()) {
    auto wake = repair.wakes_at(activation);
    const auto forwards = forwarder.wakes_at();
    if (forwards) wake = std::min(wake.value_or(*forwards), *forwards);
    if (retires_at) wake = std::min(wake.value_or(in_unix(*retires_at)), in_unix(*retires_at));
    return wake;
  }
  Instant at = repeat_at;
  const auto consider = [&](std::optional<Instant> other) {
    if (other) at = std::min(at, *other);
  };
  consider(forwarder.wakes_at());
  consider(activation.wakes_at());
  consider(pulls.wakes_at());
  consider(repair.wakes_at(activation));
  if (activation.is_activated() || fates.void_approvals() != nullptr) consider(fate.wakes_at());
  if (has_decision()) return at;
  if (slot.plan.refresh && !attempts.is_open()) consider(in_unix(slot.plan.refresh->since + slot.plan.refresh->every));
  consider(attempts.wakes_at());
  consider(agreement.wakes_at());
  // Waits that are over have had their effect.
  const auto consider_wait = [&](Instant end) {
    if (end > seen_at) consider(end);
  };
  if (attempts.is_open()) consider_wait(attempts.opened() + slot.plan.timing.prekey_wait);
  for (const auto& [attempt, sid] : joined) {
    const auto round = rounds.find(sid);
    if (round != rounds.end()) consider_wait(round->second.joined_at() + slot.plan.timing.deal_wait);
  }
  return at;
}

Phase Ceremony::Impl::phase() const {
  if (voided) return Phase::voided;
  if (is_erased) return Phase::erased;
  if (retires_at) return Phase::retired;
  if (is_decided()) {
    if (activation.needs_repair()) return Phase::need_repair;
    if (slot.receiver != 0 && !activation.is_active()) return Phase::decided;
    if (slot.receiver == 0 && !activation.is_activated()) return Phase::decided;
    if (activation.is_released()) return Phase::released;
    return activation.is_activated() ? Phase::activated : Phase::active;
  }
  if (!joined.empty()) return Phase::collect;
  return attempts.is_open() ? Phase::idle : Phase::closed;
}

// Who has given all that the phase asks for and is away now is needed for the votes that come.
void Ceremony::Impl::await_quorum(CeremonyStatus& status) const {
  std::set<Position> awaited(status.awaited.begin(), status.awaited.end());
  std::size_t connected = 0;
  for (Position member = 1; member <= slot.deciders().size(); ++member) {
    const NodeId& node = slot.deciders().at(member).node;
    if (is_there(node)) {
      ++connected;
    } else {
      awaited.insert(*slot.everybody().position_of(node));
    }
  }
  status.awaited.assign(awaited.begin(), awaited.end());
  if (connected >= slot.deciding().q()) return;
  status.summary += "; " + std::to_string(connected) + " of the " + std::to_string(slot.deciding().q()) +
                    " members that a decision needs are connected";
}

CeremonyStatus Ceremony::Impl::status() const {
  CeremonyStatus out;
  out.phase = phase();
  out.attempt = attempts.own();
  out.view = agreement.view();
  out.prekey_next = prekeys.next();
  // `all` is the committee that is asked, `has` takes a place in it.
  const auto await = [&](const char* what, const Committee& all, const auto& has) {
    out.want = static_cast<std::uint32_t>(all.size());
    for (Position member = 1; member <= all.size(); ++member) {
      if (has(member)) {
        ++out.have;
      } else {
        out.awaited.push_back(*slot.everybody().position_of(all.at(member).node));
      }
    }
    out.summary =
        std::string("waiting for ") + what + ": " + std::to_string(out.have) + " of " + std::to_string(out.want);
  };
  if (slot.kind() == Kind::import && !is_decided()) {
    out.summary = "waiting for the import of the key: stop this node and run kms-node import";
    return out;
  }
  switch (out.phase) {
    case Phase::closed:
      if (slot.previous() != nullptr) {
        await("approvals", slot.deciders(), [&](Position member) { return approvals.has_approved(member); });
        break;
      }
      await("connections", slot.deciders(), [&](Position member) { return is_there(slot.deciders().at(member).node); });
      break;
    case Phase::idle:
      await("prekeys", slot.receivers(),
            [&](Position member) { return prekeys.has_announced(member, attempts.own()); });
      break;
    case Phase::collect: {
      const auto round = rounds.find(joined.rbegin()->second);
      await("Deals", slot.dealers(),
            [&](Position member) { return round != rounds.end() && round->second.has_dealt(member); });
      break;
    }
    case Phase::voided:
      out.transcript = voided->fate.transcript;
      out.summary = "this branch is given up";
      break;
    case Phase::decided:
    case Phase::need_repair:
    case Phase::active:
    case Phase::activated:
    case Phase::released:
    case Phase::retired:
    case Phase::erased:
      out.transcript = activation.record()->transcript;
      await("confirmations", slot.receivers(), [&](Position member) { return activation.has_confirm(member); });
      if (out.phase == Phase::activated) {
        out.awaited.clear();
        out.summary = "waiting for the old committee to release the new epoch";
      }
      if (out.phase >= Phase::released) out.summary = name_of(out.phase);
      if (out.phase == Phase::need_repair) {
        out.summary = "this node has no share of the decided key";
        if (const auto said = repair.summary(); !said.empty()) out.summary += "; " + said;
      }
  }
  if (out.phase <= Phase::collect || out.phase == Phase::activated) await_quorum(out);
  return out;
}

}  // namespace kms::dkg
