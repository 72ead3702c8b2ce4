#include "dkg/simplex.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {
namespace {

constexpr std::size_t kValuesMax = 256;  // admitted hashes; every one needs a CandidateCert

}  // namespace

Simplex::Simplex(const SimplexSettings& settings) : settings_(settings) {
  KMS_ASSERT(settings.members >= 1 && settings.quorum >= 1 && settings.quorum <= settings.members);
  KMS_ASSERT(settings.self <= settings.members);
}

Position Simplex::leader(std::uint32_t view) const {
  return static_cast<Position>((settings_.offset + static_cast<std::uint64_t>(view)) % settings_.members + 1);
}

void Simplex::recall_vote(const OwnVote& vote) {
  auto& own = own_[vote.view];
  if (vote.kind == VoteKind::notarize) own.notarized = vote.value;
  if (vote.kind == VoteKind::finalize) own.finalized = vote.value;
  if (vote.kind == VoteKind::nullify) own.nullified = true;
}

void Simplex::recall_proposal(const AgreementProposal& proposal) {
  own_[proposal.view].proposed = proposal;
}

void Simplex::start(Instant now) {
  if (is_started() || decision_) return;
  std::uint32_t view = 1;
  if (!notars_.empty()) view = std::max(view, notars_.rbegin()->first + 1);
  if (!nulls_.empty()) view = std::max(view, nulls_.rbegin()->first + 1);
  // A vote for a view was stored together with the certificate that led there, unless that one came from `forget`.
  if (!own_.empty()) view = std::max(view, own_.rbegin()->first);
  enter(view, now);
  act(now);
}

bool Simplex::wants_vote(Position voter, const OwnVote& vote) const {
  if (decision_ || voter < 1 || voter > settings_.members || vote.view < 1) return false;
  const std::uint64_t behind = vote.kind == VoteKind::finalize ? kFinalizeBehind : 0;
  if (vote.view + behind < view_ || vote.view > view_ + kViewsAhead) return false;
  const auto ballot = votes_.find({vote.view, vote.kind});
  if (ballot == votes_.end()) return true;
  const auto seen = ballot->second.find(voter);
  if (seen == ballot->second.end()) return true;
  return seen->second.size() < 2 && seen->second.front().vote != vote;
}

bool Simplex::wants_proposal(Position from, std::uint32_t view) const {
  if (decision_ || view < std::max(view_, 1U) || view > view_ + kViewsAhead || from != leader(view)) return false;
  const auto seen = proposals_.find(view);
  return seen == proposals_.end() || seen->second.size() < kProposalsPerView;
}

bool Simplex::wants_certificate(const OwnVote& statement) const {
  if (decision_ || statement.view < 1) return false;
  if (statement.kind == VoteKind::finalize) return true;
  const auto& held = statement.kind == VoteKind::notarize ? notars_ : nulls_;
  if (held.contains(statement.view)) return false;
  const auto kept = statement.kind == VoteKind::notarize ? kViewsKept : kNullsKept;
  return held.size() < kept || statement.view > held.begin()->first;
}

void Simplex::add_vote(const AgreementVote& vote, Instant now) {
  if (!wants_vote(vote.voter, vote.vote)) return;
  note_conflicts(vote);
  votes_[{vote.vote.view, vote.vote.kind}][vote.voter].push_back(vote);
  count(vote.vote, now);
  act(now);
}

void Simplex::note_conflicts(const AgreementVote& vote) {
  const auto look = [&](VoteKind kind) -> const AgreementVote* {
    const auto ballot = votes_.find({vote.vote.view, kind});
    if (ballot == votes_.end()) return nullptr;
    const auto seen = ballot->second.find(vote.voter);
    return seen == ballot->second.end() ? nullptr : &seen->second.front();
  };
  if (const auto* other = look(vote.vote.kind)) step_.conflicts.push_back({*other, vote});
  if (vote.vote.kind == VoteKind::nullify) {
    if (const auto* other = look(VoteKind::finalize)) step_.conflicts.push_back({*other, vote});
  }
  if (vote.vote.kind == VoteKind::finalize) {
    if (const auto* other = look(VoteKind::nullify)) step_.conflicts.push_back({*other, vote});
  }
}

void Simplex::count(const OwnVote& statement, Instant now) {
  AgreementCertificate certificate{statement, {}};
  for (const auto& [voter, votes] : votes_.at({statement.view, statement.kind})) {
    const auto same = std::find_if(votes.begin(), votes.end(), [&](const auto& v) { return v.vote == statement; });
    if (same != votes.end()) certificate.votes.push_back({voter, same->signature});
  }
  if (certificate.votes.size() < settings_.quorum) return;
  certificate.votes.resize(settings_.quorum);
  if (wants_certificate(statement)) hold(certificate, now);
}

void Simplex::add_proposal(Position from, const AgreementProposal& proposal, Instant now) {
  if (!wants_proposal(from, proposal.view) || proposal.parent_view >= proposal.view) return;
  auto& seen = proposals_[proposal.view];
  if (std::find(seen.begin(), seen.end(), proposal) != seen.end()) return;
  seen.push_back(proposal);
  act(now);
}

void Simplex::add_certificate(const AgreementCertificate& certificate, Instant now) {
  if (!wants_certificate(certificate.statement)) return;
  hold(certificate, now);
  act(now);
}

void Simplex::hold(const AgreementCertificate& certificate, Instant now) {
  const auto& [view, kind, value] = certificate.statement;
  step_.certificates.push_back(certificate);
  if (kind == VoteKind::finalize) {
    decision_ = certificate;
    step_.decided = true;
    deadline_.reset();
    return;
  }
  if (kind == VoteKind::notarize) {
    notars_.emplace(view, certificate);
    // Also for a view long left: safe, since finalize and nullify of one view exclude each other in any order.
    const bool is_free = !bound_ || *bound_ == value;
    if (settings_.self != 0 && is_free && !own_[view].nullified && !own_[view].finalized) {
      cast({view, VoteKind::finalize, value});
    }
  } else {
    nulls_.emplace(view, certificate);
  }
  if (is_started() && view >= view_) enter(view + 1, now);
}

void Simplex::admit(const ValueHash& value, Instant now) {
  if (decision_ || admitted_.size() >= kValuesMax) return;
  if (std::find(admitted_.begin(), admitted_.end(), value) != admitted_.end()) return;
  admitted_.push_back(value);
  act(now);
}

std::optional<ValueHash> Simplex::finalized_other_than(const ValueHash& value) const {
  for (const auto& [view, own] : own_) {
    if (own.finalized && *own.finalized != value) return own.finalized;
  }
  return std::nullopt;
}

void Simplex::lower_quorum(std::uint16_t quorum, Instant now) {
  KMS_ASSERT(quorum >= 1 && quorum <= settings_.quorum);
  if (quorum == settings_.quorum) return;
  settings_.quorum = quorum;
  std::vector<OwnVote> statements;
  for (const auto& [ballot, voters] : votes_) {
    for (const auto& [voter, votes] : voters) {
      for (const auto& vote : votes) statements.push_back(vote.vote);
    }
  }
  for (const auto& statement : statements) {
    // Counting may enter a view and forget ballots.
    if (votes_.contains({statement.view, statement.kind})) count(statement, now);
  }
  act(now);
}

std::vector<AgreementVote> Simplex::finalizes_of(Position voter) const {
  std::vector<AgreementVote> out;
  for (const auto& [ballot, voters] : votes_) {
    const auto found = voters.find(voter);
    if (ballot.second != VoteKind::finalize || found == voters.end()) continue;
    out.insert(out.end(), found->second.begin(), found->second.end());
  }
  return out;
}

void Simplex::stretch_view() {
  if (!deadline_ || stretched_ >= settings_.stretches) return;
  ++stretched_;
  *deadline_ += settings_.stretch;
}

void Simplex::enter(std::uint32_t view, Instant now) {
  view_ = view;
  stretched_ = 0;
  step_.entered = view;
  const Duration left = std::max(Duration{0}, deals_until_ - now);
  const Duration base = left + settings_.view_base;
  const std::uint32_t doublings = std::min(view, 20U);
  deadline_ = now + std::min(base * (std::int64_t{1} << doublings), settings_.view_max);
  forget();
}

void Simplex::tick(Instant now) {
  if (!is_started() || decision_) return;
  if (deadline_ && now >= *deadline_) {
    deadline_.reset();
    auto& own = own_[view_];
    if (settings_.self != 0 && !own.finalized && !own.nullified) cast({view_, VoteKind::nullify, {}});
  }
  act(now);
}

std::optional<Instant> Simplex::wakes_at() const {
  return decision_ ? std::nullopt : deadline_;
}

void Simplex::act(Instant) {
  if (!is_started() || decision_ || settings_.self == 0) return;
  propose();
  vote_for_proposal();
}

// The first view after `after` and below the current one whose Null is not held.
std::optional<std::uint32_t> Simplex::first_gap(std::uint32_t after) const {
  for (std::uint32_t view = after + 1; view < view_; ++view) {
    if (!nulls_.contains(view)) return view;
  }
  return std::nullopt;
}

std::optional<ValueHash> Simplex::highest_notarized() const {
  if (notars_.empty()) return std::nullopt;
  return notars_.rbegin()->second.statement.value;
}

void Simplex::propose() {
  auto& own = own_[view_];
  if (!leads() || own.proposed || own.nullified || own.finalized) return;
  AgreementProposal proposal{view_, {}, 0};
  if (!notars_.empty()) {
    proposal.parent_view = notars_.rbegin()->first;
    proposal.value = *highest_notarized();
    if (std::find(admitted_.begin(), admitted_.end(), proposal.value) == admitted_.end()) return;
  } else {
    if (admitted_.empty()) return;
    const bool is_preferred =
        preferred_ && std::find(admitted_.begin(), admitted_.end(), *preferred_) != admitted_.end();
    proposal.value = is_preferred ? *preferred_ : admitted_.front();
  }
  if (first_gap(proposal.parent_view)) return;
  own.proposed = proposal;
  step_.proposal = proposal;
}

bool Simplex::is_justified(const AgreementProposal& proposal) const {
  if (proposal.parent_view > 0) {
    const auto notar = notars_.find(proposal.parent_view);
    if (notar == notars_.end() || notar->second.statement.value != proposal.value) return false;
  }
  return !first_gap(proposal.parent_view);
}

void Simplex::vote_for_proposal() {
  const auto& own = own_[view_];
  if (own.nullified || own.notarized) return;
  const auto seen = proposals_.find(view_);
  if (seen == proposals_.end()) return;
  for (const auto& proposal : seen->second) {
    if (std::find(admitted_.begin(), admitted_.end(), proposal.value) == admitted_.end()) continue;
    if (!is_justified(proposal)) continue;
    cast({view_, VoteKind::notarize, proposal.value});
    return;
  }
}

void Simplex::cast(const OwnVote& vote) {
  recall_vote(vote);
  step_.votes.push_back(vote);
}

// Votes of views that no rule reads any more. Own votes are kept: they bind for ever.
void Simplex::forget() {
  std::erase_if(votes_, [&](const auto& ballot) {
    const auto& [view, kind] = ballot.first;
    return view + (kind == VoteKind::finalize ? kFinalizeBehind : 0) < view_;
  });
  std::erase_if(proposals_, [&](const auto& entry) { return entry.first < view_; });
  while (notars_.size() > kViewsKept) notars_.erase(notars_.begin());
  while (nulls_.size() > kNullsKept) nulls_.erase(nulls_.begin());
}

SimplexStep Simplex::take() {
  return std::exchange(step_, {});
}

const AgreementCertificate* Simplex::find(VoteKind kind, std::uint32_t view) const {
  if (kind == VoteKind::finalize) return decision_ ? &*decision_ : nullptr;
  const auto& held = kind == VoteKind::notarize ? notars_ : nulls_;
  const auto found = held.find(view);
  return found == held.end() ? nullptr : &found->second;
}

Simplex::Missing Simplex::missing() const {
  Missing missing;
  if (!is_started() || decision_ || settings_.self == 0) return missing;
  const auto need = [&](const AgreementProposal& proposal) {
    if (std::find(admitted_.begin(), admitted_.end(), proposal.value) == admitted_.end()) {
      missing.values.insert(proposal.value);
    }
    if (proposal.parent_view > 0 && !notars_.contains(proposal.parent_view)) {
      missing.certificates.push_back({proposal.parent_view, VoteKind::notarize, proposal.value});
    }
    for (std::uint32_t view = proposal.parent_view + 1; view < view_; ++view) {
      if (!nulls_.contains(view)) missing.certificates.push_back({view, VoteKind::nullify, {}});
    }
  };
  const auto own = own_.find(view_);
  const bool is_done = own != own_.end() && (own->second.nullified || own->second.notarized);
  if (const auto seen = proposals_.find(view_); seen != proposals_.end() && !is_done) {
    for (const auto& proposal : seen->second) need(proposal);
  }
  if (leads() && !is_done && (own == own_.end() || !own->second.proposed)) {
    if (!notars_.empty()) {
      need({view_, *highest_notarized(), notars_.rbegin()->first});
    } else if (!admitted_.empty()) {
      need({view_, admitted_.front(), 0});
    }
  }
  return missing;
}

Simplex::Repeat Simplex::repeat() const {
  Repeat repeat;
  if (decision_) {
    repeat.certificates.push_back(*decision_);
    return repeat;
  }
  std::optional<OwnVote> last_finalize;
  for (const auto& [view, own] : own_) {
    if (own.finalized) last_finalize = OwnVote{view, VoteKind::finalize, *own.finalized};
  }
  if (last_finalize) repeat.votes.push_back(*last_finalize);
  std::uint32_t justified_from = view_ > 1 ? view_ - 2 : 0;
  if (const auto current = own_.find(view_); current != own_.end()) {
    const auto& own = current->second;
    if (own.notarized) repeat.votes.push_back({view_, VoteKind::notarize, *own.notarized});
    if (own.nullified) repeat.votes.push_back({view_, VoteKind::nullify, {}});
    repeat.proposal = own.proposed;
    if (own.proposed) justified_from = own.proposed->parent_view;
  }
  // Who lacks older ones asks for them.
  if (view_ > kNullsRepeated) justified_from = std::max(justified_from, view_ - kNullsRepeated);
  if (!notars_.empty()) repeat.certificates.push_back(notars_.rbegin()->second);
  for (auto null = nulls_.upper_bound(justified_from); null != nulls_.end(); ++null) {
    repeat.certificates.push_back(null->second);
  }
  return repeat;
}

}  // namespace kms::dkg
