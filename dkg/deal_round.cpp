#include "dkg/deal_round.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::dkg {

DealRound::DealRound(const SlotContext& slot, CeremonyHeader header, Envelope envelope,
                     const crypto::SecretScalar* secret)
    : slot_(slot),
      header_(std::move(header)),
      envelope_(std::move(envelope)),
      terms_(deal_terms(header_, header_.sid(), slot.old_points())),
      secret_(secret) {}

void DealRound::join(Instant now, Turn& turn) {
  if (joined_at_) return;
  joined_at_ = now;
  turn.put("joined/" + std::to_string(header_.attempt), envelope_.encode());
  if (!slot_.can_deal()) return;
  // The finished Deal is durable in the checkpoint of the marker, so that the seed never needs to be.
  const auto fresh = crypto::Secret<32>::random(*slot_.entropy);
  const auto seed = deal_seed(fresh, *slot_.node_secret, sid());
  static const std::vector<crypto::SecretScalar> kNoShares;
  const auto& shares = slot_.previous() == nullptr ? kNoShares : *slot_.old_shares;
  turn.say("deal/" + to_hex(sid().view()), make_deal(terms_, slot_.dealer, seed, shares));
}

bool DealRound::wants(Position dealer, const DealHash& hash) const {
  if (deals_.contains(hash)) return false;
  const auto held = by_dealer_.find(dealer);
  return held == by_dealer_.end() || held->second.size() < 2;
}

bool DealRound::add(Deal deal, const DealHash& hash, const Envelope& envelope, Turn& turn) {
  const auto dealer = deal.dealer;
  if (const auto verdict = check_deal(terms_, deal); !verdict) {
    convicted_.insert(dealer);
    turn.report(Event::Kind::blame, "a Deal fails its objective checks: " + verdict.error().message,
                Culprit::dealer(dealer), evidence_of({&envelope}));
    return false;
  }
  auto& hashes = by_dealer_[dealer];
  if (hashes.size() == 1) {
    const Equivocation evidence{EquivocationKind::deal, deals_.at(hashes.front()).envelope.encode(), envelope.encode()};
    turn.report(Event::Kind::blame, "two Deals for one header", Culprit::dealer(dealer), evidence.body());
  }
  hashes.push_back(hash);
  auto [held, is_new] =
      deals_.try_emplace(hash, Held{std::move(deal), hash, envelope, deals_.size(), std::nullopt, false, {}});
  KMS_ASSERT(is_new);
  open(held->second, turn);
  return true;
}

void DealRound::open(Held& held, Turn& turn) {
  if (secret_ == nullptr) return;
  auto opened = open_shares(terms_, held.deal, slot_.receiver, *secret_);
  if (auto* shares = std::get_if<OwnShares>(&opened)) {
    held.shares = std::move(*shares);
    return;
  }
  held.is_bad = true;
  convicted_.insert(held.deal.dealer);
  turn.report(Event::Kind::misbehaviour, "the own share in a Deal does not fit its commitments",
              Culprit::dealer(held.deal.dealer));
  if (!held.accusers.empty()) return;  // evidence is there already
  const auto name = "complaint/" + to_hex(held.hash.view());
  if (turn.has_said(name)) return;
  turn.say(name, make_complaint(terms_, held.deal, held.hash, slot_.receiver, std::get<BadShare>(opened).kappa,
                                *secret_, slot_.entropy->array<32>()));
}

bool DealRound::wants_complaint(const Complaint& complaint) const {
  const auto held = deals_.find(complaint.deal);
  if (held == deals_.end() || held->second.deal.dealer != complaint.dealer) return false;
  if (!slot_.receivers().has(complaint.receiver) || header_.is_absent(complaint.receiver)) return false;
  return !held->second.accusers.contains(complaint.receiver) &&
         !false_complaints_.contains({complaint.deal, complaint.receiver}) &&
         held->second.accusers.size() <= slot_.receiving().f();
}

bool DealRound::add_complaint(const Complaint& complaint, const Envelope& envelope, Turn& turn) {
  auto& held = deals_.at(complaint.deal);
  switch (judge(terms_, held.deal, held.hash, complaint)) {
    case ComplaintVerdict::irrelevant:
      false_complaints_.insert({complaint.deal, complaint.receiver});
      return false;
    case ComplaintVerdict::convicts_receiver:
      false_complaints_.insert({complaint.deal, complaint.receiver});
      turn.report(Event::Kind::blame, "a complaint about a share that is not wrong", complaint.receiver,
                  evidence_of({&held.envelope, &envelope}));
      return false;
    case ComplaintVerdict::convicts_dealer:
      break;
  }
  held.accusers.insert(complaint.receiver);
  const bool is_first = held.accusers.size() == 1;
  convicted_.insert(complaint.dealer);
  if (is_first) {
    turn.report(Event::Kind::blame, "dealt a wrong share", Culprit::dealer(complaint.dealer),
                evidence_of({&held.envelope, &envelope}), complaint.receiver);
  }
  return is_first;
}

const DealRound::Held* DealRound::find(const DealHash& hash) const {
  const auto found = deals_.find(hash);
  return found == deals_.end() ? nullptr : &found->second;
}

DealList DealRound::usable() const {
  DealList list;
  DealList doubled;
  for (const auto& [dealer, hashes] : by_dealer_) {
    if (!convicted_.contains(dealer)) (hashes.size() == 1 ? list : doubled).push_back({dealer, hashes.front()});
  }
  const auto by_order = [&](const DealRef& a, const DealRef& b) {
    return deals_.at(a.hash).order < deals_.at(b.hash).order;
  };
  std::sort(list.begin(), list.end(), by_order);
  if (list.size() < slot_.deals_needed()) {
    std::sort(doubled.begin(), doubled.end(), by_order);
    list.insert(list.end(), doubled.begin(), doubled.end());
  }
  if (list.size() > slot_.deals_max()) list.resize(slot_.deals_max());
  std::sort(list.begin(), list.end());
  return list;
}

bool DealRound::keeps_key(const DealList& list) const {
  const auto weights = combination_weights(header_.kind, list);
  for (std::size_t key = 0; key < header_.keys(); ++key) {
    std::vector<crypto::Element> terms;
    for (std::size_t at = 0; at < list.size(); ++at) {
      const auto& constant = deals_.at(list[at].hash).deal.keys[key].commitments[0];
      terms.push_back(crypto::multiply(weights[at], constant));
    }
    if (crypto::sum(terms) != crypto::Element(slot_.previous()->tables[key].public_key)) return false;
  }
  return true;
}

std::vector<DealHash> DealRound::missing(const DealList& list) const {
  std::vector<DealHash> out;
  for (const auto& entry : list) {
    if (!deals_.contains(entry.hash)) out.push_back(entry.hash);
  }
  return out;
}

bool DealRound::has_valid_shares(const DealList& list) const {
  for (const auto& entry : list) {
    const auto* held = find(entry.hash);
    if (held == nullptr || !held->shares || held->deal.dealer != entry.dealer) return false;
  }
  return true;
}

bool DealRound::has_bad_share(const DealList& list) const {
  for (const auto& entry : list) {
    const auto* held = find(entry.hash);
    if (held != nullptr && held->is_bad) return true;
  }
  return false;
}

void DealRound::store_deals(const DealList& list, Turn& turn) const {
  for (const auto& entry : list) {
    if (const auto* held = find(entry.hash)) {
      turn.put("deal/" + to_hex(entry.hash.view()), held->envelope.encode());
    }
  }
}

std::vector<std::vector<crypto::Element>> DealRound::verification_points(const DealList& list) const {
  const auto weights = combination_weights(header_.kind, list);
  std::vector<const Deal*> deals;
  for (const auto& entry : list) deals.push_back(&deals_.at(entry.hash).deal);
  std::vector<std::vector<crypto::Element>> out;
  for (std::uint32_t kappa = 1; kappa <= header_.keys(); ++kappa) {
    const auto commitments = combine_commitments(header_.kind, weights, deals, kappa);
    out.push_back(dkg::verification_points(commitments, slot_.receivers().size()));
  }
  return out;
}

std::vector<crypto::SecretScalar> DealRound::own_shares(const DealList& list) const {
  std::vector<OwnShares> shares;
  for (const auto& entry : list) {
    auto& copy = shares.emplace_back();
    for (const auto& share : *deals_.at(entry.hash).shares) copy.push_back(share.clone());
  }
  return combine_shares(combination_weights(header_.kind, list), shares);
}

}  // namespace kms::dkg
