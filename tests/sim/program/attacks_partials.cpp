// Members that answer wrongly.
#include "crypto/dleq.h"
#include "crypto/reencryption.h"
#include "node/delegation/partial.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using delegation::AnswerJob;
using delegation::Form;
using delegation::PartialB;
using delegation::PartialC;
using delegation::PartialJob;
using delegation::SealedA;
using delegation::ServingKey;
using delegation::ServingKeyPtr;
using Evidence = Attack::Evidence;

// What a key would be with another share, or in another place or epoch.
ServingKeyPtr altered(const ServingKey& key, crypto::SecretScalar share, std::uint32_t epoch, dkg::Position self) {
  return std::make_shared<const ServingKey>(ServingKey{key.network, key.key, key.chain_id, epoch, key.transcript,
                                                       key.threshold, key.members, key.table, self, std::move(share)});
}

// A wrong D_i, or the right one with a proof that is for something else.
ServingKeyPtr draw_altered(TrickScene& scene, const ServingKey& key) {
  const auto& share = *key.share;
  const auto other = static_cast<dkg::Position>(key.self % key.members.size() + 1);
  switch (scene.random.below(4)) {
    case 0:
      return altered(key, share + crypto::Scalar(1), key.epoch, key.self);
    case 1:
      return altered(key, -share, key.epoch, key.self);
    case 2:
      return altered(key, share.clone(), key.epoch + 1, key.self);
    default:
      return altered(key, share.clone(), key.epoch, other);
  }
}

PartialB* partial_b_of(PartialJob& job) {
  auto* made = std::get_if<PartialJob::Made>(&job.result);
  return made == nullptr || !made->own ? nullptr : std::get_if<PartialB>(&*made->own);
}

PartialC* partial_c_of(PartialJob& job) {
  auto* made = std::get_if<PartialJob::Made>(&job.result);
  return made == nullptr || !made->own ? nullptr : std::get_if<PartialC>(&*made->own);
}

// Forms A and B. What it claims outside stays its own: only what is proven is of another share, place or epoch.
class BadPartial final : public Trick {
  void before(TrickScene& scene, delegation::Job& job) override {
    auto* answer = std::get_if<AnswerJob>(&job.work);
    auto* partial = std::get_if<PartialJob>(&job.work);
    const bool is_b = partial != nullptr && partial->authorisation.form == Form::b && partial->key->share;
    if (answer == nullptr && !is_b) return;
    auto& key = answer != nullptr ? answer->key : partial->key;
    real_ = key;
    key = draw_altered(scene, *key);
  }
  void after(TrickScene& scene, delegation::Job& job) override {
    if (!real_) return;
    const ServingKeyPtr real = std::exchange(real_, nullptr);
    if (auto* answer = std::get_if<AnswerJob>(&job.work)) {
      answer->key = real;
      if (auto* sealed = std::get_if<SealedA>(&answer->result)) {
        sealed->index = real->self;
        sealed->epoch = real->epoch;
        scene.act();
      }
      return;
    }
    auto& partial = std::get<PartialJob>(job.work);
    partial.key = real;
    if (auto* b = partial_b_of(partial)) {
      b->index = real->self;
      b->epoch = real->epoch;
      b->signature = scene.credentials().node_key.sign(b->signing_digest());
      scene.act();
    }
  }
  ServingKeyPtr real_;
};

// Form C: W for another P, another request's, U or W that is not a point, W off by G. Its own node has the right one.
class BadReencryption final : public Trick {
  void before(TrickScene&, delegation::Job& job) override {
    const auto* partial = std::get_if<PartialJob>(&job.work);
    if (partial == nullptr || !partial->key->share || partial->authorisation.form != Form::c) return;
    share_ = partial->key;
  }
  void after(TrickScene&, delegation::Job& job) override {
    auto* partial = std::get_if<PartialJob>(&job.work);
    const auto* c = partial == nullptr ? nullptr : partial_c_of(*partial);
    if (c != nullptr) asked_[c->rh] = partial->authorisation.ephemeral;
  }
  void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) override {
    auto c = item.type == PartialC::kType ? PartialC::parse(item.body) : Result<PartialC>(error("another"));
    if (!c) return scene.say(topic, item, entry);
    const PartialC honest = *c;
    const auto take = [&](const std::optional<PartialC>& other) {
      c->u = other ? other->u : c->w;
      c->w = other ? other->w : honest.u;
      if (other) c->proof = other->proof;
    };
    switch (scene.random.below(5)) {
      case 0:
        for_another(*c, scene.random);
        break;
      case 1:
        take(last_);
        break;
      case 2:
        c->u = {};
        break;
      case 3:
        c->w = (crypto::Element(crypto::Point::parse(c->w).value()) + crypto::Point::generator()).bytes();
        break;
      default:
        take(heard_);
    }
    last_ = honest;
    scene.act();
    scene.say(topic, scene.wrap(*c));
  }
  void hear(TrickScene&, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type != PartialC::kType) continue;
      if (const auto partial = PartialC::parse(item.body)) heard_ = *partial;
    }
  }
  void for_another(PartialC& c, Random& random) const {
    const ServingKey& key = *share_;
    const auto context = [&key, rh = c.rh](crypto::Transcript& transcript) {
      transcript.id(key.key).u32(key.epoch).id(key.transcript).u16(key.self).bytes(rh);
    };
    const auto own = crypto::multiply_generator(crypto::SecretScalar::random(random)).point();
    const auto made = crypto::reencrypt(
        *key.share, {context, crypto::Point::parse(asked_.at(c.rh)).value(), own, key.table.share(key.self).point()},
        random);
    c.u = made.u.bytes();
    c.w = made.w.bytes();
    c.proof = made.proof.bytes();
  }
  ServingKeyPtr share_;
  std::map<Hash32, ByteArray<33>> asked_;  // K, by rh
  std::optional<PartialC> last_, heard_;
};

// Form B: the ciphertext is another request's, another node's, or garbage, under its own signature.
class SwappedOaep final : public Trick {
  void after(TrickScene& scene, delegation::Job& job) override {
    auto* partial = std::get_if<PartialJob>(&job.work);
    auto* b = partial == nullptr ? nullptr : partial_b_of(*partial);
    if (b == nullptr) return;
    const Bytes honest = b->ciphertext;
    scene.act();
    switch (scene.random.below(4)) {
      case 0:
        if (!last_.empty()) b->ciphertext = last_;
        break;
      case 1:
        if (!heard_.empty()) b->ciphertext = heard_;
        break;
      case 2:
        b->ciphertext.resize(honest.size() / 2 * 2 == 256 ? 384 : 256);
        break;
      default:
        break;
    }
    if (b->ciphertext == honest) scene.random.fill(MutableByteView(b->ciphertext).subspan(1));
    last_ = honest;
    b->signature = scene.credentials().node_key.sign(b->signing_digest());
  }
  void hear(TrickScene&, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type != PartialB::kType) continue;
      if (const auto partial = PartialB::parse(item.body)) heard_ = partial->ciphertext;
    }
  }
  Bytes last_, heard_;
};

// Answers everything at once with garbage, in its own name and in those of others, and then nothing more.
class GarbageHedge final : public Trick {
  void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) override {
    if (topic == node::Topic::requests) scene.say(topic, item, entry);
  }
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type == delegation::DelegateRequest::kType) {
        if (const auto request = delegation::DelegateRequest::parse(item.body)) seal_garbage(scene, *request);
      } else if (item.type == delegation::PublicRequest::kType) {
        if (const auto request = delegation::PublicRequest::parse(item.body)) post_garbage(scene, *request);
      }
    }
  }
  static void seal_garbage(TrickScene& scene, const delegation::DelegateRequest& request) {
    for (std::size_t index = 1; index <= scene.service.places(); ++index) {
      SealedA sealed;
      sealed.rh = request.entry.rh;
      sealed.epoch = request.entry.epoch;
      sealed.transcript = request.entry.transcript;
      sealed.index = static_cast<dkg::Position>(index);
      sealed.entry = request.entry.entry;
      sealed.u = crypto::multiply_generator(crypto::SecretScalar::random(scene.random)).bytes();
      sealed.salt = scene.random.array<32>();
      sealed.sealed = scene.random.array<SealedA::kSealedBytes>();
      scene.say(node::Topic::partials, scene.wrap(sealed), request.entry.entry);
    }
    scene.act();
  }
  static void post_garbage(TrickScene& scene, const delegation::PublicRequest& request) {
    for (std::size_t index = 1; index <= scene.service.places(); ++index) {
      const auto position = static_cast<dkg::Position>(index);
      if (request.authorisation.form == Form::b) {
        PartialB b;
        b.rh = request.rh, b.epoch = request.epoch, b.transcript = request.transcript, b.index = position;
        b.ciphertext = Bytes(256, 7);
        b.signature = scene.credentials().node_key.sign(b.signing_digest());
        scene.say(node::Topic::public_partials, scene.wrap(b));
      } else {
        PartialC c;
        c.rh = request.rh, c.epoch = request.epoch, c.transcript = request.transcript, c.index = position;
        c.u = c.w = crypto::Point::generator().bytes();
        scene.say(node::Topic::public_partials, scene.wrap(c));
      }
    }
    scene.act();
  }
};

Attack partial_attack(int number, std::string_view name, std::string_view what, Evidence evidence,
                      std::unique_ptr<Trick> (*trick)()) {
  Attack out{number, name, what, evidence};
  out.trick = trick;
  return out;
}

}  // namespace

std::vector<Attack> partial_attacks() {
  return {
      partial_attack(31, "bad-partial", "a wrong D_i, or a proof for another place or epoch", Evidence::local,
                     tricking<BadPartial>),
      partial_attack(32, "bad-reencryption", "W for another P, another's U and W, U that is no point", Evidence::local,
                     tricking<BadReencryption>),
      partial_attack(33, "swapped-oaep", "a ciphertext of another request or node, or garbage", Evidence::transferable,
                     tricking<SwappedOaep>),
      partial_attack(55, "garbage-hedge", "garbage at once in everybody's name, then silence", Evidence::local,
                     tricking<GarbageHedge>),
  };
}

}  // namespace kms::sim
