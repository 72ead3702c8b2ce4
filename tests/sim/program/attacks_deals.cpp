// What dealers and those who complain can do wrong.
#include "dkg/dealing.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

// Every own Deal is another one, made once per sid.
class DealTwist : public Behaviour {
 public:
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) return scene.say(envelope);
    const auto deal = dkg::Deal::parse(envelope.body);
    const auto* header = deal ? scene.header(deal->sid) : nullptr;
    if (header == nullptr) return scene.say(envelope);
    const auto known = made_.find(deal->sid);
    if (known == made_.end()) made_[deal->sid] = twist(scene, *header, *deal);
    publish(scene, made_.at(deal->sid));
  }

 protected:
  virtual std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal& honest) = 0;
  virtual void publish(Scene& scene, const std::vector<dkg::Deal>& deals) {
    for (const auto& deal : deals) scene.say(scene.sign(deal));
  }

 private:
  std::map<dkg::Sid, std::vector<dkg::Deal>> made_;
};

std::set<dkg::Position> some(Scene& scene, std::vector<dkg::Position> from, std::size_t count) {
  std::set<dkg::Position> out;
  while (!from.empty() && out.size() < count) {
    const auto at = static_cast<std::ptrdiff_t>(scene.random.below(from.size()));
    out.insert(from[static_cast<std::size_t>(at)]);
    from.erase(from.begin() + at);
  }
  return out;
}

class WrongShare final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    const auto victims = some(scene, scene.targets(header), 1);
    if (!victims.empty()) scene.confess();
    return {forge_deal(scene, header, {.garbled = victims})};
  }
};

class WrongShareMost final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    const auto victims = some(scene, scene.targets(header), header.threshold.f());
    if (!victims.empty()) scene.confess();
    return {forge_deal(scene, header, {.garbled = victims})};
  }
};

// As many complaints as there are honest receivers would open its polynomial.
class ComplaintDrain final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    const auto victims = some(scene, scene.targets(header), header.members.size());
    if (!victims.empty()) scene.confess();
    return {forge_deal(scene, header, {.garbled = victims})};
  }
};

class GarbageAndWithhold final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    victims_ = some(scene, scene.targets(header), 1);
    if (!victims_.empty()) scene.confess();
    return {forge_deal(scene, header, {.garbled = victims_})};
  }
  void publish(Scene& scene, const std::vector<dkg::Deal>& deals) override {
    for (std::size_t to = 1; to <= scene.stage.places(); ++to) {
      const bool is_victim = victims_.contains(scene.receiver_of(to));
      if (is_victim || to % 2 == 0) scene.tell(to, scene.sign(deals.front()));
    }
  }
  std::set<dkg::Position> victims_;
};

class PartialPublish final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader&, const dkg::Deal& honest) override {
    chosen_ = 1 + scene.random.below(scene.stage.places());
    return {honest};
  }
  void publish(Scene& scene, const std::vector<dkg::Deal>& deals) override {
    for (std::size_t to = 1; to <= scene.stage.places(); ++to) {
      if ((to + chosen_) % 3 == 0) scene.tell(to, scene.sign(deals.front()));
    }
  }
  std::size_t chosen_ = 0;
};

class DoubleDeal final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    scene.confess();
    return {forge_deal(scene, header, {.salt = 1}), forge_deal(scene, header, {.salt = 2})};
  }
  void publish(Scene& scene, const std::vector<dkg::Deal>& deals) override {
    scene.split(scene.sign(deals[0]), scene.sign(deals[1]));
    scene.split(scene.sign(deals[1]), scene.sign(deals[0]));
  }
};

class WrongDegree final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    const bool can_grow = header.threshold.t() < header.threshold.n();
    const bool can_shrink = header.threshold.t() > 2;
    if (!can_grow && !can_shrink) return {forge_deal(scene, header, {})};
    scene.confess();
    const bool grows = can_grow && (!can_shrink || scene.random.below(2) == 0);
    return {forge_deal(scene, header, {.more_commitments = grows ? 1 : -1})};
  }
};

class WrongConstant final : public DealTwist {
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    scene.confess();
    return {forge_deal(scene, header, {.constant_off = 1 + scene.random.below(9)})};
  }
};

// The own Deal waits until another one is there to be made use of.
class Follower : public Behaviour {
 public:
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) return scene.say(envelope);
    const auto deal = dkg::Deal::parse(envelope.body);
    if (deal) own_.emplace(deal->sid, *deal);
    advance(scene);
  }
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) return;
    const auto deal = dkg::Deal::parse(envelope.body);
    if (!deal || envelope.sender == scene.ceremony().self()) return;
    others_[deal->sid].emplace(deal->dealer, *deal);
    advance(scene);
  }
  void wake(Scene& scene) override { advance(scene); }

 protected:
  using Others = std::map<dkg::Position, dkg::Deal>;
  // Nothing: not yet.
  virtual std::optional<dkg::Deal> follow(Scene& scene, const dkg::Deal& own, const Others& others) = 0;

 private:
  void advance(Scene& scene) {
    for (const auto& [sid, deal] : own_) {
      const auto heard = others_.find(sid);
      if (done_.contains(sid) || heard == others_.end()) continue;
      const auto lie = follow(scene, deal, heard->second);
      if (!lie) continue;
      done_.insert(sid);
      scene.say(scene.sign(*lie));
    }
  }
  std::map<dkg::Sid, dkg::Deal> own_;
  std::map<dkg::Sid, Others> others_;
  std::set<dkg::Sid> done_;
};

class CopiedDeal final : public Follower {
  std::optional<dkg::Deal> follow(Scene& scene, const dkg::Deal& own, const Others& others) override {
    auto copy = others.begin()->second;
    switch (scene.random.below(3)) {
      case 0:  // the whole of it
        copy.dealer = own.dealer;
        break;
      case 1:  // the ephemeral key
        copy = own;
        copy.ephemeral = others.begin()->second.ephemeral;
        break;
      default:  // the commitments
        copy = own;
        copy.keys[0].commitments = others.begin()->second.keys[0].commitments;
    }
    scene.confess();
    return copy;
  }
};

// Cancels another dealer's constant term, which it does not know.
class RogueKey final : public Follower {
  std::optional<dkg::Deal> follow(Scene& scene, const dkg::Deal& own, const Others& others) override {
    auto rogue = own;
    const auto theirs = others.begin()->second.keys[0].commitments[0];
    const auto cancelled = crypto::Element(own.keys[0].commitments[0]) + -crypto::Element(theirs);
    if (cancelled.is_infinity()) return own;
    rogue.keys[0].commitments[0] = cancelled.point();
    scene.confess();
    return rogue;
  }
};

// Speaks last, so that its own share of the key comes out as zero.
class RushingDealer final : public Follower {
  std::optional<dkg::Deal> follow(Scene& scene, const dkg::Deal& own, const Others& others) override {
    const auto* header = scene.header(own.sid);
    const auto& plan = scene.stage.plan();
    if (header == nullptr || plan.old || others.size() + 2 < plan.members.size()) return std::nullopt;
    const auto secret = scene.prekey(header->attempt);
    if (!secret || header->is_absent(scene.receiver())) return own;
    const auto terms = dkg::deal_terms(*header, own.sid);
    std::vector<crypto::SecretScalar> constants;
    for (std::size_t key = 0; key < header->keys(); ++key)
      constants.push_back(crypto::SecretScalar{} + crypto::Scalar(1));
    const auto trial = forge_deal(scene, *header, {.constants = &constants});
    const auto rest = dkg::open_shares(terms, trial, scene.receiver(), *secret);
    for (std::size_t key = 0; key < header->keys(); ++key) {
      auto sum = std::get<dkg::OwnShares>(rest)[key].clone();
      for (const auto& [dealer, deal] : others) {
        const auto opened = dkg::open_shares(terms, deal, scene.receiver(), *secret);
        if (const auto* shares = std::get_if<dkg::OwnShares>(&opened)) sum = sum + (*shares)[key];
      }
      constants[key] = constants[key] - sum;
    }
    scene.confess();
    return forge_deal(scene, *header, {.constants = &constants});
  }
};

// Held back until shortly before the leader stops waiting, then wrong.
class LateBadDeal final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) return scene.say(envelope);
    const auto deal = dkg::Deal::parse(envelope.body);
    if (deal) held_.emplace(deal->sid, scene.now.instant);
  }
  void wake(Scene& scene) override {
    for (auto& [sid, since] : held_) {
      const auto* header = scene.header(sid);
      if (header == nullptr || scene.now.instant < since + 1s) continue;
      if (!said_.contains(sid)) {
        const auto victims = some(scene, scene.targets(*header), 1);
        if (!victims.empty()) scene.confess();
        said_.emplace(sid, scene.sign(forge_deal(scene, *header, {.garbled = victims})));
      }
      scene.say(said_.at(sid));
    }
  }
  std::map<dkg::Sid, Instant> held_;
  std::map<dkg::Sid, dkg::Envelope> said_;
};

class BadEncoding final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal && envelope.type != MessageType::active) return scene.say(envelope);
    auto broken = envelope;
    for (int i = 0; i < 8; ++i) broken.body[scene.random.below(broken.body.size())] ^= 0xff;
    scene.say(broken);
    auto bytes = envelope.encode();
    bytes.resize(scene.random.below(bytes.size()) + 1);
    scene.shout(std::move(bytes));
    auto longer = envelope;
    longer.body.push_back(0);
    scene.say(longer);
    if (!dkg::parse_message(longer)) scene.confess();
  }
};

class RefuseToDeal final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal) scene.say(envelope);
  }
};

class DealHoard final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const bool serves = envelope.type == MessageType::fetch_reply || envelope.type == MessageType::have_objects;
    if (!scene.is_decided() || !serves) scene.say(envelope);
  }
};

// About every Deal that it hears of.
class FalseComplaint final : public Behaviour {
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::deal || scene.is_decided()) return;
    const auto deal = dkg::Deal::parse(envelope.body);
    const auto* header = deal ? scene.header(deal->sid) : nullptr;
    const auto own = scene.receiver();
    if (header == nullptr || own == 0 || header->is_absent(own)) return;
    const auto hash = deal->hash();
    if (!done_.insert(hash).second) return;
    std::vector<std::vector<crypto::Element>> points;
    if (scene.stage.plan().old) {
      for (const auto& table : scene.stage.plan().old->tables) points.push_back(table.shares);
    }
    const auto terms = dkg::deal_terms(*header, deal->sid, points);
    auto secret = scene.prekey(header->attempt);
    // The true Z, which shows a share that is right, or another point.
    if (!secret || scene.random.below(2) == 0) secret = crypto::SecretScalar::random(scene.random);
    scene.say(scene.sign(dkg::make_complaint(terms, *deal, hash, own, 1, *secret, scene.random.array<32>())));
    const auto& dealers =
        scene.stage.plan().old ? scene.stage.plan().old->header.committee() : scene.stage.plan().members;
    const auto dealer = scene.stage.everybody().position_of(dealers.at(deal->dealer).node);
    if (dealer && scene.stage.is_honest(*dealer)) scene.confess();
  }
  std::set<dkg::DealHash> done_;
};

// Deals badly to traitors, whose complaints come only after the decision.
class LateComplaint final : public DealTwist {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type == MessageType::complaint && !scene.is_decided()) {
      held_.push_back(envelope);
      return;
    }
    DealTwist::send(scene, envelope);
  }
  void wake(Scene& scene) override {
    if (!scene.is_decided()) return;
    for (const auto& envelope : std::exchange(held_, {})) scene.say(envelope);
  }
  std::vector<dkg::Deal> twist(Scene& scene, const dkg::CeremonyHeader& header, const dkg::Deal&) override {
    std::set<dkg::Position> friends;
    for (const auto place : scene.stage.traitors()) {
      const auto position = scene.receiver_of(place);
      if (position != 0 && !header.is_absent(position)) friends.insert(position);
    }
    return {forge_deal(scene, header, {.garbled = friends})};
  }
  std::vector<dkg::Envelope> held_;
};

}  // namespace

std::vector<Attack> deal_attacks() {
  const auto yes = Evidence::transferable;
  const auto no = Evidence::none;
  return {
      {1, "wrong-share", "deals a wrong share to one receiver", yes, behaving<WrongShare>},
      {2, "wrong-share-most", "deals wrong shares to all but q' receivers", yes, behaving<WrongShareMost>},
      {3, "garbage-and-withhold", "deals garbage to one receiver, and to half of the others nothing", yes,
       behaving<GarbageAndWithhold>},
      {4, "partial-publish", "shows its Deal to a third of the others; the rest has to fetch it", no,
       behaving<PartialPublish>},
      {5, "double-deal", "deals twice under one header, to two halves", yes, behaving<DoubleDeal>},
      {6, "wrong-degree", "commits to one coefficient more or less", yes, behaving<WrongDegree>},
      {7, "wrong-constant", "reshares something else than its share", yes, behaving<WrongConstant>,
       Attack::Only::reshare},
      {8, "copied-deal", "copies another's Deal, commitments or ephemeral key", yes, behaving<CopiedDeal>},
      {9, "rogue-key", "cancels another dealer's constant term", yes, behaving<RogueKey>},
      {10, "bad-encoding", "sends Deals and ACTIVEs that are cut, longer or changed", Evidence::local,
       behaving<BadEncoding>},
      {11, "false-complaint", "complains about every Deal", yes, behaving<FalseComplaint>},
      {12, "late-complaint", "deals badly to traitors, who complain after the decision", no, behaving<LateComplaint>},
      {23, "refuse-to-deal", "never deals", no, behaving<RefuseToDeal>},
      {29, "rushing-dealer", "deals last, so that its own share of the key is zero", no, behaving<RushingDealer>},
      {58, "late-bad-deal", "holds its Deal back until leaders propose, and deals a wrong share", yes,
       behaving<LateBadDeal>},
      {63, "complaint-drain", "deals wrong shares to everybody, so that complaints open its polynomial", yes,
       behaving<ComplaintDrain>},
      {67, "deal-hoard", "serves no Deal after the decision", no, behaving<DealHoard>},
  };
}

}  // namespace kms::sim
