// Traitors that disturb what others ask and answer: between keys, epochs, batches and rounds.
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using delegation::DelegateRequest;
using delegation::PartialB;
using delegation::PartialC;
using delegation::PublicRequest;
using delegation::ServingKey;

template <class M>
std::optional<M> parsed_as(const dkg::Envelope& item) {
  if (item.type != M::kType) return std::nullopt;
  auto out = M::parse(item.body);
  return out ? std::optional<M>(std::move(*out)) : std::nullopt;
}

// Requests and partials of one key as those of another.
class KeyConfusion final : public Trick {
  void before(TrickScene& scene, delegation::Job& job) override {
    auto* partial = std::get_if<delegation::PartialJob>(&job.work);
    auto* answer = std::get_if<delegation::AnswerJob>(&job.work);
    if (partial == nullptr && answer == nullptr) return;
    auto& key = partial != nullptr ? partial->key : answer->key;
    const auto other = scene.key(key->chain_id == NodeNetwork::kChain ? 1 : 0);
    if (!key->share || !other || !other->share || scene.random.below(2) == 0) return;
    real_ = key;
    // The other key's share under this key's name; the node inside must not assert on it, so that form C is left.
    if (partial != nullptr && partial->authorisation.form == delegation::Form::c) return;
    key = std::make_shared<const ServingKey>(ServingKey{key->network, key->key, key->chain_id, key->epoch,
                                                        key->transcript, key->threshold, key->members, key->table,
                                                        key->self, other->share->clone()});
  }
  void after(TrickScene&, delegation::Job& job) override {
    if (!real_) return;
    if (auto* partial = std::get_if<delegation::PartialJob>(&job.work)) partial->key = real_;
    if (auto* answer = std::get_if<delegation::AnswerJob>(&job.work)) answer->key = real_;
    real_ = nullptr;
  }
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (auto request = parsed_as<PublicRequest>(item)) {
        const auto other = other_key(scene, request->key);
        if (!other) continue;
        request->key = other->key;
        scene.say(node::Topic::requests, scene.wrap(*request));
        scene.act();
      } else if (auto asked = parsed_as<DelegateRequest>(item)) {
        const auto other = other_key(scene, asked->key);
        if (!other) continue;
        asked->key = other->key;
        asked->entry.entry = scene.self();
        asked->entry.signature =
            scene.credentials().node_key.sign(asked->entry.signing_digest(scene.service.network())).bytes;
        scene.say(node::Topic::requests, scene.wrap(*asked));
        scene.act();
      } else if (auto partial = parsed_as<PartialC>(item)) {
        // Another member's partial, as its own and of another request.
        if (last_) {
          last_->index = static_cast<dkg::Position>(scene.place);
          last_->rh = partial->rh;
          scene.say(node::Topic::public_partials, scene.wrap(*last_));
        }
        last_ = *partial;
      }
    }
  }
  static delegation::ServingKeyPtr other_key(const TrickScene& scene, const dkg::KeyId& key) {
    const auto first = scene.key(0);
    if (!first) return nullptr;
    return first->key == key ? scene.key(1) : first;
  }
  delegation::ServingKeyPtr real_;
  std::optional<PartialC> last_;
};

// Needs with wrong lists, Dones before anything is done, Refusals in everybody's name.
class FalseNeed final : public Trick {
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (const auto request = parsed_as<PublicRequest>(item)) {
        disturb(scene, request->rh, request->epoch, request->transcript, {});
      } else if (const auto asked = parsed_as<DelegateRequest>(item)) {
        disturb(scene, asked->entry.rh, asked->entry.epoch, asked->entry.transcript, asked->entry.entry);
      }
    }
  }
  static void disturb(TrickScene& scene, const Hash32& rh, std::uint32_t epoch, const dkg::TranscriptHash& transcript,
                      const dkg::NodeId& entry) {
    delegation::Done done;
    done.rh = rh;
    scene.say(node::Topic::requests, scene.wrap(done));
    const auto members = static_cast<dkg::Position>(scene.service.places());
    for (std::uint32_t round = 1; round <= members + 2u; ++round) {
      delegation::Need need;
      need.rh = rh;
      need.epoch = epoch;
      need.transcript = transcript;
      need.round = round;
      need.want = static_cast<std::uint32_t>(scene.random.below(members + 1u));
      for (dkg::Position i = 1; i <= members; ++i) {
        const auto side = scene.random.below(3);
        if (side == 0) need.good.push_back(i);
        if (side == 1) need.bad.push_back(i);
      }
      scene.say(node::Topic::requests, scene.wrap(need));
    }
    for (dkg::Position i = 1; i <= members; ++i) {
      delegation::Refusal refusal;
      refusal.rh = rh;
      refusal.index = i;
      refusal.code = delegation::RefusalCode::unauthorised;
      if (entry == dkg::NodeId{}) scene.say(node::Topic::public_partials, scene.wrap(refusal));
      if (entry != dkg::NodeId{}) scene.say(node::Topic::partials, scene.wrap(refusal), entry);
    }
    scene.act();
  }
};

// A bad item in each batch, items of others under its own name, batches that are too long or no batches.
class BatchPoison final : public Trick {
  void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) override {
    dkg::Envelope foreign = item, malformed = item, borrowed = item;
    foreign.network.bytes[3] = static_cast<std::uint8_t>(foreign.network.bytes[3] ^ 1U);
    malformed.body.resize(malformed.body.size() / 2);
    borrowed.sender = scene.service.node_id(scene.other_place());
    std::vector<dkg::Envelope> items{foreign, malformed, borrowed, item};
    if (heard_) items.insert(items.begin() + 1, *heard_);
    scene.say_batch(topic, dkg::Batch{items}.encode(), entry);
    Bytes spoilt = dkg::Batch{{item}}.encode();
    if (scene.random.below(2) == 0) {
      spoilt.push_back(0xff);
    } else {
      const Bytes one = spoilt;
      while (spoilt.size() < one.size() * 66 && spoilt.size() < 200'000) append(spoilt, one);
    }
    scene.say_batch(topic, spoilt, entry);
    scene.act();
  }
  void hear(TrickScene& scene, const Bytes& message) override {
    auto items = items_of(message);
    if (!items.empty() && topic_of(message) != node::Topic::ceremony) heard_ = std::move(items.front());
    if (scene.random.below(8) == 0 && is_gossip(message)) scene.repeat(message);
  }
  std::optional<dkg::Envelope> heard_;
};

// Entries and requests that name old epochs, new ones, and none; partials that name another than their own.
class EpochSplit final : public Trick {
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (auto request = parsed_as<PublicRequest>(item)) {
        remember(request->epoch, request->transcript);
        std::tie(request->epoch, request->transcript) = draw(scene.random);
        request->issued_at = scene.now.unix_s();
        scene.say(node::Topic::requests, scene.wrap(*request));
        scene.act();
      } else if (auto asked = parsed_as<DelegateRequest>(item)) {
        remember(asked->entry.epoch, asked->entry.transcript);
        std::tie(asked->entry.epoch, asked->entry.transcript) = draw(scene.random);
        asked->entry.entry = scene.self();
        asked->entry.issued_at = scene.now.unix_s();
        asked->entry.signature =
            scene.credentials().node_key.sign(asked->entry.signing_digest(scene.service.network())).bytes;
        scene.say(node::Topic::requests, scene.wrap(*asked));
        scene.act();
      }
    }
  }
  void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) override {
    if (auto c = parsed_as<PartialC>(item); c && scene.random.below(2) == 0) {
      std::tie(c->epoch, c->transcript) = draw(scene.random);
      return scene.say(topic, scene.wrap(*c), entry);
    }
    scene.say(topic, item, entry);
  }
  void remember(std::uint32_t epoch, const dkg::TranscriptHash& transcript) { epochs_[transcript] = epoch; }
  std::pair<std::uint32_t, dkg::TranscriptHash> draw(Random& random) const {
    dkg::TranscriptHash transcript{random.array<32>()};
    std::uint32_t epoch = static_cast<std::uint32_t>(random.below(3));
    if (!epochs_.empty() && random.below(4) != 0) {
      auto at = epochs_.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(random.below(epochs_.size())));
      transcript = at->first;
      if (random.below(4) != 0) epoch = at->second;
    }
    return {epoch, transcript};
  }
  std::map<dkg::TranscriptHash, std::uint32_t> epochs_;
};

Attack gossip_attack(int number, std::string_view name, std::string_view what, std::unique_ptr<Trick> (*trick)(),
                     Attack::Wants wants = Attack::Wants::nothing) {
  Attack out{number, name, what};
  out.trick = trick;
  out.wants = wants;
  return out;
}

}  // namespace

std::vector<Attack> gossip_attacks() {
  return {
      gossip_attack(50, "key-confusion", "requests, shares and partials of one key used with another",
                    tricking<KeyConfusion>, Attack::Wants::two_keys),
      gossip_attack(51, "batch-poison", "bad items in batches, items of others, batches that are none",
                    tricking<BatchPoison>),
      gossip_attack(56, "false-need", "Needs with wrong lists, early Dones, Refusals in everybody's name",
                    tricking<FalseNeed>),
      gossip_attack(69, "epoch-split", "requests and partials that name other epochs", tricking<EpochSplit>,
                    Attack::Wants::epochs),
  };
}

}  // namespace kms::sim
