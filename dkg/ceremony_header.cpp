// How a slot opens and an attempt begins: approvals, headers, joining (PROTOCOL.md 4.1).
#include "dkg/ceremony_impl.h"

namespace kms::dkg {

// Checks 2 to 6 of PROTOCOL.md 4.1 without the own-prekey clause and without a clock.
HeaderVerdict Ceremony::Impl::judge_header(const CeremonyHeader& header, const CertificateId& void_cert) const {
  const auto* previous = slot.previous();
  const auto last = previous == nullptr ? std::nullopt : std::optional(previous->header.epoch);
  if (auto fault = check_terms(header, slot.terms(), last, void_cert)) return fault;
  if (auto fault = check_threshold(header, slot.plan.lower)) return fault;
  if (previous == nullptr) {
    if (auto fault = check_genesis(header, slot.plan.members, slot.plan.threshold, slot.plan.file)) return fault;
    return check_members(header, slot.plan.network_id);
  }
  const bool is_planned = header.committee() == slot.plan.members && header.threshold == slot.plan.threshold &&
                          header.file == slot.plan.file && header.kind == slot.kind();
  if (!is_planned || (header.emergency && header.kind != Kind::reshare)) {
    return HeaderFault::committee_differs_from_file;
  }
  if (auto fault = check_approvals(header, slot.plan.network_id, slot.deciders())) return fault;
  if (auto fault = check_old_epoch(header, previous->as_old())) return fault;
  return check_members(header, slot.plan.network_id);
}

// Check 1: a refresh without approvals needs the own clock's word.
bool Ceremony::Impl::may_open(const CeremonyHeader& header, const Turn& turn) const {
  if (slot.previous() == nullptr) return true;
  if (!is_joinable_here(header)) return false;
  if (!header.approvals.empty()) return !check_expiry(header, turn.unix_s());
  return slot.plan.refresh && slot.plan.refresh->may_join(turn.unix_s());
}

bool Ceremony::Impl::may_join(const CeremonyHeader& header, const Turn& turn) const {
  if (has_decision() || joined.contains(attempt_of(header)) || !attempts.is_live(header.attempt)) return false;
  return may_open(header, turn) && !check_expiry(header, turn.unix_s());
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const CeremonyHeader& header, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (header.terms.key_set != slot.plan.key_set || header.slot() != slot.slot) return Taken::no;
  if (header.initiator != slot.leader(header.attempt) || sender.decider != header.initiator) return Taken::no;
  const auto sid = header.sid();
  if (rounds.contains(sid)) return Taken::no;
  const bool is_pushed = source == Source::peer || source == Source::checked;
  const bool is_asked = pulls.wants(id_cast<ObjectId>(sid)) || !is_pushed;
  // A new member hears of an emergency by its header first, whatever attempt that has reached.
  const bool is_first = header.attempt <= 1 || (header.emergency && slot.decider == 0);
  const bool is_live = attempts.is_open() ? attempts.is_live(header.attempt) : is_first;
  // Not headers[..]: nothing is noted before the signature is checked.
  const auto pushed = headers.find(attempt_of(header));
  if (!is_asked && (is_decided() || (pushed != headers.end() && pushed->second >= 2))) return Taken::no;
  if (!is_authentic(header, envelope, sender, source)) return Taken::no;
  if (!is_asked && !is_live) return Taken::early;
  if (header.branch > 0 && !void_certs.contains(header.void_cert)) {
    wanted_void = header.void_cert;
    return Taken::early;
  }
  spent += static_cast<std::int64_t>(2 * header.members.size() + header.approvals.size());
  if (const auto fault = judge_header(header, header.void_cert)) {
    is_refuted = true;
    const bool is_foreign =
        *fault == HeaderFault::committee_differs_from_file || *fault == HeaderFault::key_set_terms_differ;
    turn.report(is_foreign ? Event::Kind::parameters : Event::Kind::misbehaviour,
                "a header is refused: " + std::string(name_of(*fault)), Culprit::member(sender.member));
    return Taken::no;
  }
  // One that came by push is nothing to a node whose clock or file does not let the slot open; one that a certificate
  // names has been judged by those who signed it.
  if (is_pushed && !may_open(header, turn)) return Taken::no;
  if (is_pushed) ++headers[attempt_of(header)];
  // A valid header opens the slot: in a DKG each member's own file is its approval.
  const bool is_opened = source == Source::stored ? is_joinable_here(header) : may_open(header, turn);
  if (!attempts.is_open() && !has_decision() && is_opened) {
    attempts.open(stored_attempt, turn.instant());
    repeat_at = std::min(repeat_at, turn.instant());
  }
  const auto own = prekeys.own_key(header.attempt);
  const bool is_present =
      slot.receiver != 0 && !header.is_absent(slot.receiver) && own && !check_own_prekey(header, slot.receiver, own);
  auto& round = rounds.try_emplace(sid, slot, header, envelope, is_present ? prekeys.secret(header.attempt) : nullptr)
                    .first->second;
  // One that was joined, forgotten with its attempt, and is asked for again by a certificate.
  const auto before = joined.find(attempt_of(header));
  if (before != joined.end() && before->second == sid) round.mark_joined(turn.instant());
  has_news = true;
  if (header.emergency || !emergencies.is_ordered()) attempts.saw_header(header.attempt);
  if (source == Source::stored) return Taken::yes;
  if (may_join(header, turn)) {
    joined.emplace(attempt_of(header), sid);
    round.join(turn.instant(), turn);
    agreement.wait_for_deals(turn.instant() + slot.plan.timing.deal_wait);
    if (!is_present && slot.receiver != 0) {
      turn.report(Event::Kind::progress, "attempt " + std::to_string(header.attempt) + " counts this node as absent");
    }
  }
  agreement.start(turn.instant());
  return Taken::yes;
}

void Ceremony::Impl::open(Turn& turn) {
  if (attempts.is_open()) return;
  if (slot.previous() == nullptr) {
    const bool is_reached = slot.plan.genesis == Genesis::automatic && connected() >= slot.deciding().q();
    if (!is_ordered && !is_reached) return;
  } else {
    const bool is_due = slot.plan.refresh && slot.plan.refresh->is_due(turn.unix_s());
    if (!is_due && !approvals.quorum(approvals_needed(), turn.unix_s())) return;
  }
  attempts.open(stored_attempt, turn.instant());
  repeat_at = std::min(repeat_at, turn.instant());
  has_news = true;
  turn.report(Event::Kind::phase, "the slot is open");
}

// Check 1 and 6 as the initiator: everybody who announced, or after Delta_prekey whoever did if they are q'.
void Ceremony::Impl::initiate(Turn& turn) {
  if (!attempts.is_open() || slot.decider == 0) return;
  const auto attempt = attempts.own();
  const bool is_emergency = emergencies.is_ordered();
  if (is_emergency && has_emergency_candidate()) return;
  const auto name = (is_emergency ? "emergency-header/" : "header/") + std::to_string(attempt);
  if (slot.leader(attempt) != slot.decider || turn.has_said(name)) return;
  const auto members = slot.receivers().size();
  const auto announced = prekeys.announced(attempt);
  const bool is_waited = turn.instant() >= attempts.opened() + slot.plan.timing.prekey_wait;
  if (announced < slot.receiving().q() || (announced < members && !is_waited)) return;
  const auto* previous = slot.previous();
  const auto approved = previous == nullptr ? std::nullopt : approvals.quorum(approvals_needed(), turn.unix_s());
  const bool may_refresh = slot.plan.refresh && slot.plan.refresh->may_join(turn.unix_s());
  if (previous != nullptr && !approved && (!may_refresh || is_emergency)) return;
  CeremonyHeader header{.kind = slot.kind(),
                        .emergency = is_emergency,
                        .terms = slot.terms(),
                        .epoch = slot.epoch(),
                        .branch = slot.branch(),
                        .void_cert = slot.plan.voided.empty() ? CertificateId{} : slot.plan.voided.back().fate.id(),
                        .attempt = attempt,
                        .initiator = slot.decider,
                        .old = previous == nullptr ? std::nullopt : std::optional(previous->as_old()),
                        .members = {},
                        .threshold = slot.receiving(),
                        .file = slot.plan.file,
                        .not_after = approved ? approved->not_after : slot.plan.not_after,
                        .approvals = approved ? approved->signatures : std::vector<IndexedSignature>{},
                        .registry_ref = {}};
  std::size_t present = 0;
  for (Position member = 1; member <= members; ++member) {
    auto prekey = prekeys.find(member, attempt);
    if (prekey) ++present;
    header.members.push_back({slot.receivers().at(member), std::move(prekey)});
  }
  if (present < slot.receiving().q()) return;
  if (slot.branch() > 0) show_branch(slot.branch() - 1, turn);
  turn.say(name, header);
}

// One plan a slot at a time: two quorums of approvals then share an honest member, and only one of two plans can have
// one that is not over.
void Ceremony::Impl::approve(std::uint64_t not_after, Turn& turn) {
  if (slot.previous() == nullptr || slot.decider == 0 || has_decision()) return;
  auto approval = approvals.form(not_after);
  const auto is_same_plan = [&](const Approval& other) {
    return other.members == approval.members && other.threshold == approval.threshold && other.file == approval.file;
  };
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type != MessageType::approval) continue;
    const auto other = Approval::parse(envelope.body);
    const bool is_over = other && other->not_after < turn.unix_s();
    if (!other || is_over || emergencies.is_ordered() || other->purpose != ApprovalPurpose::reshare ||
        is_same_plan(*other))
      continue;
    turn.report(Event::Kind::parameters, "this node has approved another plan for this epoch");
    return;
  }
  approval.signature = slot.key->sign(approval.approval_digest(slot.plan.network_id));
  // In an emergency another plan may have been approved until the same time.
  const auto name = "approval/" + std::to_string(not_after);
  turn.say_as_signed(emergencies.is_ordered() ? name + "/" + to_hex(approval.file.view()) : name, approval);
}

}  // namespace kms::dkg
