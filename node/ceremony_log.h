// What happened in ceremonies, for operators: who did what, with the evidence that shows it to others. Decides nothing
// and forgets with the process.
#pragma once

#include <deque>
#include <map>

#include "dkg/effects.h"
#include "dkg/ids.h"

namespace kms::node {

class CeremonyLog {
 public:
  static constexpr std::size_t kSlotsMax = 16;
  static constexpr std::size_t kNotesMax = 64;                            // a slot; the oldest go first
  static constexpr std::size_t kBlamesMax = 64;                           // a slot; later ones are only logged
  static constexpr std::size_t kEvidenceBytesMax = std::size_t{4} << 20;  // in all; beyond it only the hash is kept

  struct Note {
    std::int64_t unix_ms = 0;
    std::string text;
    std::string member;  // whom it is about, for people; may be empty
  };
  struct Blame {
    Note note;
    Hash32 evidence_hash{};  // SHA-256
    Bytes evidence;          // a Blame or Equivocation body; empty: too large to keep
  };
  struct Slot {
    std::deque<Note> notes;
    std::vector<Blame> blames;
  };

  void note(const dkg::SlotId& slot, Note note);
  // Gives the hash of the evidence.
  Hash32 blame(const dkg::SlotId& slot, Note note, Bytes evidence);
  // nullptr: nothing happened there.
  const Slot* find(const dkg::SlotId& slot) const;

 private:
  Slot& at(const dkg::SlotId& slot);
  std::map<dkg::SlotId, Slot> slots_;
  std::deque<dkg::SlotId> order_;  // oldest first
  std::size_t evidence_bytes_ = 0;
};

}  // namespace kms::node
