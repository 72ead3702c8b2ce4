#include "node/ceremony_log.h"

#include "crypto/sha256.h"

namespace kms::node {

CeremonyLog::Slot& CeremonyLog::at(const dkg::SlotId& slot) {
  const auto [found, is_new] = slots_.try_emplace(slot);
  if (is_new) {
    order_.push_back(slot);
    if (order_.size() > kSlotsMax) {
      for (const Blame& blame : slots_.at(order_.front()).blames) evidence_bytes_ -= blame.evidence.size();
      slots_.erase(order_.front());
      order_.pop_front();
    }
  }
  return found->second;
}

void CeremonyLog::note(const dkg::SlotId& slot, Note note) {
  Slot& to = at(slot);
  to.notes.push_back(std::move(note));
  if (to.notes.size() > kNotesMax) to.notes.pop_front();
}

Hash32 CeremonyLog::blame(const dkg::SlotId& slot, Note note, Bytes evidence) {
  const Hash32 hash = crypto::sha256(evidence);
  Slot& to = at(slot);
  if (to.blames.size() >= kBlamesMax) return hash;
  if (evidence_bytes_ + evidence.size() > kEvidenceBytesMax) evidence.clear();
  evidence_bytes_ += evidence.size();
  to.blames.push_back({std::move(note), hash, std::move(evidence)});
  return hash;
}

const CeremonyLog::Slot* CeremonyLog::find(const dkg::SlotId& slot) const {
  const auto found = slots_.find(slot);
  return found == slots_.end() ? nullptr : &found->second;
}

}  // namespace kms::node
