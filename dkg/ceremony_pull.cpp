#include "dkg/ceremony_impl.h"

namespace kms::dkg {

void Ceremony::Impl::collect_wants(Turn& turn) {
  std::set<ObjectId> wants;
  if (voided) return;
  if (wanted_void && !void_certs.contains(*wanted_void)) {
    wants.insert(id_cast<ObjectId>(*wanted_void));
    if (wanted_emergency && !emergency_before) wants.insert(id_cast<ObjectId>(*wanted_emergency));
  }
  const auto want_value = [&](const Value& value) {
    if (!rounds.contains(value.sid)) wants.insert(id_cast<ObjectId>(value.sid));
  };
  if (!is_decided()) {
    for (const auto& id : agreement.missing()) {
      // A value that is known, but not yet admitted, lacks its header or its CandidateCert.
      if (const auto* value = candidates.find(id_cast<ValueHash>(id))) {
        want_value(*value);
        if (!has_decision() && candidates.certificate(value->transcript()) == nullptr) {
          Ready statement{slot.slot, value->sid, value->transcript(), 1};
          wants.insert(id_cast<ObjectId>(candidate_certificate(statement, {{1, {}}}).id()));
        }
      } else {
        wants.insert(id);
      }
    }
    for (const auto& [transcript, certificate] : candidates.certificates()) {
      if (!rounds.contains(certificate.sid)) wants.insert(id_cast<ObjectId>(certificate.sid));
      if (candidates.find(transcript) == nullptr) wants.insert(id_cast<ObjectId>(transcript));
    }
    if (const auto* final = emergencies.certificate()) {
      if (!rounds.contains(final->sid)) wants.insert(id_cast<ObjectId>(final->sid));
      if (candidates.find(final->transcript) == nullptr) wants.insert(id_cast<ObjectId>(final->transcript));
    }
    for (const auto& [sid, round] : rounds) {
      const auto* candidate = candidates.newest_of(sid);
      if (candidate == nullptr || !attempts.is_live(round.header().attempt)) continue;
      for (const auto& hash : round.missing(candidate->list)) wants.insert(id_cast<ObjectId>(hash));
    }
    for (auto view = agreement.view(); view <= agreement.view() + Simplex::kViewsAhead; ++view) {
      const auto* candidate = candidates.newest(view);
      if (candidate == nullptr) continue;
      const auto round = rounds.find(candidate->sid);
      if (round == rounds.end()) {
        wants.insert(id_cast<ObjectId>(candidate->sid));
      } else if (attempts.is_live(round->second.header().attempt)) {
        for (const auto& hash : round->second.missing(candidate->list)) wants.insert(id_cast<ObjectId>(hash));
      }
    }
  } else {
    const auto& record = *activation.record();
    if (!rounds.contains(record.sid)) wants.insert(id_cast<ObjectId>(record.sid));
    if (!activation.is_active() || record.tables.empty()) {
      for (const auto& hash : activation.missing_deals()) wants.insert(id_cast<ObjectId>(hash));
    }
  }
  pulls.want(wants, turn.instant());
  const auto due = pulls.take_due(turn.instant());
  if (!due.empty()) turn.show(Fetch{due});
}

std::optional<Envelope> Ceremony::Impl::find_object(const ObjectId& id) const {
  const auto wrapped = [&](const auto& message) { return wrap(message, slot.self, slot.plan.network_id); };
  if (const auto round = rounds.find(id_cast<Sid>(id)); round != rounds.end()) return round->second.header_envelope();
  for (const auto& [sid, round] : rounds) {
    if (const auto* held = round.find(id_cast<DealHash>(id))) return held->envelope;
  }
  if (const auto held = void_certs.find(id_cast<CertificateId>(id)); held != void_certs.end()) {
    return wrapped(held->second.fate);
  }
  if (emergency_before && id_cast<ObjectId>(emergency_before->id()) == id) return wrapped(*emergency_before);
  if (const auto* value = candidates.find(id_cast<ValueHash>(id))) return wrapped(*value);
  if (const auto* value = candidates.find(id_cast<TranscriptHash>(id))) return wrapped(*value);
  if (const auto certificate = agreement.find(id)) return wrapped(*certificate);
  if (const auto* final = emergencies.certificate(); final != nullptr && id_cast<ObjectId>(final->id()) == id) {
    return wrapped(*final);
  }
  for (const auto& [transcript, certificate] : candidates.certificates()) {
    if (id_cast<ObjectId>(certificate.id()) == id) return wrapped(certificate);
  }
  return std::nullopt;
}

// A member that lags behind is shown the decision, or the released Link, once per 2 * Delta; not in the first moments,
// when everybody gets there alone.
void Ceremony::Impl::show_decision(MessageType type, Position member, Phase reported, Turn& turn) {
  if (!is_decided()) return;
  const auto pause = 2 * slot.plan.timing.delta;
  bool is_undecided = false;
  bool is_unreleased = false;
  Duration every = pause;
  switch (type) {
    case MessageType::prekey_announce:
    case MessageType::ceremony_header:
    case MessageType::deal:
    case MessageType::complaint:
    case MessageType::candidate:
    case MessageType::ready:
    case MessageType::proposal:
    case MessageType::vote:
    case MessageType::emergency:
      is_undecided = true;
      break;
    case MessageType::active:
    case MessageType::confirm:
      is_unreleased = true;
      break;
    case MessageType::node_status:
      is_undecided = reported < Phase::decided;
      is_unreleased = reported < Phase::released;
      // It may have the Link already; its state does not say.
      if (reported == Phase::need_repair) every = 60s;
      break;
    default:
      return;
  }
  is_unreleased = is_unreleased || is_undecided;
  if (activation.is_released() && is_unreleased) {
    if (released_at && turn.instant() < *released_at + pause) return;
    if (!pulls.may_show(member, every, turn.instant())) return;
    EpochChain chain;
    chain.links.push_back(*activation.record()->link());
    turn.show(chain);
    return;
  }
  const auto& record = *activation.record();
  if (!is_undecided && !record.activation) return;
  if (!is_unreleased || turn.instant() < decided_at + pause) return;
  if (!pulls.may_show(member, every, turn.instant())) return;
  turn.show(record.final);
  if (record.activation) turn.show(*record.activation);
}

}  // namespace kms::dkg
