#include "dkg/candidate_book.h"

#include <algorithm>

namespace kms::dkg {

bool CandidateBook::learn(const Sid& sid, const DealList& list) {
  Value value{slot_.slot, sid, list};
  const auto transcript = value.transcript();
  if (lists_.contains(transcript)) return true;
  if (lists_.size() >= kListsMax && !forget_oldest_list()) return false;
  lists_order_.push_back(transcript);
  values_.emplace(value.hash(), transcript);
  lists_.emplace(transcript, std::move(value));
  return true;
}

bool CandidateBook::is_in_use(const TranscriptHash& transcript) const {
  if (certificates_.contains(transcript)) return true;
  const auto names_it = [&](const std::optional<Candidate>& candidate) {
    return candidate && Value{slot_.slot, candidate->sid, candidate->list}.transcript() == transcript;
  };
  const auto is_named = [&](const auto& entry) {
    return names_it(entry.second.newest) || names_it(entry.second.answered);
  };
  return std::any_of(views_.begin(), views_.end(), is_named) || std::any_of(by_sid_.begin(), by_sid_.end(), is_named);
}

bool CandidateBook::forget_oldest_list() {
  const auto oldest = std::find_if(lists_order_.begin(), lists_order_.end(),
                                   [&](const TranscriptHash& transcript) { return !is_in_use(transcript); });
  if (oldest == lists_order_.end()) return false;
  const auto list = lists_.find(*oldest);
  values_.erase(list->second.hash());
  lists_.erase(list);
  lists_order_.erase(oldest);
  return true;
}

const Value* CandidateBook::find(const TranscriptHash& transcript) const {
  const auto found = lists_.find(transcript);
  return found == lists_.end() ? nullptr : &found->second;
}

const Value* CandidateBook::find(const ValueHash& value) const {
  const auto found = values_.find(value);
  return found == values_.end() ? nullptr : find(found->second);
}

std::optional<AgreedValue> CandidateBook::agreed(const ValueHash& value) const {
  const auto* found = find(value);
  if (found == nullptr) return std::nullopt;
  const auto transcript = found->transcript();
  return AgreedValue{found->sid, transcript, found->list, std::nullopt, certificate(transcript)};
}

bool CandidateBook::wants(const Candidate& candidate) const {
  if (candidate.list.size() < slot_.deals_needed() || candidate.list.size() > slot_.deals_max()) return false;
  for (const auto& entry : candidate.list) {
    if (!slot_.dealers().has(entry.dealer)) return false;
  }
  const auto* track = track_of(candidate);
  if (track == nullptr) return candidate.view > 0 || by_sid_.size() < kSidsMax;
  if (!track->newest) return true;
  const auto& newest = *track->newest;
  return newest.sid == candidate.sid && candidate.round > newest.round && track->rounds <= slot_.dealing().f();
}

const CandidateBook::ViewCandidates* CandidateBook::track_of(const Candidate& candidate) const {
  if (candidate.view == 0) {
    const auto found = by_sid_.find(candidate.sid);
    return found == by_sid_.end() ? nullptr : &found->second;
  }
  const auto found = views_.find(candidate.view);
  return found == views_.end() ? nullptr : &found->second;
}

void CandidateBook::add(const Candidate& candidate) {
  if (!wants(candidate) || !learn(candidate.sid, candidate.list)) return;
  auto& view = candidate.view == 0 ? by_sid_[candidate.sid] : views_[candidate.view];
  view.newest = candidate;
  ++view.rounds;
}

const Candidate* CandidateBook::newest(std::uint32_t view) const {
  const auto found = views_.find(view);
  return found == views_.end() || !found->second.newest ? nullptr : &*found->second.newest;
}

void CandidateBook::mark_answered(const Candidate& candidate) {
  auto& view = candidate.view == 0 ? by_sid_[candidate.sid] : views_[candidate.view];
  view.answered = candidate;
}

const Candidate* CandidateBook::newest_of(const Sid& sid) const {
  const auto found = by_sid_.find(sid);
  return found == by_sid_.end() || !found->second.newest ? nullptr : &*found->second.newest;
}

const Candidate* CandidateBook::answered_before(const Candidate& candidate) const {
  const auto* track = track_of(candidate);
  return track == nullptr || !track->answered ? nullptr : &*track->answered;
}

std::uint32_t CandidateBook::rounds_of(const Sid& sid) const {
  const auto found = by_sid_.find(sid);
  return found == by_sid_.end() ? 0 : found->second.rounds;
}

std::uint32_t CandidateBook::rounds(std::uint32_t view) const {
  const auto found = views_.find(view);
  return found == views_.end() ? 0 : found->second.rounds;
}

void CandidateBook::forget_below(std::uint32_t view) {
  views_.erase(views_.begin(), views_.lower_bound(view));
}

bool CandidateBook::wants_ready(Position member, const TranscriptHash& transcript) const {
  const auto found = readied_.find(member);
  if (found == readied_.end()) return true;
  return std::none_of(found->second.begin(), found->second.end(),
                      [&](const ReadyName& name) { return name.transcript == transcript; });
}

void CandidateBook::forget_oldest_ready(Position member) {
  auto& names = readied_.at(member);
  const auto signatures = readys_.find({names.front().sid, names.front().transcript});
  names.pop_front();
  if (signatures == readys_.end()) return;
  signatures->second.erase(member);
  if (signatures->second.empty()) readys_.erase(signatures);
}

bool CandidateBook::add_ready(const Ready& ready, const Signature& signature) {
  auto& names = readied_[ready.index];
  if (names.size() >= kReadysPerMember) forget_oldest_ready(ready.index);
  names.push_back({ready.sid, ready.transcript});
  auto& signatures = readys_[{ready.sid, ready.transcript}];
  signatures.emplace(ready.index, signature);
  if (signatures.size() < slot_.receiving().q() || certificates_.contains(ready.transcript)) return false;
  Signatures votes;
  for (const auto& [member, vote] : signatures) votes.push_back({member, vote});
  certificates_.emplace(ready.transcript, candidate_certificate(ready, std::move(votes)));
  return true;
}

std::vector<Position> CandidateBook::ready_members(const TranscriptHash& transcript) const {
  std::vector<Position> members;
  for (const auto& [member, names] : readied_) {
    if (!wants_ready(member, transcript)) members.push_back(member);
  }
  return members;
}

std::size_t CandidateBook::readys(const TranscriptHash& transcript) const {
  return ready_members(transcript).size();
}

const Certificate* CandidateBook::certificate(const TranscriptHash& transcript) const {
  const auto found = certificates_.find(transcript);
  return found == certificates_.end() ? nullptr : &found->second;
}

}  // namespace kms::dkg
