// What happened in ceremonies, for operators: who did what, with the evidence that shows it to others. Decides nothing.
//
// It lives in the node's store, too: each call gives the writes that keep it, each of which is bounded, and `restore`
// reads them back. What a member can cause without end is kept in memory only beyond kPeerNotesStored, so that a liar
// does not turn into a disk that is always busy.
#pragma once

#include <deque>
#include <map>

#include "dkg/effects.h"
#include "dkg/ids.h"

namespace kms::node {

class CeremonyLog {
 public:
  static constexpr std::size_t kSlotsMax = 16;                            // the oldest goes first, with all of it
  static constexpr std::size_t kNotesMax = 64;                            // a slot; the oldest go first
  static constexpr std::size_t kPeerNotesStored = 16;                     // a slot; later ones end with the process
  static constexpr std::size_t kBlamesMax = 64;                           // a slot; later ones are only logged
  static constexpr std::size_t kEvidenceBytesMax = std::size_t{4} << 20;  // in all; beyond it only the hash is kept
  static constexpr std::size_t kOneEvidenceBytesMax = std::size_t{512} << 10;  // the same, of one blame
  static constexpr std::size_t kTextBytesMax = 1024;                           // longer texts are cut

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
  // Who causes a note: this node's own progress, or something that another member did.
  enum class Cause : std::uint8_t { own, peer };

  // From what earlier writes left; a record that does not parse is passed over.
  static CeremonyLog restore(const dkg::Records& records);

  dkg::Checkpoint note(const dkg::SlotId& slot, Note note, Cause cause);
  struct Blamed {
    Hash32 evidence_hash{};
    dkg::Checkpoint save;  // empty: the slot has this evidence, or as many blames as it may
  };
  Blamed blame(const dkg::SlotId& slot, Note note, Bytes evidence);
  // nullptr: nothing happened there.
  const Slot* find(const dkg::SlotId& slot) const;

 private:
  struct Held {
    Slot seen;
    std::deque<std::uint64_t> stored_notes;  // numbers of the notes in the store
    std::uint64_t next_note = 0;
    std::size_t peer_notes = 0;  // of those that are or were stored
  };
  Held& at(const dkg::SlotId& slot, dkg::Checkpoint& save);
  void take_record(const dkg::SlotId& slot, std::string_view name, ByteView value);

  std::map<dkg::SlotId, Held> slots_;
  std::deque<dkg::SlotId> order_;  // oldest first
  std::size_t evidence_bytes_ = 0;
};

}  // namespace kms::node
