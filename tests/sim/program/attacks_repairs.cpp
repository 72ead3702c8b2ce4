// What givers of a repair can do wrong, and those who ask for one.
#include "dkg/repair_parts.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

// Sees the requests; what it gives is another thing than it should.
class GiverTwist : public Behaviour {
 public:
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::repair_request) return;
    auto request = dkg::RepairRequest::parse(envelope.body);
    if (!request) return;
    const auto rid = request->rid();
    const auto keys = scene.stage.plan().labels.size();
    terms_.emplace(rid, dkg::RepairTerms{std::move(*request), rid, keys});
  }
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type == MessageType::repair_delta) {
      const auto delta = dkg::RepairDelta::parse(envelope.body);
      const auto terms = delta ? terms_.find(delta->rid) : terms_.end();
      if (terms != terms_.end()) {
        auto& lie = deltas_[terms->first];
        if (!lie) lie = twist(scene, terms->second, *delta);
        if (lie) return scene.say(*lie);
      }
    } else if (envelope.type == MessageType::repair_sigma) {
      const auto sigma = dkg::RepairSigma::parse(envelope.body);
      const auto terms = sigma ? terms_.find(sigma->rid) : terms_.end();
      if (terms != terms_.end()) {
        auto& lie = sigmas_[terms->first];
        if (!lie) lie = twist(scene, terms->second, *sigma);
        if (lie) return scene.say(*lie);
      }
    }
    scene.say(envelope);
  }

 protected:
  virtual std::optional<dkg::Envelope> twist(Scene&, const dkg::RepairTerms&, const dkg::RepairDelta&) { return {}; }
  virtual std::optional<dkg::Envelope> twist(Scene&, const dkg::RepairTerms&, const dkg::RepairSigma&) { return {}; }
  // Of the epoch that is repaired.
  static const std::vector<crypto::SecretScalar>* shares_of(Scene& scene, const dkg::RepairTerms& terms) {
    const bool is_now = terms.request.epoch == scene.ceremony().status_message().epoch;
    const auto* old = scene.inside().previous();
    return is_now ? scene.ceremony().shares() : old == nullptr ? nullptr : old->shares();
  }

 private:
  std::map<dkg::Rid, dkg::RepairTerms> terms_;
  std::map<dkg::Rid, std::optional<dkg::Envelope>> deltas_;
  std::map<dkg::Rid, std::optional<dkg::Envelope>> sigmas_;
};

class BadRepair final : public GiverTwist {
  std::optional<dkg::Envelope> twist(Scene& scene, const dkg::RepairTerms& terms,
                                     const dkg::RepairDelta& delta) override {
    const auto* held = shares_of(scene, terms);
    const auto kind = kind_of(scene, terms);
    if (held == nullptr || kind == Kind::sum) return std::nullopt;
    if (kind == Kind::two_deltas) {
      // Both are right, and no two receivers need to hear the same one first.
      dkg::KeyScalars shares;
      for (const auto& share : *held) shares.push_back(share.clone());
      scene.say(scene.sign(delta));
      return scene.sign(
          dkg::make_delta(terms, delta.giver, shares, crypto::Secret<32>::copy_of(terms.rid.view()), scene.random));
    }
    auto lied = terms;
    dkg::KeyScalars shares;
    for (const auto& share : *held) shares.push_back(kind == Kind::share ? share + crypto::Scalar(1) : share.clone());
    if (kind == Kind::part) lied.request.givers.back().key = crypto::Point::second_generator();
    // Positions in a repair of the epoch before are those of another committee.
    if (terms.request.epoch == scene.ceremony().status_message().epoch) {
      // The last giver's part is garbage, which that one shows; it may be a traitor itself.
      const auto last = scene.place_of_receiver(terms.request.givers.back().position);
      if (kind == Kind::share || (scene.stage.is_honest(last) && last != scene.place)) confess(scene, terms);
    }
    return scene.sign(
        dkg::make_delta(lied, delta.giver, shares, crypto::Secret<32>::copy_of(terms.rid.view()), scene.random));
  }
  std::optional<dkg::Envelope> twist(Scene& scene, const dkg::RepairTerms& terms,
                                     const dkg::RepairSigma& sigma) override {
    if (kind_of(scene, terms) != Kind::sum) return std::nullopt;
    dkg::KeyScalars sums;
    for (std::size_t key = 0; key < terms.keys; ++key) sums.push_back(crypto::SecretScalar::random(scene.random));
    if (terms.request.epoch == scene.ceremony().status_message().epoch) confess(scene, terms);
    return scene.sign(dkg::make_sigma(terms, sigma.giver, sigma.deltas, sums,
                                      crypto::Secret<32>::copy_of(terms.rid.view()), scene.random));
  }
  // The requester sees it, if nothing else ends the session first.
  static void confess(Scene& scene, const dkg::RepairTerms& terms) {
    const bool is_honest = scene.stage.is_honest(scene.place_of_receiver(terms.request.index));
    if (is_honest && scene.stage.traitors().size() == 1) scene.confess_at_the_end(Evidence::transferable);
  }
  enum class Kind { share, part, sum, two_deltas };
  // One kind a session.
  Kind kind_of(Scene& scene, const dkg::RepairTerms& terms) {
    const auto [entry, is_new] = kinds_.try_emplace(terms.rid, Kind::share);
    if (is_new) entry->second = static_cast<Kind>(scene.random.below(4));
    return entry->second;
  }
  std::map<dkg::Rid, Kind> kinds_;
};

// Another giver's ephemeral key, so that a complaint would show y E'.
class CopiedSigma final : public GiverTwist {
 public:
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    GiverTwist::hear(scene, envelope);
    if (envelope.type != MessageType::repair_sigma) return;
    const auto sigma = dkg::RepairSigma::parse(envelope.body);
    if (sigma) heard_.emplace(sigma->rid, *sigma);
  }

 private:
  std::optional<dkg::Envelope> twist(Scene& scene, const dkg::RepairTerms& terms,
                                     const dkg::RepairSigma& own) override {
    const auto other = heard_.find(terms.rid);
    if (other == heard_.end()) return std::nullopt;
    auto copy = own;
    copy.ephemeral = other->second.ephemeral;
    for (auto& ciphertext : copy.ciphertexts) ciphertext = crypto::Scalar(scene.random.next());
    return scene.sign(copy);
  }
  std::map<dkg::Rid, dkg::RepairSigma> heard_;
};

// Asks for a share that it has, again and again, and gives nothing itself.
class RepairBurn final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type == MessageType::prekey_announce) learn(envelope);
    if (envelope.type != MessageType::repair_delta && envelope.type != MessageType::repair_sigma) scene.say(envelope);
  }
  void hear(Scene&, const dkg::Envelope& envelope) override {
    if (envelope.type == MessageType::prekey_announce) learn(envelope);
  }
  void learn(const dkg::Envelope& envelope) {
    auto announce = dkg::PreKeyAnnounce::parse(envelope.body);
    if (announce && announce->series == dkg::Series::repair)
      announced_.insert_or_assign(envelope.sender, std::move(*announce));
  }
  void wake(Scene& scene) override {
    const auto* record = scene.ceremony().record();
    if (record == nullptr || scene.receiver() == 0 || asked_ >= 20) return;
    const auto& plan = scene.stage.plan();
    auto secret = crypto::SecretScalar::random(scene.random);
    dkg::RepairRequest request{plan.key_set,
                               record->header.epoch,
                               0,
                               record->transcript,
                               scene.receiver(),
                               crypto::multiply_generator(secret).point(),
                               {},
                               {},
                               {},
                               scene.now.unix_s() + 300,
                               {}};
    for (dkg::Position position = 1; position <= plan.members.size(); ++position) {
      const auto known = announced_.find(plan.members.at(position).node);
      const bool fits = known != announced_.end() && known->second.epoch == record->header.epoch;
      if (position == scene.receiver() || !fits || request.givers.size() == plan.threshold.t()) continue;
      const auto at = scene.random.below(dkg::PreKeyAnnounce::kWindow);
      request.givers.push_back(
          {position, known->second.first + static_cast<std::uint32_t>(at), known->second.prekeys[at].key});
    }
    if (request.givers.size() < plan.threshold.t()) return;
    scene.random.fill(request.nonce);
    dkg::prove_target(request, plan.network_id, secret, scene.random);
    ++asked_;
    scene.say(scene.sign(request));
  }
  std::map<dkg::NodeId, dkg::PreKeyAnnounce> announced_;
  int asked_ = 0;
};

}  // namespace

std::vector<Attack> repair_attacks() {
  return {
      {30, "bad-repair", "gives a wrong part, parts of another share, two deltas, or a wrong sum",
       Evidence::transferable, behaving<BadRepair>},
      {39, "copied-sigma", "gives garbage under another giver's ephemeral key", Evidence::none, behaving<CopiedSigma>},
      {70, "repair-burn", "asks for the share that it has, and gives nothing to others", Evidence::none,
       behaving<RepairBurn>, Attack::Only::any, Attack::Fault::none, true},
  };
}

}  // namespace kms::sim
