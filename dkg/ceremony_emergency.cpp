// The way out for an old committee that has fewer than q live members for ever: by order of the operators q_em of them
// name one dealing (PROTOCOL.md 4.14). Views cannot end there, so nothing here waits for one.
#include <algorithm>

#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

constexpr const char* kMarker = "emergency";
constexpr const char* kVote = "emergency-vote";

std::optional<Emergency> parse_vote(const Envelope* envelope) {
  if (envelope == nullptr) return std::nullopt;
  auto vote = Emergency::parse(envelope->body);
  return vote ? std::optional(std::move(*vote)) : std::nullopt;
}

std::string text_of(const TranscriptHash& transcript) {
  return "0x" + to_hex(transcript.view());
}

}  // namespace

// Members of the old committee join only on their own operator's order; others have their operator's file.
bool Ceremony::Impl::is_joinable_here(const CeremonyHeader& header) const {
  return !header.emergency || slot.decider == 0 || emergencies.is_ordered();
}

bool Ceremony::Impl::has_emergency_candidate() const {
  return std::any_of(candidates.certificates().begin(), candidates.certificates().end(), [&](const auto& entry) {
    const auto round = rounds.find(entry.second.sid);
    return round != rounds.end() && round->second.header().emergency;
  });
}

Result<void> Ceremony::Impl::order_emergency(Turn& turn) {
  if (slot.previous() == nullptr) return error("there is no key yet that an emergency could save");
  if (slot.decider == 0) return error("this node is not a member of the committee in charge");
  if (slot.kind() != Kind::reshare) {
    return error("the next epoch keeps members and threshold; name a file without the members that are lost");
  }
  if (activation.is_released()) return error("the epoch is released already");
  if (emergencies.is_ordered()) return {};
  emergencies.order();
  attempts.begin_emergency(slot.deciding().q_em(), turn.instant());
  const auto mark = to_hex(slot.plan.file.view());  // of this plan: another one of the slot has an order of its own
  turn.put(kMarker, to_bytes(as_bytes(mark)));
  turn.report(Event::Kind::phase,
              "the operator orders an emergency reshare: " + std::to_string(slot.deciding().q_em()) + " of " +
                  std::to_string(slot.deciding().n()) + " members decide");
  return {};
}

Result<void> Ceremony::Impl::sign_emergency(const TranscriptHash& transcript, Turn& turn) {
  if (slot.previous() == nullptr || slot.decider == 0) {
    return error("only a member of the committee that is to be succeeded names a dealing");
  }
  if (activation.is_released()) return error("the epoch is released already");
  if (const auto own = parse_vote(turn.said(kVote))) {
    if (own->transcript == transcript) return {};
    return error("this node has signed the dealing " + text_of(own->transcript) + " and signs no other, ever");
  }
  const auto* certificate = candidates.certificate(transcript);
  const auto* value = candidates.find(transcript);
  const auto* round = certificate == nullptr ? nullptr : find_round(certificate->sid);
  if (round == nullptr || value == nullptr || value->sid != certificate->sid) {
    return error("this node holds no certificate for the dealing " + text_of(transcript) +
                 "; only one that enough new members have taken in can be named");
  }
  const auto decided = emergency_state().decided;
  if (decided && *decided != transcript) return error("the slot is decided: on the dealing " + text_of(*decided));
  const auto hash = value->hash();
  if (const auto other = agreement.finalized_other_than(hash)) {
    const auto* voted = candidates.find(*other);
    return error("this node has voted to finalize another dealing" +
                 (voted == nullptr ? std::string() : " (" + text_of(voted->transcript()) + ")") +
                 ", which may be decided already: only that one can be named here");
  }
  // With its grounds, and before any vote that it binds.
  turn.put("value/" + to_hex(hash.view()), value->body());
  turn.put("header/" + to_hex(value->sid.view()), round->header_envelope().encode());
  turn.put("cert/1/" + to_hex(transcript.view()), certificate->body());
  agreement.bind(hash);
  turn.say(kVote, Emergency{slot.slot, value->sid, transcript, slot.decider});
  turn.report(Event::Kind::phase, "the operator names the dealing " + text_of(transcript));
  return {};
}

// The own vote binds from the first moment on. Without the value behind it: no Finalize at all.
void Ceremony::Impl::restore_emergency(const Records& records, Now now) {
  const auto mark = records.find(slot.prefix + kMarker);
  if (mark && as_text(*mark) == to_hex(slot.plan.file.view())) {
    emergencies.order();
    attempts.begin_emergency(slot.deciding().q_em(), now.instant);
  }
  const auto own = parse_vote(outbox.find(kVote));
  if (!own) return;
  ValueHash only;
  for (const auto& key : records.list(slot.prefix + "value/")) {
    const auto body = records.find(key);
    const auto value = body ? Value::parse(*body) : Result<Value>(error("missing"));
    if (value && value->transcript() == own->transcript) only = value->hash();
  }
  agreement.bind(only);
}

// The initiator's own, by the rule of views: once when its Deals suffice, and again to drop convicted dealers.
void Ceremony::Impl::aggregate_emergency(Turn& turn) {
  for (const auto& [name, sid] : joined) {
    const auto* round = find_round(sid);
    const bool is_own = round != nullptr && name.second && round->header().initiator == slot.decider;
    if (!is_own || !emergencies.is_ordered() || !attempts.is_live(name.first)) continue;
    std::uint32_t number = 0;
    if (const auto* last = candidates.newest_of(sid)) {
      const bool has_convict = std::any_of(last->list.begin(), last->list.end(),
                                           [&](const auto& entry) { return round->is_convicted(entry.dealer); });
      if (!has_convict || candidates.rounds_of(sid) > slot.dealing().f()) continue;
      number = last->round + 1;
    } else if (!has_enough_deals(*round, turn.instant())) {
      continue;
    }
    const auto list = round->usable();
    if (list.size() < slot.deals_needed()) continue;
    turn.say("candidate/0/" + to_hex(sid.view()) + "/" + std::to_string(number),
             Candidate{slot.slot, sid, 0, number, list});
  }
  for (const auto& [sid, round] : rounds) {
    if (const auto* candidate = candidates.newest_of(sid)) answer_candidate(*candidate, turn);
  }
}

Ceremony::Impl::Taken Ceremony::Impl::judge_view_zero(const Candidate& candidate, const Envelope& envelope,
                                                      const Seat& sender, Source source) {
  const auto* round = find_round(candidate.sid);
  if (round == nullptr) return is_authentic(candidate, envelope, sender, source) ? Taken::early : Taken::no;
  const auto& header = round->header();
  if (!header.emergency || sender.decider != header.initiator || !attempts.is_live(header.attempt)) return Taken::no;
  if (!candidates.wants(candidate) || !is_authentic(candidate, envelope, sender, source)) return Taken::no;
  candidates.add(candidate);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Emergency& vote, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (slot.previous() == nullptr || activation.is_released()) return Taken::no;
  if (!emergencies.wants(sender.decider, vote) || !is_authentic(vote, envelope, sender, source)) return Taken::no;
  emergencies.add(vote, envelope, turn);
  compare_with_finalize(sender.decider, turn);
  has_news = has_news || emergencies.certificate() != nullptr;
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge_emergency_certificate(const Certificate& certificate, Source source,
                                                                  Turn& turn) {
  if (slot.previous() == nullptr || activation.is_released()) return Taken::no;
  const auto* held = emergencies.certificate();
  if (held != nullptr && held->transcript == certificate.transcript) return Taken::no;
  if (!is_valid(certificate, source)) return Taken::no;
  if (is_decided() && activation.record()->transcript != certificate.transcript) {
    turn.report(Event::Kind::misbehaviour,
                "an emergency certificate for another dealing than the decided one: more "
                "members cheat than an emergency can bear");
    return Taken::no;
  }
  emergencies.add_certificate(certificate, turn);
  has_news = true;
  return Taken::yes;
}

void Ceremony::Impl::settle_emergency(Turn& turn) {
  const auto* final = emergencies.certificate();
  if (final == nullptr || !is_decided() || activation.record()->transcript != final->transcript) return;
  activation.replace_final(*final, turn);
  if (activation.record()->final.kind == CertificateKind::emergency) fate.use_emergency(final->id(), turn.instant());
}

void Ceremony::Impl::compare_with_finalize(Position decider, Turn& turn) {
  const auto* held = emergencies.vote_of(decider);
  const auto* value = held == nullptr ? nullptr : candidates.find(held->vote.transcript);
  if (value == nullptr) return;
  for (const auto& finalize : agreement.finalizes_against(decider, value->hash())) {
    if (!emergency_liars.insert(decider).second) return;
    const Equivocation evidence{EquivocationKind::emergency_finalize, held->envelope.encode(), finalize.encode()};
    turn.report(Event::Kind::blame, "it names one dealing in an emergency and finalizes another",
                Culprit::decider(decider), evidence.body());
  }
}

EmergencyState Ceremony::Impl::emergency_state() const {
  EmergencyState out;
  if (slot.previous() == nullptr) return out;
  out.is_ordered = emergencies.is_ordered();
  out.quorum = slot.deciding().q_em();
  out.safe_below = slot.deciding().emergency_safe_below();
  for (const auto& [transcript, certificate] : candidates.certificates()) {
    const auto* value = candidates.find(transcript);
    const auto round = rounds.find(certificate.sid);
    if (value == nullptr || round == rounds.end()) continue;
    EmergencyState::Choice choice{transcript, round->second.header().attempt,  round->second.header().emergency,
                                  {},         round->second.header().absent(), emergencies.signers(transcript)};
    for (const auto& entry : value->list) choice.dealers.push_back(entry.dealer);
    out.choices.push_back(std::move(choice));
  }
  if (const auto own = parse_vote(outbox.find(kVote))) out.own = own->transcript;
  if (is_decided()) {
    out.decided = activation.record()->transcript;
  } else if (const auto* final = emergencies.certificate()) {
    out.decided = final->transcript;
  } else if (const auto hash = agreement.decided()) {
    if (const auto* value = candidates.find(*hash)) out.decided = value->transcript();
  }
  out.is_bound = out.own || agreement.finalized_other_than({});
  return out;
}

}  // namespace kms::dkg
