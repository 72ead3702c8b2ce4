// Hostile requesters: a gateway that the network allows signs what they want, and they ask honest nodes.
#include <boost/json/parse.hpp>

#include "node/delegation/rank.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using delegation::Form;
using delegation::ServingKey;
using delegation::V1Authorisation;

crypto::Point random_point(Random& random) {
  return crypto::multiply_generator(crypto::SecretScalar::random(random)).point();
}

// A signed request that a member gives to gossip for a client.
delegation::PublicRequest public_request(const Petition& petition, const ServingKey& key, std::uint64_t unix_s) {
  delegation::PublicRequest out;
  out.key = key.key;
  out.authorisation = *petition.v1();
  out.rh = petition.rh;
  out.epoch = key.epoch;
  out.transcript = key.transcript;
  out.issued_at = unix_s;
  return out;
}

void expect_refused(TrickScene& scene, const Petition& petition, const ServingKey& key, const std::string& what) {
  Service& service = scene.service;
  const std::size_t place = scene.other_place();
  service.ask(place, call_of(petition, key), [&service, place, what](const node::HttpResponse& response) {
    if (response.status == 200) service.fail("honest node-" + std::to_string(place) + " answers " + what);
  });
  if (petition.way == Way::b || petition.way == Way::c) {
    scene.say(node::Topic::requests, scene.wrap(public_request(petition, key, scene.now.unix_s())));
  }
  scene.act();
}

// K and P that are related to the key or to each other, RSA keys that are none, signers that nobody allowed.
class HostileClient final : public Trick {
  void wake(TrickScene& scene) override {
    const auto key = scene.service.key(scene.random.below(scene.service.keys()));
    if (!key) return;
    switch (scene.random.below(3)) {
      case 0:
        return ask_related(scene, *key);
      case 1:
        return ask_bad_target(scene, *key);
      default:
        return ask_unauthorised(scene, *key);
    }
  }
  // Odd, and allowed: what is got is s*K of a K that was signed, and nothing else.
  static void ask_related(TrickScene& scene, const ServingKey& key) {
    const auto known = scene.service.some_ephemeral();
    const crypto::Point k = known.value_or(crypto::Point::generator());
    const crypto::Element shifted = crypto::Element(k) + random_point(scene.random);
    const crypto::Point drawn[] = {crypto::Point::generator(), key.table.public_key, key.table.share(1).point(), -k,
                                   shifted.point()};
    const auto way = static_cast<Way>(scene.random.below(4));
    const std::size_t place = scene.other_place();
    const auto& ephemeral = drawn[scene.random.below(5)];
    const auto petition = way == Way::v0 ? scene.service.hostile_gateway().v0(key, ephemeral)
                                         : scene.service.hostile_gateway().v1(
                                               way, key, ephemeral, scene.service.address(place),
                                               scene.random.array<32>(), scene.service.deadline(), scene.random);
    scene.service.license(petition);
    scene.service.ask(place, call_of(petition, key), [](const node::HttpResponse&) {});
    scene.act();
  }
  static void ask_bad_target(TrickScene& scene, const ServingKey& key) {
    V1Authorisation a;
    const crypto::Point k = random_point(scene.random);
    a.ephemeral = k.bytes();
    a.nonce = scene.random.array<32>();
    a.deadline = scene.service.deadline();
    const auto kind = scene.random.below(8);
    a.form = kind < 4 ? Form::c : Form::b;
    const auto member = static_cast<dkg::Position>(1 + scene.random.below(key.members.size()));
    const crypto::Point related[] = {crypto::Point::generator(), -k, key.table.public_key,
                                     -key.table.share(member).point()};
    Bytes modulus(kind == 6 ? 128 : kind == 7 ? 512 : 256, 0x5b);
    modulus.front() = 0xc1;
    Bytes exponent{1, 0, 1};
    if (kind == 4) exponent = {1};
    if (kind == 5) exponent = {3};
    if (kind == 7) exponent = Bytes(9, 0x11);
    a.target = kind < 4 ? to_bytes(related[kind].bytes()) : rsa_spki(modulus, exponent);
    expect_refused(scene, scene.service.hostile_gateway().petition_of(std::move(a), key), key, "a target that is bad");
  }
  static void ask_unauthorised(TrickScene& scene, const ServingKey& key) {
    const auto way = scene.random.below(2) == 0 ? Way::b : Way::c;
    auto petition = scene.service.stranger().v1(way, key, random_point(scene.random), {}, scene.random.array<32>(),
                                                scene.service.deadline(), scene.random);
    auto& a = std::get<V1Authorisation>(petition.authorisation);
    if (scene.random.below(3) == 0) {
      a.deadline = scene.now.unix_s() - 60;
      petition = scene.service.hostile_gateway().petition_of(a, key);
    }
    expect_refused(scene, petition, key, "what nobody authorised, or what is over");
  }
};

// One nonce for two requests, some members asked for one and some for the other, at once and later.
class NonceBurn final : public Trick {
  void wake(TrickScene& scene) override {
    const auto key = scene.service.key(0);
    if (!key || ++count_ > 12) return;
    const Gateway& gateway = scene.service.hostile_gateway();
    if (nonces_.size() < 3) nonces_.push_back(scene.random.array<32>());
    const Hash32& nonce = nonces_[scene.random.below(nonces_.size())];
    const auto way = scene.random.below(2) == 0 ? Way::b : Way::c;
    auto odd = gateway.v1(way, *key, random_point(scene.random), {}, nonce, scene.service.deadline(), scene.random);
    Petition even =
        gateway.v1(Way::c, *key, random_point(scene.random), {}, nonce, scene.service.deadline(), scene.random);
    if (scene.random.below(3) == 0) {
      // The same fields under a later deadline.
      V1Authorisation a = *odd.v1();
      a.deadline += 1;
      even = gateway.petition_of(std::move(a), *key);
      if (odd.recipient) even.recipient = odd.recipient->clone();
    }
    scene.service.license(odd);
    scene.service.license(even);
    const bool asks_clients = scene.random.below(2) == 0;
    for (std::size_t to = 1; to <= scene.service.places(); ++to) {
      const Petition& petition = to % 2 == 1 ? odd : even;
      if (asks_clients && scene.service.is_honest(to)) {
        scene.service.ask(to, call_of(petition, *key), [](const node::HttpResponse&) {});
      } else {
        scene.tell(to, node::Topic::requests, scene.wrap(public_request(petition, *key, scene.now.unix_s())));
      }
    }
    scene.act();
  }
  std::size_t count_ = 0;
  std::vector<Hash32> nonces_;
};

// One authorisation under all forms of its signature: it stays one request.
class SignatureForms final : public Trick {
  void wake(TrickScene& scene) override {
    const auto key = scene.service.key(0);
    if (!key || ++count_ > 12) return;
    if (!petition_ || scene.random.below(4) == 0) {
      const auto way = scene.random.below(2) == 0 ? Way::b : Way::c;
      petition_ = scene.service.hostile_gateway().v1(way, *key, random_point(scene.random), {},
                                                     scene.random.array<32>(), scene.service.deadline(), scene.random);
      scene.service.license(*petition_);
    }
    const std::size_t place = scene.other_place();
    const Hash32 rh = petition_->rh;
    const ByteArray<65> honest = petition_->v1()->signature;
    auto& signature = std::get<V1Authorisation>(petition_->authorisation).signature;
    signature = other_signature(honest, scene.random.below(kOtherSignatures));
    Service& service = scene.service;
    service.ask(place, call_of(*petition_, *key), [&service, place, rh](const node::HttpResponse& response) {
      if (response.status == 401) service.fail("a signature in another form is refused: " + response.body);
      if (response.status != 200) return;
      const auto id = boost::json::parse(response.body).at("results").at(0).at("id");
      if (id.as_string() != to_0x(rh))
        service.fail("honest node-" + std::to_string(place) + " sees two requests in one");
    });
    scene.say(node::Topic::requests, scene.wrap(public_request(*petition_, *key, scene.now.unix_s())));
    signature = honest;
    scene.act();
  }
  // Honest requests as well.
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type != delegation::PublicRequest::kType) continue;
      auto request = delegation::PublicRequest::parse(item.body);
      if (!request) continue;
      auto& signature = request->authorisation.signature;
      if (signature[64] != 27 && signature[64] != 28) continue;
      signature = other_signature(signature, scene.random.below(kOtherSignatures));
      scene.say(node::Topic::requests, scene.wrap(*request));
      scene.act();
    }
  }
  std::size_t count_ = 0;
  std::optional<Petition> petition_;
};

// Many requests that all rank one honest member first.
class RankGrind final : public Trick {
  void wake(TrickScene& scene) override {
    const auto key = scene.service.key(0);
    if (!key || ++count_ > 6) return;
    if (victim_ == 0) victim_ = static_cast<dkg::Position>(scene.other_place());
    std::vector<Petition> list;
    const auto asked = static_cast<dkg::Position>(scene.other_place());
    const crypto::Point k = random_point(scene.random);
    for (int tries = 0; tries < 100 && list.size() < 8; ++tries) {
      auto petition = scene.service.hostile_gateway().v1(Way::c, *key, k, {}, scene.random.array<32>(),
                                                         scene.service.deadline(), scene.random);
      const auto order = delegation::ranking(*key, petition.rh, asked);
      if (order.empty() || order.front() != victim_) continue;
      scene.service.license(petition);
      list.push_back(std::move(petition));
    }
    if (list.empty()) return;
    scene.service.ask(asked, call_of(list, *key), [](const node::HttpResponse&) {});
    scene.act();
  }
  std::size_t count_ = 0;
  dkg::Position victim_ = 0;
};

Attack client_attack(int number, std::string_view name, std::string_view what, std::unique_ptr<Trick> (*trick)()) {
  Attack out{number, name, what};
  out.trick = trick;
  return out;
}

}  // namespace

std::vector<Attack> client_attacks() {
  return {
      client_attack(35, "hostile-client", "K = G, S, S_i, -K, K + dG; P = G, K, S, S_i; RSA keys that are none",
                    tricking<HostileClient>),
      client_attack(61, "nonce-burn", "one nonce for two requests at two halves", tricking<NonceBurn>),
      client_attack(64, "signature-forms", "high s and other v of one authorisation", tricking<SignatureForms>),
      client_attack(68, "rank-grind", "nonces ground so that one member ranks first", tricking<RankGrind>),
  };
}

}  // namespace kms::sim
