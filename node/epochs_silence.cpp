// A node whose disk was lost or rolled back: it signs nothing in slots that were open before its return
// (PROTOCOL.md 4.9).
#include <charconv>

#include "node/epochs.h"

namespace kms::node {
namespace {

constexpr const char* kRecord = "epochs/silent";  // "all", or the number of an epoch

}  // namespace

void Epochs::restore_silence(Disk disk) {
  is_silent_ = disk == Disk::rolled_back;
  is_silence_noted_ = !is_silent_;
  const auto stored = records_->find(kRecord);
  if (!stored || is_silent_) return;
  const auto text = as_text(*stored);
  std::uint32_t epoch = 0;
  const bool is_number = std::from_chars(text.data(), text.data() + text.size(), epoch).ec == std::errc();
  is_silent_ = !is_number;
  if (is_number) silent_epoch_ = epoch;
}

bool Epochs::has_returned(const dkg::Records& records) {
  return records.find(kRecord).has_value();
}

void Epochs::note_silence(EpochSteps& out) const {
  const std::string text = is_silent_ ? "all" : std::to_string(silent_epoch_.value_or(0));
  dkg::Effects note;
  note.save.writes.push_back(dkg::Put{kRecord, to_bytes(as_bytes(text))});
  out.steps.push_back({next_slot(), std::move(note)});
}

// Once f + 1 members, one of them honest, are no further than this node, and not as many are, only the slot that comes
// next can have been open before its return. What counts is each member's last word.
void Epochs::hear_report(const dkg::Envelope& envelope, const dkg::NodeId& author, EpochSteps& out) {
  if (!is_silent_ || author == id_) return;
  const dkg::Committee members = newest_ ? newest_->header.committee() : genesis_->members;
  const dkg::Threshold& threshold = newest_ ? newest_->header.threshold : genesis_->threshold;
  const auto status = dkg::NodeStatus::parse(envelope.body);
  if (!status || !members.position_of(author)) return;
  bool is_level = false;
  for (const auto& entry : status->entries) {
    if (entry.key_set != genesis_->key_set) continue;
    const bool is_released = entry.state == static_cast<std::uint32_t>(dkg::Phase::released) ||
                             entry.state == static_cast<std::uint32_t>(dkg::Phase::need_repair);
    // Who left knows of later epochs, too, although it has no part in them.
    if (entry.epoch > wanted() || (is_released && entry.epoch == wanted())) {
      level_.erase(author);
      further_.insert(author);
      return;
    }
    is_level = true;
  }
  if (!is_level) return;
  further_.erase(author);
  level_.insert(author);
  if (level_.size() < threshold.f() + 1u || further_.size() > threshold.f()) return;
  is_silent_ = false;
  silent_epoch_ = wanted();
  note_silence(out);
}

}  // namespace kms::node
