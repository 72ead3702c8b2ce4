// Prekeys of one slot: the own windows and what the others announced (PROTOCOL.md 4.1 "Prekeys").
#pragma once

#include <map>

#include "dkg/turn.h"

namespace kms::dkg {

class PrekeyBook {
 public:
  explicit PrekeyBook(const SlotContext& slot) : slot_(slot) {}

  // Announces the windows that an own attempt number asks for; a window once announced is never made anew.
  void announce(std::uint32_t attempt, Turn& turn);
  // The private half for an attempt, or nullptr.
  const crypto::SecretScalar* secret(std::uint32_t attempt) const;
  std::optional<crypto::Point> own_key(std::uint32_t attempt) const;
  std::uint32_t next() const { return next_; }

  // Bounds before the signature is checked: one announcement and one conflicting per (member, first).
  bool wants(Position member, const PreKeyAnnounce& announce, std::uint32_t attempt) const;
  // Whether it is an announcement of this member that was added before, byte for byte.
  bool holds(Position member, const Envelope& envelope) const;
  void add(Position member, const PreKeyAnnounce& announce, const Envelope& envelope, Turn& turn);
  // The prekey of a member for an attempt: of its first announcement, checked, or nothing.
  std::optional<SignedPrekey> find(Position member, std::uint32_t attempt) const;
  std::size_t announced(std::uint32_t attempt) const;
  bool has_announced(Position member, std::uint32_t attempt) const;

  void restore(const Records& records, const Outbox& outbox);
  // Wipes the private halves here and in the store.
  void destroy(Turn& turn);

 private:
  struct Announced {
    PreKeyAnnounce announce;
    Envelope envelope;
    bool has_conflict = false;
  };
  static std::uint32_t window_of(std::uint32_t attempt);

  const SlotContext& slot_;
  std::map<std::uint32_t, crypto::SecretScalar> secrets_;  // by number
  std::map<std::pair<Position, std::uint32_t>, Announced> announced_;
  std::uint32_t next_ = 0;
  bool is_destroyed_ = false;
};

}  // namespace kms::dkg
