// The dealing of one header: its Deals, the own shares in them, complaints and convictions (PROTOCOL.md 4.2, 4.3).
#pragma once

#include <set>

#include "dkg/dealing.h"
#include "dkg/shares.h"
#include "dkg/turn.h"

namespace kms::dkg {

class DealRound {
 public:
  struct Held {
    Deal deal;
    DealHash hash;
    Envelope envelope;
    std::size_t order = 0;            // of arrival
    std::optional<OwnShares> shares;  // valid ones; nothing if absent, without prekey, or bad
    bool is_bad = false;              // the own share does not fit
    std::set<Position> accusers;      // whose valid complaints were taken
  };

  // `secret` is the own prekey's private half, nullptr if this node is absent from the header or lacks it; it stays
  // valid as long as the round is used for opening Deals.
  DealRound(const SlotContext& slot, CeremonyHeader header, Envelope envelope, const crypto::SecretScalar* secret);

  const CeremonyHeader& header() const { return header_; }
  const Envelope& header_envelope() const { return envelope_; }
  const Sid& sid() const { return terms_.sid; }
  bool can_receive() const { return secret_ != nullptr; }
  // The prekey is destroyed: Deals that come later are kept, but not opened.
  void drop_secret() { secret_ = nullptr; }
  std::size_t convictions() const { return convicted_.size(); }

  // As dealer and receiver, once; makes and says the own Deal. One ECDH a receiver and t base multiplications a key.
  void join(Instant now, Turn& turn);
  bool is_joined() const { return joined_at_.has_value(); }
  Instant joined_at() const { return *joined_at_; }
  void mark_joined(Instant now) { joined_at_ = now; }  // after a restart: the Deal was said before

  // Bounds before the signature is checked: one Deal and one conflicting per dealer. A decided T may name another one,
  // which is added all the same.
  bool wants(Position dealer, const DealHash& hash) const;
  // Objective checks, own share, own Complaint if it is bad. True if the Deal is held afterwards.
  bool add(Deal deal, const DealHash& hash, const Envelope& envelope, Turn& turn);
  // One per (dh, i), f' + 1 per dh, and only about Deals held. The signature is checked.
  bool wants_complaint(const Complaint& complaint) const;
  // True if somebody was convicted who was not before.
  bool add_complaint(const Complaint& complaint, const Envelope& envelope, Turn& turn);

  const Held* find(const DealHash& hash) const;
  bool is_convicted(Position member) const { return convicted_.contains(member); }
  // Dealers not convicted, each with its Deal held longest; in a reshare the t that are held longest of all. Whoever
  // dealt twice is left out if there are enough others: another member may hold two more Deals of it, and take no
  // third.
  DealList usable() const;
  bool has_dealt(Position dealer) const { return by_dealer_.contains(dealer); }
  std::size_t dealers_heard() const { return by_dealer_.size(); }
  std::vector<DealHash> missing(const DealList& list) const;
  bool holds_all(const DealList& list) const { return missing(list).empty(); }
  // Every Deal held and every own share in them valid.
  bool has_valid_shares(const DealList& list) const;
  bool has_bad_share(const DealList& list) const;
  void store_deals(const DealList& list, Turn& turn) const;

  // For a decided list that is held. V_i of every member, one list per key.
  std::vector<std::vector<crypto::Element>> verification_points(const DealList& list) const;
  // In a reshare: C'_0 = S of every key.
  bool keeps_key(const DealList& list) const;
  // s_i of every key; needs has_valid_shares(list).
  std::vector<crypto::SecretScalar> own_shares(const DealList& list) const;

 private:
  void open(Held& held, Turn& turn);

  const SlotContext& slot_;
  CeremonyHeader header_;
  Envelope envelope_;
  DealTerms terms_;
  const crypto::SecretScalar* secret_;
  std::optional<Instant> joined_at_;
  std::map<DealHash, Held> deals_;
  std::map<Position, std::vector<DealHash>> by_dealer_;  // in order of arrival: two, and what T names
  std::set<Position> convicted_;
  std::set<std::pair<DealHash, Position>> false_complaints_;
};

}  // namespace kms::dkg
