#include "dkg/ceremony_impl.h"

namespace kms::dkg {
namespace {

using Source = Ceremony::Impl::Source;

// A further object goes into another reply, so that each fits an envelope (256 KiB).
constexpr std::size_t kReplyBytesWanted = 64 * 1024;

// Points and scalars may have been read before the fault: 33 bytes are about 5 us.
constexpr std::size_t kMalformedBytesPerUnit = 512;
constexpr std::size_t kHashesPerUnit = 8;  // looked up

// The shares of a Link's checks: certificates, prekeys of the header, tables.
std::int64_t cost_of(const Link& link) {
  std::size_t units = link.final.signatures.size() + link.activation.signatures.size() + 2 * link.header.members.size();
  if (link.fate) units += link.fate->signatures.size();
  for (const auto& voided : link.voids) units += voided.signatures.size();
  for (const auto& table : link.tables) units += table.shares.size();
  return static_cast<std::int64_t>(units);
}

// Whether a message shows that its sender is still at work on this slot. What concerns another epoch does not; a
// NodeStatus tells of each slot by itself; a Deal and a Complaint name no slot, and their senders say other things,
// too.
template <class M>
bool is_work_on(const SlotContext& slot, const M& message) {
  if constexpr (std::is_same_v<M, CeremonyHeader>) {
    return message.slot() == slot.slot;
  } else if constexpr (std::is_same_v<M, PreKeyAnnounce>) {
    // Prekeys for repairs are announced by who has decided.
    return message.series == Series::ceremony && message.key_set == slot.plan.key_set &&
           message.epoch == slot.epoch() && message.branch == slot.branch();
  } else if constexpr (requires { message.slot; }) {
    return message.slot == slot.slot;
  } else {
    return false;
  }
}

}  // namespace

bool Ceremony::Impl::is_valid(const Certificate& certificate, Source source) {
  if (source == Source::stored) return true;
  spent += static_cast<std::int64_t>(certificate.signatures.size());
  auto committees = slot.committees();
  // Before the header is known anybody may seem to be there; admit_values looks again.
  const auto* round = certificate.kind == CertificateKind::candidate ? find_round(certificate.sid) : nullptr;
  if (round != nullptr) committees.absent = round->header().absent();
  const bool is_verified = verify(certificate, committees).has_value();
  is_refuted = is_refuted || !is_verified;
  return is_verified;
}

bool Ceremony::Impl::is_heard(const Envelope& envelope, const Seat& sender, Source source, Turn& turn) {
  if (source != Source::peer && source != Source::fetched) return true;
  if (!is_charged || envelope.type == MessageType::node_status) return true;
  // Not headers: one that came early may be asked for meanwhile.
  const bool may_be_kept = source == Source::peer && envelope.type != MessageType::ceremony_header;
  if ((may_be_kept && early.has(sender.member, envelope)) || refusals.has_refused(envelope)) return false;
  return refusals.may_cost(author, turn.instant());
}

void Ceremony::Impl::note_questions(const Envelope& envelope, Turn& turn) {
  const auto fetch = Fetch::parse(envelope.body);
  if (!fetch) return;
  for (const auto& id : fetch->hashes) pulls.heard_asking(id, turn.instant());
}

void Ceremony::Impl::settle_cost(const Envelope& envelope, Taken taken, Turn& turn) {
  const auto units = std::exchange(spent, 0);
  const bool is_refused = std::exchange(is_refuted, false);
  if (!is_charged || taken == Taken::yes || units == 0) return;
  if (is_refused) refusals.refuse(envelope);
  if (!refusals.charge(author, units, turn.instant())) return;
  turn.report(Event::Kind::misbehaviour, "it sent more that does not verify than is checked for it; it waits",
              Culprit::member(author));
}

void Ceremony::Impl::take_in(const Envelope& envelope, Source source, Turn& turn) {
  if (envelope.network != slot.plan.network_id) return;
  const auto place = slot.everybody().position_of(envelope.sender);
  if (!place) return;
  const Seat& sender = slot.seat(*place);
  if (voided) {
    if (source == Source::peer && *place != slot.member) tell_void(envelope, *place, turn);
    return;
  }
  // Also of whom this node has stopped listening to: others answer, and are not to be charged for that.
  if (envelope.type == MessageType::fetch && source == Source::peer) note_questions(envelope, turn);
  if (!is_heard(envelope, sender, source, turn)) return;
  // Shown to somebody who lags; for everybody else it is the largest message of all, and nothing in it is new.
  if (envelope.type == MessageType::epoch_chain && activation.is_released()) return;
  // A Deal names no slot; whoever has its share, or is no receiver, needs none of this one.
  if (envelope.type == MessageType::deal && source == Source::peer && is_finished()) return;
  // Repeated by everybody until the decision, and costly to parse: eight points.
  if (envelope.type == MessageType::prekey_announce) {
    const auto epoch = PreKeyAnnounce::epoch_of(envelope.body);
    if (epoch && *epoch != slot.epoch()) return;
    if (!has_decision() && prekeys.holds(sender.receiver, envelope)) return;
  }
  const auto message = parse_message(envelope);
  if (!message) {
    if (source != Source::peer) return;
    // Nobody has checked in whose name it speaks.
    turn.report(Event::Kind::misbehaviour, "a malformed message: " + message.error().message, Culprit::member(author));
    spent += 1 + static_cast<std::int64_t>(envelope.body.size() / kMalformedBytesPerUnit);
    is_refuted = true;
    settle_cost(envelope, Taken::no, turn);
    return;
  }
  const auto taken = std::visit([&](const auto& m) { return judge(m, envelope, sender, source, turn); }, *message);
  settle_cost(envelope, taken, turn);
  if (taken == Taken::early) early.keep(*place, envelope);
  if (source != Source::peer || *place == slot.member) return;
  const bool is_at_work = std::visit([&](const auto& m) { return is_work_on(slot, m); }, *message);
  if (is_at_work) show_decision(envelope.type, *place, Phase::closed, turn);
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Approval& approval, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (approval.purpose == ApprovalPurpose::voided) {
    return judge_void_approval(approval, envelope, sender, source, turn);
  }
  if (approval.purpose == ApprovalPurpose::repair) return judge_ticket(approval, sender, source, turn);
  if (has_decision() || !approvals.wants(sender.decider, approval, turn.unix_s())) return Taken::no;
  if (source == Source::peer || source == Source::fetched) {
    if (approval.not_after < turn.unix_s()) return Taken::no;
    ++spent;
    is_refuted = !approvals.is_signed(approval);
    if (is_refuted) return Taken::no;
  }
  // The first approval wakes a slot that waits; each further one need not be answered with all that was said.
  if (approvals.empty()) repeat_at = std::min(repeat_at, turn.instant());
  approvals.add(approval, turn.unix_s());
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const PreKeyAnnounce& announce, const Envelope& envelope,
                                            const Seat& sender, Source source, Turn& turn) {
  if (sender.receiver == 0) return Taken::no;
  if (announce.series == Series::repair) {
    if (!repair.wants(sender.receiver, announce)) return Taken::no;
    if (!is_authentic(announce, envelope, sender, source)) return Taken::no;
    repair.add(sender.receiver, announce, envelope, turn);
    return Taken::yes;
  }
  if (is_decided() || !prekeys.wants(sender.receiver, announce, attempts.own())) return Taken::no;
  if (!is_authentic(announce, envelope, sender, source)) return Taken::no;
  prekeys.add(sender.receiver, announce, envelope, turn);
  return Taken::yes;
}

// Whether a Deal of an attempt no longer live is still needed: asked for, or pinned by a READY or a decision.
bool Ceremony::Impl::serves_decision(const DealRound& round, const DealHash& hash) const {
  return attempts.is_live(round.header().attempt) || pulls.wants(id_cast<ObjectId>(hash));
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Deal& deal, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (sender.dealer == 0 || deal.dealer != sender.dealer) return Taken::no;
  const auto hash = deal.hash();
  auto* round = find_round(deal.sid);
  if (round == nullptr) {
    if (is_decided() || !is_authentic(deal, envelope, sender, source)) return Taken::no;
    return Taken::early;
  }
  // The decided T may name another one than the two that this node happened to get.
  const bool is_of_decision = is_decided() && pulls.wants(id_cast<ObjectId>(hash)) && round->find(hash) == nullptr;
  if (!is_of_decision && !round->wants(sender.dealer, hash)) return Taken::no;
  if (source != Source::stored && !serves_decision(*round, hash)) return Taken::no;
  if (is_decided() && source != Source::stored && !pulls.wants(id_cast<ObjectId>(hash))) return Taken::no;
  if (!is_authentic(deal, envelope, sender, source)) return Taken::no;
  const auto convictions = round->convictions();
  spent += static_cast<std::int64_t>(round->header().keys()) * round->header().threshold.t();
  is_refuted = !round->add(deal, hash, envelope, turn);
  if (round->convictions() > convictions) agreement.stretch_view();
  has_news = true;
  return is_refuted ? Taken::no : Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Complaint& complaint, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (is_decided() || sender.receiver == 0 || complaint.receiver != sender.receiver) return Taken::no;
  auto* round = find_round(complaint.sid);
  if (round == nullptr || round->find(complaint.deal) == nullptr) {
    return is_authentic(complaint, envelope, sender, source) ? Taken::early : Taken::no;
  }
  if (!attempts.is_live(round->header().attempt) || !round->wants_complaint(complaint)) return Taken::no;
  if (!is_authentic(complaint, envelope, sender, source)) return Taken::no;
  if (round->add_complaint(complaint, envelope, turn)) agreement.stretch_view();
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Candidate& candidate, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn&) {
  if (candidate.slot != slot.slot || has_decision()) return Taken::no;
  if (candidate.view == 0) return judge_view_zero(candidate, envelope, sender, source);
  const auto current = agreement.view();
  if (candidate.view < current) return Taken::no;
  if (candidate.view > current + Simplex::kViewsAhead || sender.decider != agreement.leader(candidate.view))
    return Taken::no;
  if (!candidates.wants(candidate)) return Taken::no;
  if (!is_authentic(candidate, envelope, sender, source)) return Taken::no;
  candidates.add(candidate);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Ready& ready, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn&) {
  if (ready.slot != slot.slot || sender.receiver == 0 || ready.index != sender.receiver || has_decision())
    return Taken::no;
  if (!candidates.wants_ready(sender.receiver, ready.transcript)) return Taken::no;
  if (!is_authentic(ready, envelope, sender, source)) return Taken::no;
  const auto* round = find_round(ready.sid);
  if (round == nullptr) return Taken::early;
  if (round->header().is_absent(sender.receiver)) return Taken::no;
  const bool is_late = candidates.certificate(ready.transcript) != nullptr;
  if (!attempts.is_live(round->header().attempt) && !is_late && source != Source::stored) return Taken::no;
  candidates.add_ready(ready, *envelope.signature);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Certificate& certificate, const Envelope&, const Seat&, Source source,
                                            Turn& turn) {
  if (certificate.slot != slot.slot) {
    return slot.branch() > 0 ? judge_branch_before(certificate, turn) : Taken::no;
  }
  if (!is_zero(certificate.emergency_cert)) {
    // Only as good as the one that it names.
    const auto* final = emergencies.certificate();
    const bool is_fate = certificate.instance == Instance::fate;
    if (!is_fate || final == nullptr || final->id() != certificate.emergency_cert) return Taken::no;
  }
  if (source == Source::peer) forwarder.heard(certificate);
  switch (certificate.kind) {
    case CertificateKind::candidate:
      if (has_decision() || candidates.certificate(certificate.transcript) != nullptr) return Taken::no;
      if (candidates.certificates().size() >= CandidateBook::kListsMax || !is_valid(certificate, source))
        return Taken::no;
      candidates.add_certificate(certificate);
      agreement.start(turn.instant());
      return Taken::yes;
    case CertificateKind::notar:
    case CertificateKind::null:
    case CertificateKind::final: {
      if (certificate.instance == Instance::fate) return judge_fate(certificate, source, turn);
      if (emergencies.certificate() != nullptr || !agreement.wants_certificate(certificate)) return Taken::no;
      if (!is_valid(certificate, source)) return Taken::no;
      agreement.add_certificate(certificate, turn);
      agreement.start(turn.instant());
      return Taken::yes;
    }
    case CertificateKind::activation:
      if (activation.is_activated()) return Taken::no;
      if (!is_decided()) return is_valid(certificate, source) ? Taken::early : Taken::no;
      if (certificate.transcript != activation.record()->transcript || !is_valid(certificate, source)) return Taken::no;
      activation.add_certificate(certificate, turn);
      return Taken::yes;
    case CertificateKind::emergency:
      return judge_emergency_certificate(certificate, source, turn);
    case CertificateKind::void_approvals:
      return judge_void_certificate(certificate, source, turn);
  }
  return Taken::no;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Proposal& proposal, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  auto& track = proposal.instance == Instance::fate ? fate : agreement;
  if (proposal.instance == Instance::slot && emergencies.certificate() != nullptr) return Taken::no;
  if (sender.decider == 0 || !track.wants_proposal(sender.decider, proposal)) return Taken::no;
  if (!is_authentic(proposal, envelope, sender, source)) return Taken::no;
  if (!track.add_proposal(sender.decider, proposal, envelope, turn)) {
    turn.report(Event::Kind::misbehaviour, "a Proposal contradicts itself", Culprit::decider(sender.decider));
    return Taken::no;
  }
  if (proposal.instance == Instance::slot) candidates.learn(proposal.sid, proposal.list);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Vote& vote, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  auto& track = vote.instance == Instance::fate ? fate : agreement;
  if (vote.instance == Instance::slot && emergencies.certificate() != nullptr) return Taken::no;
  if (sender.decider == 0 || !track.wants_vote(sender.decider, vote)) return Taken::no;
  if (!is_authentic(vote, envelope, sender, source)) return Taken::no;
  track.add_vote(sender.decider, vote, *envelope.signature, turn.instant());
  if (vote.instance == Instance::slot && vote.kind == VoteKind::finalize) compare_with_finalize(sender.decider, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Active& active, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (active.slot != slot.slot || sender.receiver == 0 || active.index != sender.receiver) return Taken::no;
  if (!is_decided()) return is_authentic(active, envelope, sender, source) ? Taken::early : Taken::no;
  if (!activation.wants_active(sender.receiver, active, envelope)) return Taken::no;
  if (!is_authentic(active, envelope, sender, source)) return Taken::no;
  return activation.add_active(sender.receiver, active, envelope, turn) ? Taken::yes : Taken::no;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Confirm& confirm, const Envelope& envelope, const Seat& sender,
                                            Source source, Turn& turn) {
  if (confirm.slot != slot.slot || sender.receiver == 0 || confirm.index != sender.receiver) return Taken::no;
  if (!is_decided()) return is_authentic(confirm, envelope, sender, source) ? Taken::early : Taken::no;
  if (!activation.wants_confirm(sender.receiver, confirm)) return Taken::no;
  if (!is_authentic(confirm, envelope, sender, source)) return Taken::no;
  activation.add_confirm(confirm, envelope, turn);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const EpochChain& chain, const Envelope&, const Seat&, Source, Turn& turn) {
  if (activation.is_released()) return Taken::no;
  for (const auto& link : chain.links) {
    if (link.header.slot() != slot.slot) continue;
    // One slot has one Link in an honest chain.
    spent += cost_of(link);
    is_refuted = true;
    if (link.header.kind == Kind::import && slot.kind() != Kind::import) {
      turn.report(Event::Kind::misbehaviour, "it shows an imported key, though the network file names none",
                  Culprit::member(author));
    }
    // Which of the certificates that gave up the branch before the header names, the Link proves.
    const auto record = verify_link(link, slot.plan.network_id, slot.previous(), slot.plan.imported);
    if (!record || judge_header(link.header, link.header.void_cert)) return Taken::no;
    is_refuted = false;
    adopt(*record, turn);
    return Taken::yes;
  }
  return Taken::no;
}

void Ceremony::Impl::adopt(const EpochRecord& record, Turn& turn) {
  if (is_decided() && activation.record()->transcript != record.transcript) return;
  candidates.learn(record.sid, record.list);
  if (record.final.kind == CertificateKind::emergency) emergencies.add_certificate(record.final, turn);
  agreement.add_certificate(record.final, turn);
  activation.adopt(record, find_round(record.sid), turn);
  has_news = true;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Value& value, const Envelope&, const Seat&, Source source, Turn&) {
  if (value.slot != slot.slot) return Taken::no;
  const bool is_asked = pulls.wants(id_cast<ObjectId>(value.hash())) ||
                        pulls.wants(id_cast<ObjectId>(value.transcript())) || source == Source::stored;
  if (!is_asked) return Taken::no;
  candidates.learn(value.sid, value.list);
  return Taken::yes;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const Fetch& fetch, const Envelope&, const Seat& sender, Source source,
                                            Turn& turn) {
  if (source != Source::peer || sender.member == slot.member) return Taken::no;
  FetchReply reply;
  std::size_t size = 0;
  spent += static_cast<std::int64_t>(1 + fetch.hashes.size() / kHashesPerUnit);
  for (const auto& id : fetch.hashes) {
    const auto object = find_object(id);
    if (!object || !pulls.may_answer(sender.member, id, turn.instant())) continue;
    auto bytes = object->encode();
    if (!reply.objects.empty() && size + bytes.size() > kReplyBytesWanted) {
      turn.show(std::exchange(reply, {}));
      size = 0;
    }
    size += bytes.size();
    reply.objects.push_back(std::move(bytes));
    ++spent;
  }
  if (!reply.objects.empty()) turn.show(reply);
  return Taken::no;  // what is given is charged to who asks
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const FetchReply& reply, const Envelope&, const Seat&, Source source,
                                            Turn& turn) {
  if (source != Source::peer || !pulls.wants_any()) return Taken::no;
  std::int64_t in_vain = 0;
  for (const auto& bytes : reply.objects) {
    const auto units = static_cast<std::int64_t>(1 + bytes.size() / kMalformedBytesPerUnit);
    const auto envelope = Envelope::parse(bytes);
    const bool is_object = envelope && envelope->type != MessageType::fetch_reply;
    const auto message = is_object ? parse_message(*envelope) : Result<Message>(error("no object"));
    if (!message) {
      in_vain += units;
      continue;
    }
    const auto id = object_id(*envelope, *message);
    const auto* value = std::get_if<Value>(&*message);
    const auto by_transcript = value == nullptr ? std::nullopt : std::optional(id_cast<ObjectId>(value->transcript()));
    const auto is_any = [&](const auto& says) { return (id && says(*id)) || (by_transcript && says(*by_transcript)); };
    if (is_any([&](const ObjectId& one) { return pulls.wants(one); })) {
      take_in(*envelope, Source::fetched, turn);
    } else if (!is_any([&](const ObjectId& one) { return pulls.was_asked_for(one, turn.instant()); })) {
      in_vain += units;
    }
  }
  spent += in_vain;
  return Taken::no;
}

Ceremony::Impl::Taken Ceremony::Impl::judge(const NodeStatus& status, const Envelope&, const Seat& sender,
                                            Source source, Turn& turn) {
  if (source != Source::peer || sender.member == slot.member) return Taken::no;
  for (const auto& entry : status.entries) {
    if (entry.key_set != slot.plan.key_set || entry.epoch != slot.epoch()) continue;
    const bool is_behind = entry.branch < slot.branch() && entry.state < static_cast<std::uint32_t>(Phase::voided);
    if (is_behind && pulls.may_show(sender.member, 2 * slot.plan.timing.delta, turn.instant())) {
      show_branch(entry.branch, turn);
    }
    if (entry.branch != slot.branch()) continue;
    if (entry.state > static_cast<std::uint32_t>(Phase::closed) && sender.decider != 0) {
      attempts.heard(sender.decider, entry.attempt);
    }
    if (entry.state >= 1 && entry.state <= static_cast<std::uint32_t>(Phase::voided)) {
      const auto phase = static_cast<Phase>(entry.state);
      show_decision(MessageType::node_status, sender.member, phase, turn);
      if (phase == Phase::need_repair) repair.heard_need(sender.receiver, activation, turn);
      if (phase >= Phase::active && sender.receiver != 0) repair.heard_next(sender.receiver, entry.prekey_next);
    }
  }
  return Taken::yes;
}

}  // namespace kms::dkg
