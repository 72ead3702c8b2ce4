#include "dkg/emergency_book.h"

#include <algorithm>

namespace kms::dkg {

bool EmergencyBook::wants(Position decider, const Emergency& vote) const {
  if (vote.slot != slot_.slot || decider == 0 || vote.index != decider) return false;
  const auto held = votes_.find(decider);
  if (held == votes_.end()) return true;
  const bool is_same = held->second.vote.sid == vote.sid && held->second.vote.transcript == vote.transcript;
  return !is_same && !held->second.has_conflict;
}

void EmergencyBook::add(const Emergency& vote, const Envelope& envelope, Turn& turn) {
  const auto [held, is_new] = votes_.try_emplace(vote.index, HeldVote{vote, envelope});
  if (!is_new) {
    held->second.has_conflict = true;
    const Equivocation evidence{EquivocationKind::emergency, held->second.envelope.encode(), envelope.encode()};
    turn.report(Event::Kind::blame, "two dealings named in an emergency", Culprit::decider(vote.index),
                evidence.body());
    return;
  }
  if (certificate_) return;
  Signatures votes;
  for (const auto& [member, other] : votes_) {
    const bool is_same = other.vote.sid == vote.sid && other.vote.transcript == vote.transcript;
    if (is_same) votes.push_back({member, *other.envelope.signature});
  }
  const std::string count = std::to_string(votes.size()) + " of " + std::to_string(slot_.deciding().q_em());
  turn.report(Event::Kind::progress, "emergency: " + count + " members have signed one dealing");
  if (votes.size() < slot_.deciding().q_em()) {
    if (is_split()) {
      turn.report(Event::Kind::misbehaviour,
                  "operators name different dealings in this emergency; what is signed cannot be taken back");
    }
    return;
  }
  certificate_ = emergency_certificate(vote, std::move(votes));
  turn.show(*certificate_);
}

void EmergencyBook::add_certificate(const Certificate& certificate, Turn& turn) {
  if (!certificate_) {
    certificate_ = certificate;
    return;
  }
  if (certificate_->transcript == certificate.transcript) return;
  turn.report(Event::Kind::misbehaviour,
              "two emergency certificates for one slot: more members cheat than an emergency can bear");
}

std::vector<Position> EmergencyBook::signers(const TranscriptHash& transcript) const {
  std::vector<Position> out;
  for (const auto& [member, held] : votes_) {
    if (held.vote.transcript == transcript) out.push_back(member);
  }
  return out;
}

const EmergencyBook::HeldVote* EmergencyBook::vote_of(Position decider) const {
  const auto held = votes_.find(decider);
  return held == votes_.end() ? nullptr : &held->second;
}

bool EmergencyBook::is_split() const {
  return std::any_of(votes_.begin(), votes_.end(), [&](const auto& entry) {
    return entry.second.vote.transcript != votes_.begin()->second.vote.transcript;
  });
}

}  // namespace kms::dkg
