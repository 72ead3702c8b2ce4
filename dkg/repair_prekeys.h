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

  // The own windows: two at once, the next when no more than eight own numbers are free. Of own windows other than the
  // four highest no number is free any more, since nobody remembers them.
  void announce(Turn& turn);
  // Shows the own windows of which there are secrets again, at most once a Delta.
  void show(Turn& turn);
  // The lowest own number that is free; else the lowest that is not made yet.
  std::uint32_t next() const;
  // Made by this node, named by no session that it gave to, on this disk.
  bool is_free(std::uint32_t number) const { return secrets_.contains(number) && !taken_.contains(number); }
  // The private half, or nullptr: never made, or destroyed.
  const crypto::SecretScalar* secret(std::uint32_t number) const;
  std::string kek_of(std::uint32_t number) const;
  // A session uses the number: no other may. It stays readable until destroyed. Durable by the session's record, then
  // by the destruction of the number's key-encryption key.
  void use(std::uint32_t number) { taken_.insert(number); }
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
  // A number of a member, from `at_least` on, that no request seen has named, with its key: if it can be, the one
  // that is `start` modulo kSpread, so that requesters with different starts do not meet. If all are named, one of
  // these all the same: whoever names numbers in vain must not keep others from their repair.
  std::optional<std::pair<std::uint32_t, crypto::Point>> unused(Position member, std::uint32_t at_least,
                                                                std::uint32_t start) const;
  static constexpr std::uint32_t kSpread = 16;
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
  std::size_t free() const;
  // Destroys the free own numbers below.
  void retire(std::uint32_t below, Turn& turn);
  const SignedPrekey* find(Position member, std::uint32_t number) const;

  const SlotContext& slot_;
  std::map<std::uint32_t, crypto::SecretScalar> secrets_;  // neither destroyed nor retired
  std::set<std::uint32_t> taken_;                          // of these: a session uses it
  std::map<std::pair<Position, std::uint32_t>, Announced> announced_;
  std::set<std::pair<Position, std::uint32_t>> named_;  // by requests seen, of windows that are held
  std::uint32_t made_ = 0;                              // own numbers below are announced
  Instant shown_at_{};
};

}  // namespace kms::dkg
