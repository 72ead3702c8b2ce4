#include "node/ceremonies_view.h"

#include <boost/json/array.hpp>

#include "node/api.h"

namespace kms::node {

namespace json = boost::json;

namespace {

std::string_view word_of(dkg::Kind kind) {
  switch (kind) {
    case dkg::Kind::dkg:
      return "dkg";
    case dkg::Kind::reshare:
      return "reshare";
    case dkg::Kind::refresh:
      return "refresh";
    case dkg::Kind::import:
      break;
  }
  return "import";
}

json::object blame_json(const CeremonyLog::Blame& blame, bool with_evidence) {
  json::object out;
  out["member"] = blame.note.member;
  out["text"] = blame.note.text;
  out["at"] = rfc3339(blame.note.unix_ms);
  out["evidence"] = to_0x(blame.evidence_hash);
  if (with_evidence) out["evidenceBody"] = to_0x(blame.evidence);
  return out;
}

// Who has approved the plan of a slot that is not decided yet.
json::object approvals_json(const dkg::Ceremony& ceremony, const LabelOf& label_of) {
  const dkg::EpochRecord& old = *ceremony.plan().old;
  const dkg::Committee deciders = old.header.committee();
  json::array by;
  for (const dkg::Position place : ceremony.approvers()) by.push_back(json::string(label_of(deciders.at(place).node)));
  json::object out;
  out["by"] = std::move(by);
  out["needed"] = old.header.threshold.q();
  return out;
}

json::object ceremony_json(const dkg::Ceremony& ceremony, const CeremonyLog& log, const LabelOf& label_of) {
  const dkg::CeremonyStatus status = ceremony.status();
  const dkg::Plan& plan = ceremony.plan();
  const dkg::NodeStatus::Entry entry = ceremony.status_message();
  json::object out;
  out["id"] = ceremony.slot().hex();
  out["kind"] = word_of(plan.kind());
  out["epoch"] = entry.epoch;
  out["branch"] = entry.branch;
  out["phase"] = dkg::name_of(status.phase);
  out["attempt"] = status.attempt;
  out["view"] = status.view;
  out["threshold"] = plan.threshold.t();
  out["memberCount"] = plan.threshold.n();
  out["file"] = plan.file.hex();
  out["have"] = status.have;
  out["want"] = status.want;
  out["summary"] = status.summary;
  json::array awaited;
  if (status.phase < dkg::Phase::released) {
    for (const dkg::Position place : status.awaited) {
      awaited.push_back(json::string(label_of(ceremony.everybody().at(place).node)));
    }
  }
  out["awaited"] = std::move(awaited);
  const bool is_open = plan.old != nullptr && status.phase < dkg::Phase::decided;
  if (is_open) out["approvals"] = approvals_json(ceremony, label_of);
  json::array blames;
  if (const CeremonyLog::Slot* slot = log.find(ceremony.slot())) {
    for (const CeremonyLog::Blame& blame : slot->blames) blames.push_back(blame_json(blame, false));
  }
  out["blame"] = std::move(blames);
  return out;
}

// Approvals for the next epoch that members have given, by what they approve: also of files that this node's operator
// has not seen.
json::array pending_json(const Epochs& epochs, const LabelOf& label_of) {
  using Plan = std::tuple<dkg::FileHash, dkg::CommitteeHash, std::uint16_t, std::uint64_t>;
  std::map<Plan, std::pair<std::uint32_t, std::set<dkg::Position>>> plans;
  for (const dkg::Approval& approval : epochs.heard_approvals()) {
    auto& [epoch, by] = plans[{approval.file, approval.members, approval.threshold, approval.not_after}];
    epoch = approval.epoch;
    by.insert(approval.index);
  }
  json::array out;
  for (const auto& [plan, given] : plans) {
    const auto& [file, members, threshold, not_after] = plan;
    json::array by;
    for (const dkg::Position place : given.second) {
      by.push_back(json::string(label_of(epochs.newest()->header.committee().at(place).node)));
    }
    json::object entry;
    entry["epoch"] = given.first;
    entry["file"] = file.hex();
    entry["threshold"] = threshold;
    entry["notAfter"] = rfc3339(static_cast<std::int64_t>(not_after) * 1000);
    entry["by"] = std::move(by);
    out.push_back(std::move(entry));
  }
  return out;
}

// Members of the committee in charge whose share may be repaired.
json::array repairs_json(const Epochs& epochs, const LabelOf& label_of, Now now) {
  json::array out;
  const dkg::Ceremony* current = epochs.current();
  if (current == nullptr || !epochs.newest()) return out;
  const dkg::Committee members = epochs.newest()->header.committee();
  for (dkg::Position place = 1; place <= members.size(); ++place) {
    const auto approvers = current->repair_approvers(place, now);
    if (approvers.empty()) continue;
    json::array by;
    for (const dkg::Position approver : approvers) by.push_back(json::string(label_of(members.at(approver).node)));
    json::object entry;
    entry["member"] = label_of(members.at(place).node);
    entry["by"] = std::move(by);
    entry["needed"] = epochs.newest()->header.threshold.q();
    out.push_back(std::move(entry));
  }
  return out;
}

// For whoever may have to save a committee below its quorum (PROTOCOL.md 4.13, 4.14).
json::object emergency_json(const Epochs& epochs, const LabelOf& label_of) {
  const dkg::Threshold& threshold = epochs.newest()->header.threshold;
  const dkg::Committee members = epochs.newest()->header.committee();
  const auto labels = [&](const auto& places, const dkg::Committee& of) {
    json::array out;
    for (const dkg::Position place : places) out.push_back(json::string(label_of(of.at(place).node)));
    return out;
  };
  const dkg::Ceremony* next = epochs.next();
  const auto state = next == nullptr ? dkg::EmergencyState{} : next->emergency();
  const auto given_up = next == nullptr ? dkg::VoidState{} : next->void_state();
  json::object out;
  out["quorum"] = threshold.q_em();
  out["safeBelow"] = threshold.emergency_safe_below();
  out["ordered"] = state.is_ordered;
  json::array choices;
  for (const auto& choice : state.choices) {
    json::object entry;
    entry["transcript"] = to_0x(choice.transcript.bytes);
    entry["attempt"] = choice.attempt;
    entry["dealers"] = labels(choice.dealers, members);
    entry["absent"] = labels(choice.absent, next->plan().members);
    entry["signedBy"] = labels(choice.signed_by, members);
    choices.push_back(std::move(entry));
  }
  out["choices"] = std::move(choices);
  out["signed"] = state.own ? json::value(to_0x(state.own->bytes)) : json::value();
  out["decided"] = state.decided ? json::value(to_0x(state.decided->bytes)) : json::value();
  json::object voiding;
  voiding["possible"] = given_up.may_be_voided;
  voiding["needed"] = given_up.needed;
  voiding["by"] = labels(given_up.by, members);
  out["void"] = std::move(voiding);
  return out;
}

}  // namespace

json::object ceremonies_view(const Epochs& epochs, const CeremonyLog& log, const LabelOf& label_of, Now now) {
  json::object out;
  if (epochs.newest()) {
    out["epoch"] = epochs.newest()->header.epoch;
  } else {
    out["epoch"] = nullptr;
  }
  json::array list;
  for (const dkg::Ceremony* ceremony : epochs.all()) list.push_back(ceremony_json(*ceremony, log, label_of));
  out["ceremonies"] = std::move(list);
  out["approvals"] = pending_json(epochs, label_of);
  out["emergency"] = epochs.newest() ? json::value(emergency_json(epochs, label_of)) : json::value();
  out["repairs"] = repairs_json(epochs, label_of, now);
  return out;
}

std::optional<json::object> ceremony_view(const Epochs& epochs, const CeremonyLog& log, std::string_view slot,
                                          const LabelOf& label_of, Now) {
  for (const dkg::Ceremony* ceremony : epochs.all()) {
    if (ceremony->slot().hex() != slot) continue;
    json::object out = ceremony_json(*ceremony, log, label_of);
    json::array events;
    json::array blames;
    if (const CeremonyLog::Slot* held = log.find(ceremony->slot())) {
      for (const CeremonyLog::Note& note : held->notes) {
        json::object entry;
        entry["at"] = rfc3339(note.unix_ms);
        entry["member"] = note.member;
        entry["text"] = note.text;
        events.push_back(std::move(entry));
      }
      for (const CeremonyLog::Blame& blame : held->blames) blames.push_back(blame_json(blame, true));
    }
    out["events"] = std::move(events);
    out["blame"] = std::move(blames);
    return out;
  }
  return std::nullopt;
}

}  // namespace kms::node
