// Prekeys of series 1: the own ones, one key-encryption key each so that each can be destroyed alone, and what the
// others announced (PROTOCOL.md 4.1 "Prekeys", 4.8).
#pragma once

#include <map>
#include <set>

#include "dkg/turn.h"

namespace kms::dkg {

class RepairPrekeys {
 public:
  explicit RepairPrekeys(const SlotContext& slot) : slot_(slot) {}

  void restore(const Records& records, const Outbox& outbox);

  // The own windows: the first one at once, the next when half of the last is used.
  void announce(Turn& turn);
  // Shows the own windows that are not used up again, at most once a Delta.
  void show(Turn& turn);
  // The lowest own number that no session has used.
  std::uint32_t next() const { return next_; }
  // The private half, or nullptr: never made, or destroyed.
  const crypto::SecretScalar* secret(std::uint32_t number) const;
  std::string kek_of(std::uint32_t number) const;
  // A session uses the number: no other may. It stays readable until destroyed.
  void use(std::uint32_t number) { next_ = std::max(next_, number + 1); }
  void destroy(std::uint32_t number, Turn& turn);
  void erase(Turn& turn);

  // Bounds before the signature is checked: one announcement and one conflicting per (member, first), the four
  // highest windows of a member.
  bool wants(Position member, const PreKeyAnnounce& announce) const;
  void add(Position member, const PreKeyAnnounce& announce, const Envelope& envelope, Turn& turn);
  // What a member announced goes out again for itself: with a new disk it must begin above that (PROTOCOL.md 4.1).
  void remind(Position member, Turn& turn) const;
  // Whether B is what a member announced under a number, with valid proof and signature.
  bool is_announced(Position member, std::uint32_t number, const crypto::Point& key) const;
  // The lowest number of a member, from `at_least` on, that no request seen has named, with its key. If all are named,
  // the lowest all the same: whoever names numbers in vain must not keep others from their repair.
  std::optional<std::pair<std::uint32_t, crypto::Point>> unused(Position member, std::uint32_t at_least) const;
  // It announced two keys under one number, so that members disagree about which stands.
  bool has_conflict(Position member) const;
  void note_named(Position member, std::uint32_t number);

 private:
  struct Announced {
    PreKeyAnnounce announce;
    Envelope envelope;
    bool has_conflict = false;
  };
  PrekeyScope scope() const;
  const SignedPrekey* find(Position member, std::uint32_t number) const;

  const SlotContext& slot_;
  std::map<std::uint32_t, crypto::SecretScalar> secrets_;
  std::map<std::pair<Position, std::uint32_t>, Announced> announced_;
  std::set<std::pair<Position, std::uint32_t>> named_;  // by requests seen, of windows that are held
  std::uint32_t made_ = 0;                              // own numbers below are announced
  std::uint32_t next_ = 0;
  Instant shown_at_{};
};

}  // namespace kms::dkg
