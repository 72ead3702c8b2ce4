#include "dkg/agreement.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {
namespace {

SimplexSettings settings_of(const SlotContext& slot, Instance instance) {
  const auto& timing = slot.plan.timing;
  SimplexSettings settings;
  settings.members = slot.deciding().n();
  settings.quorum = slot.deciding().q();
  settings.self = slot.decider;
  settings.offset = static_cast<std::uint16_t>(slot.leader(0) - 1);
  settings.view_base = 3 * timing.delta;
  if (instance == Instance::slot) settings.view_base += 2 * timing.candidate_wait;
  settings.view_max = timing.view_max;
  settings.stretch = 2 * timing.candidate_wait;
  settings.stretches = slot.dealing().f();
  return settings;
}

std::optional<VoteKind> vote_kind_of(CertificateKind kind) {
  switch (kind) {
    case CertificateKind::notar:
      return VoteKind::notarize;
    case CertificateKind::null:
      return VoteKind::nullify;
    case CertificateKind::final:
      return VoteKind::finalize;
    default:
      return std::nullopt;
  }
}

// A Proposal names the Nulls of the last views only; all of them follow from its views, and are pulled by their ids.
std::uint32_t first_null_named(std::uint32_t view, std::uint32_t parent_view) {
  constexpr auto kMax = static_cast<std::uint32_t>(Proposal::kNullCertsMax);
  return std::max(parent_view + 1, view > kMax ? view - kMax : 1U);
}

}  // namespace

Agreement::Agreement(const SlotContext& slot, Instance instance)
    : slot_(slot),
      instance_(instance),
      prefix_(instance == Instance::slot ? "" : "fate/"),
      simplex_(settings_of(slot, instance)) {}

std::string Agreement::name_of(const OwnVote& vote) const {
  return prefix_ + "vote/" + std::to_string(vote.view) + "/" + std::to_string(static_cast<int>(vote.kind));
}

std::string Agreement::name_of_proposal(std::uint32_t view) const {
  return prefix_ + "proposal/" + std::to_string(view);
}

bool Agreement::wants_vote(Position member, const Vote& vote) const {
  return vote.instance == instance_ && vote.slot == slot_.slot &&
         simplex_.wants_vote(member, {vote.view, vote.kind, vote.value});
}

bool Agreement::wants_proposal(Position member, const Proposal& proposal) const {
  return proposal.instance == instance_ && proposal.slot == slot_.slot &&
         simplex_.wants_proposal(member, proposal.view);
}

bool Agreement::wants_certificate(const Certificate& certificate) const {
  if (certificate.slot != slot_.slot || certificate.instance != instance_) return false;
  const auto kind = vote_kind_of(certificate.kind);
  return kind && simplex_.wants_certificate({certificate.view, *kind, certificate.value});
}

void Agreement::add_vote(Position member, const Vote& vote, const Signature& signature, Instant now) {
  simplex_.add_vote({member, {vote.view, vote.kind, vote.value}, signature}, now);
}

bool Agreement::add_proposal(Position member, const Proposal& proposal, const Envelope& envelope, Turn& turn) {
  // Everything but (view, value, parent_view) follows from those three; a proposal that says otherwise is malformed.
  const bool is_slot = instance_ == Instance::slot;
  if (is_slot && proposal.transcript != transcript_hash(proposal.sid, proposal.list)) return false;
  const auto value = proposal.value();
  if (proposal.parent_view >= proposal.view) return false;
  const auto parent =
      proposal.parent_view == 0 ? CertificateId{} : id_of({proposal.parent_view, VoteKind::notarize, value});
  if (proposal.parent_cert != parent) return false;
  const auto first_null = first_null_named(proposal.view, proposal.parent_view);
  if (proposal.null_certs.size() != proposal.view - first_null) return false;
  for (std::uint32_t i = 0; i < proposal.null_certs.size(); ++i) {
    if (proposal.null_certs[i] != id_of({first_null + i, VoteKind::nullify, {}})) return false;
  }
  const auto [first, is_new] = proposals_.try_emplace(proposal.view, envelope);
  if (!is_new) {
    const auto before = Proposal::parse(first->second.body);
    if (before && before->value() != value) {
      const Equivocation evidence{EquivocationKind::proposal, first->second.encode(), envelope.encode()};
      turn.report(Event::Kind::blame, "two Proposals in view " + std::to_string(proposal.view),
                  Culprit::decider(member), evidence.body());
    }
  }
  simplex_.add_proposal(member, {proposal.view, value, proposal.parent_view}, turn.instant());
  return true;
}

void Agreement::add_certificate(const Certificate& certificate, Turn& turn) {
  const auto kind = vote_kind_of(certificate.kind);
  if (!kind) return;
  received_.insert(certificate.id());
  simplex_.add_certificate({{certificate.view, *kind, certificate.value}, certificate.signatures}, turn.instant());
}

void Agreement::admit(const ValueHash& value, Turn& turn) {
  is_admitted_ = true;
  simplex_.admit(value, turn.instant());
}

void Agreement::admit_first(const ValueHash& value, Turn& turn) {
  simplex_.prefer(value);
  admit(value, turn);
}

void Agreement::tick(Turn& turn) {
  simplex_.tick(turn.instant());
}

std::vector<Envelope> Agreement::finalizes_against(Position member, const ValueHash& value) const {
  std::vector<Envelope> out;
  for (const auto& vote : simplex_.finalizes_of(member)) {
    if (vote.vote.value != value) out.push_back(envelope_of(vote));
  }
  return out;
}

void Agreement::use_emergency(const CertificateId& certificate, Instant now) {
  if (emergency_ == certificate) return;
  emergency_ = certificate;
  auto before = std::exchange(held_, {});
  for (const auto& [id, statement] : before) held_.emplace(id_of(statement), statement);
  simplex_.lower_quorum(slot_.deciding().q_em(), now);
}

Envelope Agreement::envelope_of(const AgreementVote& vote) const {
  return {slot_.plan.network_id, MessageType::vote, slot_.deciders().at(vote.voter).node, message_of(vote.vote).body(),
          vote.signature};
}

Vote Agreement::message_of(const OwnVote& vote) const {
  return {instance_, slot_.slot, vote.view, vote.kind, vote.value};
}

Certificate Agreement::certificate_of(const AgreementCertificate& certificate) const {
  return view_certificate(message_of(certificate.statement), emergency_, certificate.votes);
}

CertificateId Agreement::id_of(const OwnVote& statement) const {
  return view_certificate(message_of(statement), emergency_, {{1, {}}}).id();
}

template <class Book>
void Agreement::flush(const Book& book, Turn& turn) {
  const auto step = simplex_.take();
  if (step.entered) turn.report(Event::Kind::view, prefix_ + "view " + std::to_string(*step.entered));
  for (const auto& conflict : step.conflicts) report_conflict(conflict, turn);
  for (const auto& held : step.certificates) {
    const auto& statement = held.statement;
    if (statement.kind == VoteKind::finalize) continue;  // stored and forwarded with sid and T, once those are known
    const auto certificate = certificate_of(held);
    held_.emplace(certificate.id(), statement);
    turn.put(
        prefix_ + "cert/" + std::to_string(static_cast<int>(statement.kind)) + "/" + std::to_string(statement.view),
        certificate.body());
    if (!received_.contains(certificate.id())) turn.form(certificate);
  }
  if (step.proposal) say_proposal(*step.proposal, book, turn);
  for (const auto& vote : step.votes) turn.say(name_of(vote), message_of(vote));
  if (step.entered) std::erase_if(proposals_, [&](const auto& entry) { return entry.first < *step.entered; });
}

template <class Book>
void Agreement::say_proposal(const AgreementProposal& proposal, const Book& book, Turn& turn) {
  const auto value = book.agreed(proposal.value);
  KMS_ASSERT(value && value->justification != nullptr);
  Proposal message;
  message.instance = instance_;
  message.slot = slot_.slot;
  message.view = proposal.view;
  message.sid = value->sid;
  message.transcript = value->transcript;
  message.list = value->list;
  message.fate = value->fate;
  message.justification = value->justification->id();
  message.parent_view = proposal.parent_view;
  if (proposal.parent_view > 0) {
    message.parent_cert = id_of({proposal.parent_view, VoteKind::notarize, proposal.value});
  }
  for (auto view = first_null_named(proposal.view, proposal.parent_view); view < proposal.view; ++view) {
    message.null_certs.push_back(id_of({view, VoteKind::nullify, {}}));
  }
  turn.show(*value->justification);
  turn.say(name_of_proposal(proposal.view), message);
}

void Agreement::report_conflict(const AgreementConflict& conflict, Turn& turn) const {
  const bool is_same_kind = conflict.first.vote.kind == conflict.second.vote.kind;
  // Two finalizes of one view need two notars of it: whoever signed both is already shown by those, or by this pair.
  const auto kind = is_same_kind ? EquivocationKind::notarize : EquivocationKind::nullify_finalize;
  const Equivocation evidence{kind, envelope_of(conflict.first).encode(), envelope_of(conflict.second).encode()};
  turn.report(Event::Kind::blame,
              "two votes that exclude each other in view " + std::to_string(conflict.first.vote.view),
              Culprit::decider(conflict.first.voter), evidence.body());
}

template <class Book>
void Agreement::repeat(const Book& book, Turn& turn, const Outbox& outbox) const {
  const auto again = simplex_.repeat();
  for (const auto& certificate : again.certificates) {
    if (certificate.statement.kind != VoteKind::finalize) turn.show(certificate_of(certificate));
  }
  if (again.proposal) {
    const auto value = book.agreed(again.proposal->value);
    if (value && value->justification != nullptr) turn.show(*value->justification);
    if (const auto* said = outbox.find(name_of_proposal(again.proposal->view))) turn.publish(*said);
  }
  for (const auto& vote : again.votes) {
    if (const auto* said = outbox.find(name_of(vote))) turn.publish(*said);
  }
}

std::optional<ValueHash> Agreement::decided() const {
  if (!simplex_.decision()) return std::nullopt;
  return simplex_.decision()->statement.value;
}

template <class Book>
std::optional<Certificate> Agreement::final(const Book& book) const {
  const auto hash = decided();
  if (!hash) return std::nullopt;
  const auto value = book.agreed(*hash);
  if (!value) return std::nullopt;
  const auto& decision = *simplex_.decision();
  return final_certificate(message_of(decision.statement), value->sid, value->transcript, emergency_, decision.votes);
}

std::vector<ObjectId> Agreement::missing() const {
  std::vector<ObjectId> out;
  if (const auto hash = decided()) return {id_cast<ObjectId>(*hash)};
  const auto missing = simplex_.missing();
  for (const auto& value : missing.values) out.push_back(id_cast<ObjectId>(value));
  for (const auto& statement : missing.certificates) out.push_back(id_cast<ObjectId>(id_of(statement)));
  return out;
}

std::optional<Certificate> Agreement::find(const ObjectId& id) const {
  const auto held = held_.find(id_cast<CertificateId>(id));
  if (held == held_.end()) return std::nullopt;
  const auto* certificate = simplex_.find(held->second.kind, held->second.view);
  if (certificate == nullptr) return std::nullopt;
  return certificate_of(*certificate);
}

void Agreement::restore(const Records& records, const Outbox& outbox, Instant now) {
  for (const auto& [name, envelope] : outbox.all()) {
    if (envelope.type == MessageType::vote) {
      const auto vote = Vote::parse(envelope.body);
      if (vote && vote->instance == instance_) simplex_.recall_vote({vote->view, vote->kind, vote->value});
    }
    if (envelope.type == MessageType::proposal) {
      const auto proposal = Proposal::parse(envelope.body);
      if (!proposal || proposal->instance != instance_) continue;
      simplex_.recall_proposal({proposal->view, proposal->value(), proposal->parent_view});
    }
  }
  for (const auto& key : records.list(slot_.prefix + prefix_ + "cert/")) {
    const auto body = records.find(key);
    if (!body) continue;
    const auto certificate = Certificate::parse(*body);
    if (!certificate || !wants_certificate(*certificate)) continue;
    const auto kind = vote_kind_of(certificate->kind);
    simplex_.add_certificate({{certificate->view, *kind, certificate->value}, certificate->signatures}, now);
  }
}

template void Agreement::flush(const CandidateBook&, Turn&);
template void Agreement::flush(const FateBook&, Turn&);
template void Agreement::repeat(const CandidateBook&, Turn&, const Outbox&) const;
template void Agreement::repeat(const FateBook&, Turn&, const Outbox&) const;
template std::optional<Certificate> Agreement::final(const CandidateBook&) const;
template std::optional<Certificate> Agreement::final(const FateBook&) const;

}  // namespace kms::dkg
