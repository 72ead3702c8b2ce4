#include <algorithm>

#include "base/assert.h"
#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

constexpr Duration kDealsMissingFor = 10min;  // after the release, then only repair helps (PROTOCOL.md 4.12)
constexpr Duration kIdleFor = 60s;
constexpr int kRoundsOfSettling = 1000;

}  // namespace

DealRound* Ceremony::Impl::find_round(const Sid& sid) {
  const auto found = rounds.find(sid);
  return found == rounds.end() ? nullptr : &found->second;
}

std::size_t Ceremony::Impl::connected() const {
  std::size_t count = 1;
  for (const auto& peer : peers) {
    if (peer != slot.self && slot.deciders().position_of(peer)) ++count;
  }
  return count;
}

// Feeds back what was said and does what became possible, until nothing moves.
void Ceremony::Impl::settle(Turn& turn) {
  seen_at = turn.instant();
  seen_unix = turn.unix_s();
  for (int i = 0;; ++i) {
    KMS_ASSERT(i < kRoundsOfSettling);
    while (const auto own = turn.next_own()) take_in(*own, Source::own, turn);
    step(turn);
    if (std::exchange(has_news, false)) {
      for (const auto& envelope : early.take()) take_in(envelope, Source::checked, turn);
      continue;
    }
    if (!turn.has_own()) break;
  }
  collect_wants(turn);
}

void Ceremony::Impl::step(Turn& turn) {
  if (is_erased || voided) return;
  if (slot.kind() == Kind::import && !is_decided()) return;  // made at once, by import_keys, or never
  if (!has_decision()) {
    open(turn);
    raise_attempt(turn);
    prekeys.announce(attempts.own(), turn);
    initiate(turn);
    aggregate(turn);
    aggregate_emergency(turn);
    for (auto view = std::max(agreement.view(), 1U); view <= agreement.view() + Simplex::kViewsAhead; ++view) {
      const auto* candidate = candidates.newest(view);
      if (candidate != nullptr) answer_candidate(*candidate, turn);
    }
    admit_values(turn);
  }
  if (emergencies.certificate() == nullptr) {
    agreement.tick(turn);
    agreement.flush(candidates, turn);
  }
  candidates.forget_below(agreement.view());
  conclude(turn);
  settle_emergency(turn);
  activation.advance(turn);
  settle_fate(turn);
  repair.advance(activation, peers, turn);
  clean(turn);
  retire(turn);
}

void Ceremony::Impl::raise_attempt(Turn& turn) {
  // One dealing of an emergency is enough: a second one would only make operators choose.
  if (has_emergency_candidate() || !attempts.advance(turn.instant())) return;
  stored_attempt = attempts.own();
  const auto number = std::to_string(stored_attempt);
  turn.put("attempt", to_bytes(as_bytes(number)));
  turn.report(Event::Kind::attempt, "attempt " + number);
  has_news = true;
  // A header of the new attempt may have come while it was still ahead.
  for (const auto& [sid, round] : rounds) {
    const bool counts = round.header().emergency || !emergencies.is_ordered();
    if (counts && round.header().attempt == stored_attempt) attempts.saw_header(stored_attempt);
  }
  forget_rounds();
}

// The newest live attempt whose Deals suffice: all in, or waited for long enough.
const DealRound* Ceremony::Impl::aggregated_round(Instant now) const {
  for (auto attempt = joined.rbegin(); attempt != joined.rend(); ++attempt) {
    const auto found = rounds.find(attempt->second);
    const auto& [number, is_emergency] = attempt->first;
    if (found == rounds.end() || is_emergency || !attempts.is_live(number)) continue;
    if (has_enough_deals(found->second, now)) return &found->second;
  }
  return nullptr;
}

bool Ceremony::Impl::has_enough_deals(const DealRound& round, Instant now) const {
  const bool is_complete =
      round.dealers_heard() == slot.dealers().size() || now >= round.joined_at() + slot.plan.timing.deal_wait;
  return is_complete && round.usable().size() >= slot.deals_needed();
}

void Ceremony::Impl::aggregate(Turn& turn) {
  if (!agreement.leads() || agreement.has_value()) return;
  const auto view = agreement.view();
  const DealRound* round = nullptr;
  std::uint32_t number = 0;
  if (const auto* last = candidates.newest(view)) {
    // One sid per view; a further round only to drop convicted dealers.
    round = find_round(last->sid);
    if (round == nullptr || candidates.rounds(view) > slot.dealing().f()) return;
    const bool has_convict = std::any_of(last->list.begin(), last->list.end(),
                                         [&](const auto& entry) { return round->is_convicted(entry.dealer); });
    if (!has_convict) return;
    number = last->round + 1;
  } else {
    round = aggregated_round(turn.instant());
  }
  if (round == nullptr) return;
  const auto list = round->usable();
  if (list.size() < slot.deals_needed()) return;
  turn.say("candidate/" + std::to_string(view) + "/" + std::to_string(number),
           Candidate{slot.slot, round->sid(), view, number, list});
}

void Ceremony::Impl::answer_candidate(const Candidate& candidate, Turn& turn) {
  const auto* before = candidates.answered_before(candidate);
  if (before != nullptr && before->round >= candidate.round) return;
  auto* round = find_round(candidate.sid);
  if (round == nullptr || !round->can_receive() || !attempts.is_live(round->header().attempt)) return;
  if (round->header().emergency != (candidate.view == 0) || !is_joinable_here(round->header())) return;
  if (before != nullptr) {
    for (const auto& entry : before->list) {
      const bool is_kept = std::find(candidate.list.begin(), candidate.list.end(), entry) != candidate.list.end();
      if (!is_kept && !round->is_convicted(entry.dealer)) return;
    }
  }
  if (!round->has_valid_shares(candidate.list)) return;
  // Durable: the Deals here, the prekey that opens them since its announcement; together they are the sub-shares.
  const Value value{slot.slot, candidate.sid, candidate.list};
  round->store_deals(candidate.list, turn);
  turn.put("header/" + to_hex(candidate.sid.view()), round->header_envelope().encode());
  turn.put("value/" + to_hex(value.hash().view()), value.body());
  candidates.mark_answered(candidate);
  const auto transcript = value.transcript();
  turn.say("ready/" + to_hex(transcript.view()), Ready{slot.slot, candidate.sid, transcript, slot.receiver});
}

// Externally valid: a header that passes the checks and a CandidateCert, both durable before any vote.
void Ceremony::Impl::admit_values(Turn& turn) {
  for (const auto& [transcript, certificate] : candidates.certificates()) {
    const auto* value = candidates.find(transcript);
    auto* round = find_round(certificate.sid);
    if (value == nullptr || round == nullptr || value->sid != certificate.sid) continue;
    const auto hash = value->hash();
    if (admitted.contains(hash)) continue;
    const auto counts_absent = [&](const IndexedSignature& ready) { return round->header().is_absent(ready.index); };
    if (std::any_of(certificate.signatures.begin(), certificate.signatures.end(), counts_absent)) {
      turn.report(Event::Kind::misbehaviour, "a certificate of a candidate counts a member that its header leaves out");
      candidates.drop_certificate(TranscriptHash(transcript));
      has_news = true;
      return;
    }
    admitted.insert(hash);
    turn.put("value/" + to_hex(hash.view()), value->body());
    turn.put("header/" + to_hex(value->sid.view()), round->header_envelope().encode());
    turn.put("cert/1/" + to_hex(transcript.view()), certificate.body());
    turn.report(Event::Kind::progress,
                "a candidate of " + std::to_string(value->list.size()) + " Deals has its certificate");
    // Views never decide on what fewer than a quorum has approved.
    if (!round->header().emergency) agreement.admit(hash, turn);
  }
}

void Ceremony::Impl::conclude(Turn& turn) {
  if (!is_decided()) {
    const auto* by_emergency = emergencies.certificate();
    const auto final = by_emergency != nullptr ? std::optional(*by_emergency) : agreement.final(candidates);
    if (!final) return;
    const auto* value = candidates.find(final->transcript);
    auto* round = value == nullptr || value->sid != final->sid ? nullptr : find_round(value->sid);
    if (round == nullptr) return;
    activation.decide(*final, *value, *round, branches_of(round->header()), turn);
    turn.form(*final);
    decided_at = turn.instant();
    has_news = true;
    forget_rounds();
  } else if (auto* round = find_round(activation.record()->sid)) {
    activation.attach(*round);
  }
}

// What the phase no longer needs, the private halves of the prekeys first of all.
void Ceremony::Impl::clean(Turn& turn) {
  if (!activation.is_released()) return;
  if (!released_at) released_at = turn.instant();
  if (turn.instant() >= *released_at + kDealsMissingFor) activation.give_up(turn);
  if (is_cleaned || !is_finished()) return;
  is_cleaned = true;
  for (auto& [sid, round] : rounds) round.drop_secret();
  prekeys.destroy(turn);
  early = {};
  turn.report(Event::Kind::progress, "the prekeys of this slot are destroyed");
}

// Keeps live attempts, what a READY or a CandidateCert pins, and after the decision only its own.
void Ceremony::Impl::forget_rounds() {
  std::set<Sid> pinned;
  if (is_decided()) {
    pinned.insert(activation.record()->sid);
  } else {
    if (const auto* final = emergencies.certificate()) pinned.insert(final->sid);
    for (const auto& [transcript, certificate] : candidates.certificates()) pinned.insert(certificate.sid);
    for (const auto& [name, envelope] : outbox.all()) {
      if (envelope.type != MessageType::ready) continue;
      if (const auto ready = Ready::parse(envelope.body)) pinned.insert(ready->sid);
    }
  }
  std::erase_if(rounds, [&](const auto& entry) {
    if (pinned.contains(entry.first)) return false;
    return is_decided() || !attempts.is_live(entry.second.header().attempt);
  });
}

// Votes and certificates every 2 * Delta, everything else every second time, until it is no longer needed.
void Ceremony::Impl::repeat(Turn& turn) {
  if (turn.instant() < repeat_at) return;
  // A slot that nobody has approved yet may wait for days.
  const bool is_waiting = slot.epoch() > 0 && !attempts.is_open() && !has_decision() && approvals.empty();
  repeat_at = turn.instant() + (is_waiting ? kIdleFor : 2 * slot.plan.timing.delta);
  if (is_waiting) return;
  ++repeats;
  if (is_finished()) return;
  const bool is_initiator = attempts.is_open() && slot.leader(attempts.own()) == slot.decider;
  if (slot.branch() > 0 && !has_decision() && is_initiator) show_branch(slot.branch() - 1, turn);
  if (!has_decision()) agreement.repeat(candidates, turn, outbox);
  if (activation.is_activated() || fates.void_approvals() != nullptr) fate.repeat(fates, turn, outbox);
  if (repeats % 2 != 0) return;
  if (const auto* final = emergencies.certificate()) turn.show(*final);
  for (const auto& [name, envelope] : outbox.all()) {
    if (is_repeated(envelope)) turn.publish(envelope);
  }
}

bool Ceremony::Impl::is_repeated(const Envelope& envelope) const {
  const auto is_live_sid = [&](const auto& message) {
    const auto round = message ? rounds.find(message->sid) : rounds.end();
    return !has_decision() && round != rounds.end() && attempts.is_live(round->second.header().attempt);
  };
  switch (envelope.type) {
    case MessageType::prekey_announce:
    case MessageType::candidate:
      return !has_decision();
    case MessageType::approval: {
      const auto approval = Approval::parse(envelope.body);
      const bool is_void = approval && approval->purpose == ApprovalPurpose::voided;
      return is_void ? !activation.is_released() : !has_decision();
    }
    case MessageType::ceremony_header: {
      const auto header = CeremonyHeader::parse(envelope.body);
      return !has_decision() && header && attempts.is_live(header->attempt);
    }
    case MessageType::deal:
      return is_live_sid(Deal::parse(envelope.body));
    case MessageType::complaint:
      return is_live_sid(Complaint::parse(envelope.body));
    case MessageType::ready:
      return is_live_sid(Ready::parse(envelope.body));
    case MessageType::emergency:
      return emergencies.certificate() == nullptr && !is_decided();
    case MessageType::active:
    case MessageType::confirm:
      return !activation.is_released();
    default:
      return false;
  }
}

}  // namespace kms::dkg
