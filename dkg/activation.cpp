#include "dkg/activation.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {
namespace {

// What is not announced is interpolated, for t multiplications each, where a late ACTIVE costs four.
constexpr Duration kActivesAwaited = 100ms;

}  // namespace

void Activation::decide(const Certificate& final, const Value& value, DealRound& round,
                        std::vector<VoidedBranch> before, Turn& turn) {
  if (record_) return;
  round_ = &round;
  record_.emplace(EpochRecord{.header = round.header(),
                              .sid = round.sid(),
                              .list = value.list,
                              .transcript = value.transcript(),
                              .final = final,
                              .tables = {},
                              .root = {},
                              .activation = {},
                              .fate = {},
                              .voids = {},
                              .import_proofs = {}});
  for (auto& branch : before) {
    record_->voids.push_back(std::move(branch.fate));
    if (branch.emergency) record_->emergencies.push_back(std::move(*branch.emergency));
  }
  turn.put("final", final.body());
  turn.put("value/" + to_hex(value.hash().view()), value.body());
  turn.put("header/" + to_hex(round.sid().view()), round.header_envelope().encode());
  turn.report(Event::Kind::phase, "decided on " + std::to_string(value.list.size()) + " Deals of attempt " +
                                      std::to_string(round.header().attempt));
}

std::vector<DealHash> Activation::missing_deals() const {
  if (!record_ || round_ == nullptr || !points_.empty()) return {};
  return round_->missing(record_->list);
}

void Activation::advance(Turn& turn) {
  if (!record_) return;
  make_points(turn);
  make_share(turn);
  judge_actives(turn);
  make_table(turn);
  if (!is_zero(record_->root) && is_active()) {
    turn.say("confirm", Confirm{slot_.slot, record_->transcript, record_->root, slot_.receiver});
  }
  release(turn);
}

// Public, so that members of O alone can follow: n * t small multiplications a key.
void Activation::make_points(Turn& turn) {
  if (round_ == nullptr || !points_.empty()) return;
  if (slot_.receiver != 0 && !round_->can_receive() && !is_active() && !needs_repair_) {
    needs_repair_ = true;
    turn.report(Event::Kind::phase, "this node was absent from the decided attempt and needs repair");
  }
  if (is_foul_ || !round_->holds_all(record_->list)) return;
  // Each Deal was checked to start from its dealer's certified share; how many there are, a quorum has said.
  const bool is_whole = record_->list.size() >= slot_.deals_needed() && record_->list.size() <= slot_.deals_max();
  if (!is_whole || (slot_.previous() != nullptr && !round_->keeps_key(record_->list))) {
    is_foul_ = true;
    turn.report(
        Event::Kind::misbehaviour,
        "the decided Deals do not give the key: more members cheat than the committee bears; nothing is made of "
        "this slot here, and the old committee can give it up");
    return;
  }
  points_ = round_->verification_points(record_->list);
}

// One base multiplication and one DLEQ proof a key.
void Activation::make_share(Turn& turn) {
  if (points_.empty() || slot_.receiver == 0 || is_active() || needs_repair_) return;
  auto shares =
      round_->has_valid_shares(record_->list) ? round_->own_shares(record_->list) : std::vector<crypto::SecretScalar>{};
  bool is_usable = !shares.empty();
  for (std::size_t key = 0; key < shares.size(); ++key) {
    is_usable = is_usable && !shares[key].is_zero() &&
                share_fits(record_->header.base(), shares[key], points_[key][slot_.receiver - 1u]);
  }
  if (!is_usable) {
    needs_repair_ = true;
    turn.report(Event::Kind::phase, "a share of the decided Deals is bad, this node needs repair");
    return;
  }
  round_->store_deals(record_->list, turn);
  keep_shares(std::move(shares), turn);
}

void Activation::keep_shares(std::vector<crypto::SecretScalar> shares, Turn& turn) {
  turn.seal_record("share", slot_.kek_of_epoch(), pack_shares(shares));
  turn.say("active", make_active(record_->header.base(), record_->names(), slot_.receiver, shares, *slot_.entropy));
  shares_ = std::move(shares);
  turn.report(Event::Kind::phase, "active: the own share is durable and proven");
}

void Activation::repair(std::vector<crypto::SecretScalar> shares, Turn& turn) {
  KMS_ASSERT(needs_repair_ && !is_active() && record_);
  needs_repair_ = false;
  turn.report(Event::Kind::phase, "repaired: other members have given this node its share");
  keep_shares(std::move(shares), turn);
}

void Activation::give_up(Turn& turn) {
  if (is_active() || needs_repair_ || slot_.receiver == 0) return;
  needs_repair_ = true;
  turn.report(Event::Kind::phase, "nobody has the decided Deals any more, this node needs repair");
}

bool Activation::wants_active(Position member, const Active& active, const Envelope& envelope) const {
  if (!record_ || active.transcript != record_->transcript || active.index != member) return false;
  if (active.keys.size() != record_->header.keys()) return false;
  const auto held = actives_.find(member);
  if (held == actives_.end()) return true;
  if (held->second.has_conflict || held->second.envelope.body == envelope.body) return false;
  if (!held->second.is_valid) return true;
  const auto& proven = held->second.active.keys;
  return !std::equal(proven.begin(), proven.end(), active.keys.begin(),
                     [](const auto& a, const auto& b) { return a.share == b.share; });
}

bool Activation::add_active(Position member, const Active& active, const Envelope& envelope, Turn& turn) {
  const auto [held, is_new] = actives_.try_emplace(member, HeldActive{active, envelope, false, false, false});
  if (is_new) return true;
  for (std::size_t key = 0; key < active.keys.size(); ++key) {
    if (active.keys[key].share == held->second.active.keys[key].share) continue;
    held->second.has_conflict = true;
    const Equivocation evidence{EquivocationKind::active, held->second.envelope.encode(), envelope.encode()};
    turn.report(Event::Kind::blame, "two different public shares", member, evidence.body());
    break;
  }
  // A second one replaces a first that is not (yet) proven: the proof decides, not the order of arrival.
  if (!held->second.is_valid) {
    held->second.active = active;
    held->second.envelope = envelope;
    held->second.is_judged = false;
  }
  return false;
}

// Before the table is known one DLEQ verification per member and key; afterwards the table says what was true. Signed
// and false: with the Link or the Deals of T anybody sees it.
void Activation::judge_actives(Turn& turn) {
  if (points_.empty()) return;
  for (auto& [member, held] : actives_) {
    if (std::exchange(held.is_judged, true)) continue;
    std::string fault;
    if (record_->tables.empty()) {
      std::vector<crypto::Element> points;
      for (const auto& of_key : points_) points.push_back(of_key[member - 1u]);
      const auto verdict = verify_active(held.active, record_->header.base(), record_->names(), points);
      if (!verdict) fault = verdict.error().message;
    } else {
      for (std::size_t key = 0; key < record_->tables.size(); ++key) {
        const bool is_true = crypto::Element(held.active.keys[key].share) == record_->tables[key].share(member);
        if (!is_true) fault = "it is not the one in the table";
      }
    }
    held.is_valid = fault.empty();
    if (held.is_valid) continue;
    if (std::exchange(held.has_conflict, true)) continue;
    turn.report(Event::Kind::blame, "a public share that is not its own: " + fault, member,
                evidence_of({&held.envelope}));
  }
}

// After a reshare the verification points are the public shares, and the key is the old one.
std::optional<std::vector<KeyTable>> Activation::public_tables() const {
  const auto* previous = slot_.previous();
  if (previous == nullptr) return std::nullopt;
  std::vector<KeyTable> tables;
  for (std::size_t key = 0; key < points_.size(); ++key) {
    tables.push_back({previous->tables[key].public_key, points_[key]});
  }
  return tables;
}

void Activation::make_table(Turn& turn) {
  if (points_.empty() || !record_->tables.empty()) return;
  if (slot_.previous() == nullptr && !may_complete(turn)) return;
  auto tables = slot_.previous() == nullptr ? proven_tables(turn) : public_tables();
  if (!tables) return;
  record_->root = root_of(record_->names(), slot_.receiving(), *tables);
  record_->tables = std::move(*tables);
  turn.report(Event::Kind::progress, "the public key is known");
}

// t proven ACTIVEs suffice; those of all who were there when it was dealt are cheaper.
bool Activation::may_complete(Turn& turn) {
  std::size_t proven = 0;
  std::size_t awaited = 0;
  for (Position member = 1; member <= slot_.receivers().size(); ++member) {
    const auto held = actives_.find(member);
    const bool is_here = held != actives_.end() && held->second.is_judged;
    if (is_here && held->second.is_valid) ++proven;
    if (!is_here && !record_->header.is_absent(member)) ++awaited;
  }
  if (proven < slot_.receiving().t()) return true;  // infinities count, too: proven_tables() says
  if (!table_due_) table_due_ = turn.instant() + kActivesAwaited;
  is_overdue_ = is_overdue_ || turn.instant() >= *table_due_;
  return awaited == 0 || is_overdue_;
}

std::optional<Instant> Activation::wakes_at() const {
  return record_ && record_->tables.empty() && !is_overdue_ ? table_due_ : std::nullopt;
}

// A DKG's, from t members' ACTIVEs.
std::optional<std::vector<KeyTable>> Activation::proven_tables(Turn& turn) const {
  std::vector<KeyTable> tables;
  for (std::size_t key = 0; key < points_.size(); ++key) {
    std::map<Position, crypto::Element> known;
    for (Position member = 1; member <= slot_.receivers().size(); ++member) {
      const auto held = actives_.find(member);
      if (points_[key][member - 1u].is_infinity()) {
        known.emplace(member, crypto::Element{});
      } else if (held != actives_.end() && held->second.is_valid) {
        known.emplace(member, held->second.active.keys[key].share);
      }
    }
    if (known.size() < slot_.receiving().t()) return std::nullopt;
    auto table = complete_table(known, slot_.receiving());
    if (!table) {
      turn.report(Event::Kind::misbehaviour, "the table cannot be completed: " + table.error().message);
      return std::nullopt;
    }
    tables.push_back(std::move(*table));
  }
  return tables;
}

bool Activation::wants_confirm(Position member, const Confirm& confirm) const {
  if (!record_ || confirm.transcript != record_->transcript || confirm.index != member) return false;
  const auto held = confirms_.find(member);
  return held == confirms_.end() || (held->second.first.root != confirm.root && !confirm_conflicts_.contains(member));
}

void Activation::add_confirm(const Confirm& confirm, const Envelope& envelope, Turn& turn) {
  const auto [held, is_new] = confirms_.try_emplace(confirm.index, confirm, envelope);
  if (!is_new) {
    confirm_conflicts_.insert(confirm.index);
    const Equivocation evidence{EquivocationKind::confirm, held->second.second.encode(), envelope.encode()};
    turn.report(Event::Kind::blame, "two roots confirmed", confirm.index, evidence.body());
    return;
  }
  Signatures votes;
  for (const auto& [member, vote] : confirms_) {
    if (vote.first.root == confirm.root) votes.push_back({member, *vote.second.signature});
  }
  if (votes.size() < slot_.receiving().q() || certificate_) return;
  certificate_ = activation_certificate(confirm, {}, std::move(votes));
  turn.form(*certificate_);
}

void Activation::add_certificate(const Certificate& certificate, Turn&) {
  if (!certificate_) certificate_ = certificate;
}

void Activation::replace_final(const Certificate& final, Turn& turn) {
  if (!record_ || record_->is_released() || record_->final.kind == final.kind) return;
  KMS_ASSERT(final.sid == record_->sid && final.transcript == record_->transcript);
  record_->final = final;
  turn.put("final", final.body());
}

void Activation::add_fate(const Certificate& fate, Turn& turn) {
  if (fate_) return;
  fate_ = fate;
  turn.put("fate/final", fate.body());
}

void Activation::activate(Turn& turn) {
  if (!certificate_ || record_->activation || record_->tables.empty()) return;
  if (certificate_->root() != record_->root) {
    turn.report(Event::Kind::misbehaviour, "a quorum confirmed another table than this node computed");
    return;
  }
  record_->activation = certificate_;
  turn.put("activation", certificate_->body());
  if (slot_.epoch() > 0) turn.report(Event::Kind::phase, "activated: the old committee decides on the release");
}

// Epoch 0 is released by its ActivationCert, a later one by its fate. The Link says all of it in one record.
void Activation::release(Turn& turn) {
  if (record_->is_released()) return;
  activate(turn);
  if (record_->activation && fate_) record_->fate = fate_;
  if (!record_->is_released()) return;
  const auto link = record_->link();
  KMS_ASSERT(link.has_value());
  turn.put("link", link->body());
  turn.report(Event::Kind::phase, "released: the key may be used");
}

void Activation::erase_shares() {
  shares_.clear();
  needs_repair_ = false;
}

void Activation::adopt(const EpochRecord& record, DealRound* round, Turn& turn) {
  if (is_released()) return;
  if (record_ && record_->transcript != record.transcript) {
    turn.report(Event::Kind::misbehaviour, "a Link of another decision than the one this node holds");
    return;
  }
  record_.emplace(record);
  if (round != nullptr) round_ = round;
  certificate_ = record.activation;
  const auto link = record_->link();
  KMS_ASSERT(link.has_value());
  turn.put("link", link->body());
  const bool is_import = record_->header.kind == Kind::import;
  turn.report(Event::Kind::phase, is_import ? "released: the key of this epoch was imported"
                                            : "released: learned from a member that was there");
}

}  // namespace kms::dkg
