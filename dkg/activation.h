// From the decision to the released key: own share, ACTIVE, table, CONFIRM, ActivationCert (PROTOCOL.md 4.6, 4.13).
#pragma once

#include "dkg/deal_round.h"
#include "dkg/epoch.h"

namespace kms::dkg {

class Activation {
 public:
  explicit Activation(const SlotContext& slot) : slot_(slot) {}

  // FinalCert with its list and header, and the branches `before` this one that were given up. `round` holds the Deals
  // as they come and outlives the Activation.
  void decide(const Certificate& final, const Value& value, DealRound& round, std::vector<VoidedBranch> before,
              Turn& turn);
  bool is_decided() const { return record_.has_value(); }
  bool is_active() const { return !shares_.empty(); }
  bool needs_repair() const { return needs_repair_; }
  bool is_activated() const { return record_ && record_->activation; }
  bool is_released() const { return record_ && record_->is_released(); }
  const EpochRecord* record() const { return record_ ? &*record_ : nullptr; }
  const std::vector<crypto::SecretScalar>* shares() const { return is_active() ? &shares_ : nullptr; }
  const std::vector<crypto::SecretScalar>& shares_to_deal() const { return shares_; }
  std::vector<DealHash> missing_deals() const;
  // Deals are still missing long after the release: only repair gives this node its share.
  void give_up(Turn& turn);

  // When a table that waits for further ACTIVEs is made without them.
  std::optional<Instant> wakes_at() const;
  // Whatever is possible now: share and ACTIVE, table, CONFIRM. Idempotent.
  void advance(Turn& turn);

  // One ACTIVE per member and one conflicting; checked as soon as all Deals are held. The same again is not wanted, nor
  // another proof of what is proven.
  bool wants_active(Position member, const Active& active, const Envelope& envelope) const;
  // Whether it is the member's first.
  bool add_active(Position member, const Active& active, const Envelope& envelope, Turn& turn);
  // One CONFIRM per member and one conflicting root.
  bool wants_confirm(Position member, const Confirm& confirm) const;
  void add_confirm(const Confirm& confirm, const Envelope& envelope, Turn& turn);
  // A verified ACTIVATION certificate of the decided T.
  void add_certificate(const Certificate& certificate, Turn& turn);
  // The EMERGENCY certificate of a T that views had decided: from now on the record names it, and the fate may have its
  // quorum. Nothing after the release.
  void replace_final(const Certificate& final, Turn& turn);
  // The FinalCert(RELEASE) of the decided T, verified.
  void add_fate(const Certificate& fate, Turn& turn);
  // A verified Link of this slot: decision, table and release in one; the share may follow by advance().
  void adopt(const EpochRecord& record, DealRound* round, Turn& turn);
  void attach(DealRound& round) { round_ = &round; }

  std::size_t actives() const { return actives_.size(); }
  std::size_t confirms() const { return confirms_.size(); }
  bool has_active(Position member) const { return actives_.contains(member); }
  bool has_confirm(Position member) const { return confirms_.contains(member); }

  // The shares of a node that needed repair: durable and proven as if it had been there. They fit the table.
  void repair(std::vector<crypto::SecretScalar> shares, Turn& turn);

  // The epoch is over: wiped, and never made again.
  void erase_shares();
  // The sealed share of an earlier run.
  void restore_shares(std::vector<crypto::SecretScalar> shares) { shares_ = std::move(shares); }

 private:
  struct HeldActive {
    Active active;
    Envelope envelope;
    bool is_valid = false;
    bool has_conflict = false;
    bool is_judged = false;
  };
  void make_points(Turn& turn);
  void make_share(Turn& turn);
  void keep_shares(std::vector<crypto::SecretScalar> shares, Turn& turn);
  void judge_actives(Turn& turn);
  void make_table(Turn& turn);
  std::optional<std::vector<KeyTable>> public_tables() const;
  bool may_complete(Turn& turn);
  std::optional<std::vector<KeyTable>> proven_tables(Turn& turn) const;
  void activate(Turn& turn);
  void release(Turn& turn);

  const SlotContext& slot_;
  DealRound* round_ = nullptr;
  std::optional<EpochRecord> record_;
  std::vector<std::vector<crypto::Element>> points_;  // V_i by key, when all Deals are held
  std::vector<crypto::SecretScalar> shares_;
  bool needs_repair_ = false;
  bool is_foul_ = false;  // the decided Deals do not give the key
  std::optional<Instant> table_due_;
  bool is_overdue_ = false;
  std::map<Position, HeldActive> actives_;
  std::map<Position, std::pair<Confirm, Envelope>> confirms_;
  std::set<Position> confirm_conflicts_;
  std::optional<Certificate> certificate_;  // may come before the table
  std::optional<Certificate> fate_;         // may come before the ActivationCert
};

}  // namespace kms::dkg
