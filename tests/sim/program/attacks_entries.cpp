// Entries that ask for what they may not have, and give what is wrong.
#include "crypto/eip712.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using delegation::DelegateRequest;
using delegation::Entry;
using delegation::Form;
using delegation::PublicRequest;
using delegation::V1Authorisation;
using Evidence = Attack::Evidence;

// Drops answers, swaps them, combines wrongly.
class BadEntry final : public Trick {
  void before(TrickScene& scene, delegation::Job& job) override {
    if (scene.random.below(2) == 0) return;
    if (auto* finish = std::get_if<delegation::FinishJob>(&job.work)) {
      auto quorum = std::make_shared<delegation::Quorum>();
      for (const auto& partial : finish->quorum->partials) {
        quorum->partials.push_back({partial.index, crypto::Secret<33>::copy_of(partial.point.expose())});
      }
      quorum->weights = finish->quorum->weights;
      if (scene.random.below(2) == 0 && other_) quorum->partials[0].point = crypto::Secret<33>::copy_of(*other_);
      std::swap(quorum->weights.front(), quorum->weights.back());
      other_ = to_array<33>(finish->quorum->partials[0].point.expose());
      finish->quorum = std::move(quorum);
      scene.act();
    } else if (auto* combine = std::get_if<delegation::CombineJob>(&job.work)) {
      std::swap(combine->weights.front(), combine->weights.back());
      scene.act();
    }
  }
  bool answer(TrickScene& scene, node::HttpResponse& response) override {
    if (response.status != 200) return true;
    const auto kind = scene.random.below(4);
    if (kind == 3) return true;
    scene.act();
    if (kind == 0) return false;
    const std::string honest = response.body;
    if (kind == 1 && !last_.empty()) {
      response.body = last_;
    } else {
      for (char& letter : response.body) {
        if (letter == 'a') letter = 'b';
      }
    }
    last_ = honest;
    return true;
  }
  std::optional<ByteArray<33>> other_;
  std::string last_;
};

Entry entry_of(const TrickScene& scene, const DelegateRequest& request, const crypto::SecretScalar& reply_key) {
  Entry out = request.entry;
  out.entry = scene.self();
  out.reply_key = crypto::multiply_generator(reply_key).point().bytes();
  out.issued_at = scene.now.unix_s();
  return out;
}

void sign(const TrickScene& scene, Entry& entry) {
  entry.signature = scene.credentials().node_key.sign(entry.signing_digest(scene.service.network())).bytes;
}

// Asks for the partials of requests that name others, under a reply key of its own.
class EntryHijack final : public Trick {
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      auto request = item.type == DelegateRequest::kType ? DelegateRequest::parse(item.body)
                                                         : Result<DelegateRequest>(error("another"));
      if (!request || item.sender == scene.self()) continue;
      const auto reply_key = crypto::SecretScalar::random(scene.random);
      const Entry theirs = request->entry;
      Entry mine = entry_of(scene, *request, reply_key);
      switch (scene.random.below(5)) {
        case 0:
          sign(scene, mine);
          break;
        case 1:
          mine = theirs;
          break;
        case 2:
          mine.issued_at -= 120;
          sign(scene, mine);
          break;
        case 3:
          mine.entry = theirs.entry;
          sign(scene, mine);
          break;
        default:
          mine.signature = theirs.signature;
      }
      request->entry = mine;
      scene.say(node::Topic::requests, scene.wrap(*request));
      scene.act();
    }
  }
};

// Says requests of one form again as of another, or with itself as the entry.
class FormDowngrade final : public Trick {
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type == PublicRequest::kType) {
        if (const auto request = PublicRequest::parse(item.body)) downgrade(scene, *request);
      } else if (item.type == DelegateRequest::kType) {
        if (const auto request = DelegateRequest::parse(item.body)) upgrade(scene, *request);
      }
    }
  }
  static void downgrade(TrickScene& scene, const PublicRequest& heard) {
    DelegateRequest out;
    out.key = heard.key;
    V1Authorisation a = heard.authorisation;
    a.form = Form::a;
    if (scene.random.below(2) == 0) a.entry = scene.credentials().node_key.address();
    out.authorisation = a;
    out.entry.rh = heard.rh;
    out.entry.epoch = heard.epoch;
    out.entry.transcript = heard.transcript;
    out.entry = entry_of(scene, out, crypto::SecretScalar::random(scene.random));
    sign(scene, out.entry);
    scene.say(node::Topic::requests, scene.wrap(out));
    PublicRequest other = heard;
    other.authorisation.form = heard.authorisation.form == Form::b ? Form::c : Form::b;
    if (other.authorisation.form == Form::c) other.authorisation.target.resize(33);
    scene.say(node::Topic::requests, scene.wrap(other));
    scene.act();
  }
  static void upgrade(TrickScene& scene, const DelegateRequest& heard) {
    const auto* v1 = std::get_if<V1Authorisation>(&heard.authorisation);
    if (v1 == nullptr) return;
    PublicRequest out;
    out.key = heard.key;
    out.authorisation = *v1;
    out.authorisation.form = Form::b;
    out.authorisation.entry = {};
    out.rh = heard.entry.rh;
    out.epoch = heard.entry.epoch;
    out.transcript = heard.entry.transcript;
    out.issued_at = scene.now.unix_s();
    scene.say(node::Topic::requests, scene.wrap(out));
    DelegateRequest mine = heard;
    std::get<V1Authorisation>(mine.authorisation).entry = scene.credentials().node_key.address();
    mine.entry = entry_of(scene, heard, crypto::SecretScalar::random(scene.random));
    sign(scene, mine.entry);
    scene.say(node::Topic::requests, scene.wrap(mine));
    scene.act();
  }
};

// Asks for the same partials again and again under one reply key, hoping for two seals under one key and nonce.
class SealRepeat final : public Trick {
  void hear(TrickScene& scene, const Bytes& message) override {
    for (const auto& item : items_of(message)) {
      if (item.type == DelegateRequest::kType) {
        const auto request = DelegateRequest::parse(item.body);
        if (request && std::holds_alternative<delegation::V0Authorisation>(request->authorisation))
          keep(scene, *request);
      } else if (item.type == PublicRequest::kType && open_.size() < kKept) {
        open_.push_back(item);
      }
    }
  }
  void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item) override {
    if (item.type == DelegateRequest::kType) {
      if (const auto request = DelegateRequest::parse(item.body)) keep(scene, *request);
    }
    scene.say(topic, item, entry);
  }
  void keep(TrickScene& scene, DelegateRequest request) {
    if (kept_.size() >= kKept) return;
    if (!reply_key_) reply_key_ = crypto::SecretScalar::random(scene.random);
    request.entry = entry_of(scene, request, *reply_key_);
    kept_.push_back(std::move(request));
  }
  void wake(TrickScene& scene) override {
    for (DelegateRequest& request : kept_) {
      request.entry.issued_at = scene.now.unix_s() - scene.random.below(2);
      sign(scene, request.entry);
      scene.say(node::Topic::requests, scene.wrap(request));
      scene.act();
    }
    for (dkg::Envelope item : open_) {
      auto request = PublicRequest::parse(item.body).value();
      request.issued_at = scene.now.unix_s();
      scene.say(node::Topic::requests, scene.wrap(request));
      scene.act();
    }
  }
  static constexpr std::size_t kKept = 2;
  std::optional<crypto::SecretScalar> reply_key_;
  std::vector<DelegateRequest> kept_;
  std::vector<dkg::Envelope> open_;
};

Attack entry_attack(int number, std::string_view name, std::string_view what, Evidence evidence,
                    std::unique_ptr<Trick> (*trick)(), Attack::Wants wants = Attack::Wants::nothing) {
  Attack out{number, name, what, evidence};
  out.trick = trick;
  out.wants = wants;
  return out;
}

}  // namespace

std::vector<Attack> entry_attacks() {
  return {
      entry_attack(34, "bad-entry", "drops answers, swaps them, combines with wrong weights or partials",
                   Evidence::none, tricking<BadEntry>),
      entry_attack(37, "entry-hijack", "copies requests of form A under its own reply key; stale and foreign Entries",
                   Evidence::none, tricking<EntryHijack>, Attack::Wants::unlisted),
      entry_attack(38, "form-downgrade", "says requests of one form again as of another", Evidence::none,
                   tricking<FormDowngrade>),
      entry_attack(43, "seal-repeat", "the same request and reply key, again and again", Evidence::none,
                   tricking<SealRepeat>),
  };
}

}  // namespace kms::sim
