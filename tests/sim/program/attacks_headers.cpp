// What initiators can do wrong, and everybody with prekeys, approvals and old messages.
#include "dkg/prekeys.h"
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

// Every own header is another one.
class HeaderTwist : public Behaviour {
 public:
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    auto header = envelope.type == MessageType::ceremony_header ? dkg::CeremonyHeader::parse(envelope.body)
                                                                : Result<dkg::CeremonyHeader>(error("another type"));
    if (!header) return scene.say(envelope);
    auto& said = said_[header->attempt];
    if (said.empty()) {
      said.push_back(envelope);
      twist(scene, *header, said);
    }
    publish(scene, said);
  }

 protected:
  // `said` holds the honest header; what it holds afterwards is published.
  virtual void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) = 0;
  virtual void publish(Scene& scene, const std::vector<dkg::Envelope>& said) {
    for (const auto& envelope : said) scene.say(envelope);
  }

 private:
  std::map<std::uint32_t, std::vector<dkg::Envelope>> said_;
};

std::size_t mark_absent(Scene& scene, dkg::CeremonyHeader& header, std::size_t count) {
  auto absent = header.absent().size();
  for (auto& member : header.members) {
    if (absent >= count) break;
    if (!member.prekey || member.member.node == scene.ceremony().self()) continue;
    member.prekey.reset();
    ++absent;
  }
  return absent;
}

// Members that are there are left out; at times more of them than may be.
class FalseAbsent final : public HeaderTwist {
  void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) override {
    const std::size_t most = header.threshold.f();
    const bool is_too_much = scene.random.below(2) == 0 && header.members.size() > most + 1;
    const auto absent = mark_absent(scene, header, most + (is_too_much ? 1 : 0));
    said = {scene.sign(header)};
    if (absent > most) scene.confess(Evidence::local);
  }
};

class BadHeader final : public HeaderTwist {
  void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) override {
    std::vector<dkg::HeaderMember*> present;
    for (auto& member : header.members) {
      if (member.prekey) present.push_back(&member);
    }
    switch (scene.random.below(4)) {
      case 0:  // foreign prekeys
        if (present.size() < 2) return;
        std::swap(present[0]->prekey, present[1]->prekey);
        scene.confess();
        break;
      case 1:  // another file
        scene.random.fill(header.file.bytes);
        scene.confess();
        break;
      case 2: {  // another threshold
        const auto other = dkg::Threshold::make(
            header.threshold.n(), header.threshold.t() > 2 ? header.threshold.t() - 1u : header.threshold.t() + 1u);
        if (!other) return;
        header.threshold = *other;
        scene.confess();
        break;
      }
      default:  // far ahead
        header.attempt = 0xffffffff;
    }
    said = {scene.sign(header)};
  }
};

// Two of them, so that READYs fall short.
class AttemptPin final : public HeaderTwist {
  void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) override {
    mark_absent(scene, header, header.threshold.f());
    said.push_back(scene.sign(header));
  }
  void publish(Scene& scene, const std::vector<dkg::Envelope>& said) override {
    scene.split(said.front(), said.back());
  }
  // And a state that is far ahead of everybody's.
  void wake(Scene& scene) override {
    auto entry = scene.ceremony().status_message();
    entry.attempt += 1000;
    scene.say(scene.sign(dkg::NodeStatus{{entry}}));
  }
};

class ThresholdDrop final : public HeaderTwist {
  void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) override {
    const auto lower = dkg::Threshold::make(header.threshold.n(), 2);
    if (!lower || header.threshold.t() == 2) return;
    header.threshold = *lower;
    said = {scene.sign(header)};
    scene.confess();
  }
};

// Approvals of another file, of another slot, of too few, of oneself many times.
class ApprovalReplay final : public HeaderTwist {
  void twist(Scene& scene, dkg::CeremonyHeader header, std::vector<dkg::Envelope>& said) override {
    if (header.approvals.empty()) return;
    switch (scene.random.below(3)) {
      case 0:
        header.not_after += 1;
        break;
      case 1:
        header.approvals.pop_back();
        break;
      default:
        for (auto& approval : header.approvals) approval.signature = header.approvals.front().signature;
        if (header.approvals.size() < 2) return;
    }
    said = {scene.sign(header)};
    scene.confess();
  }
};

class PrekeyChurn final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const auto announce = envelope.type == MessageType::prekey_announce
                              ? dkg::PreKeyAnnounce::parse(envelope.body)
                              : Result<dkg::PreKeyAnnounce>(error("another type"));
    const bool is_own = announce && announce->series == dkg::Series::ceremony &&
                        announce->epoch == scene.ceremony().status_message().epoch;
    if (!is_own) return scene.say(envelope);
    auto& other = others_[announce->first];
    if (!other) {
      const dkg::PrekeyScope scope{scene.stage.plan().network_id, announce->series, announce->key_set, announce->epoch,
                                   announce->branch};
      other = scene.sign(
          dkg::make_prekeys(scene.stage.person(scene.place).key, scope, announce->first, scene.random).announce);
      scene.confess();
    }
    scene.split(envelope, *other);
    scene.split(*other, envelope);
  }
  std::map<std::uint32_t, std::optional<dkg::Envelope>> others_;
};

// Everything it ever heard, again.
class Replay final : public Behaviour {
  void wake(Scene& scene) override {
    const std::vector<dkg::Envelope>* kept[] = {&scene.stage.chain().overheard, &scene.stage.ring().overheard};
    for (const auto* heard : kept) {
      for (int i = 0; i < 5 && !heard->empty(); ++i) {
        const auto& envelope = (*heard)[scene.random.below(heard->size())];
        if (envelope.signature) scene.say(envelope);
      }
    }
  }
};

// Honest members' words, as if they contradicted each other.
class RestartAccuser final : public Behaviour {
  void wake(Scene& scene) override {
    const auto& heard = scene.stage.ring().overheard;
    if (heard.size() < 2) return;
    for (int i = 0; i < 5; ++i) {
      const auto& one = heard[scene.random.below(heard.size())];
      const auto& two = heard[scene.random.below(heard.size())];
      if (!one.signature || !two.signature) continue;
      const auto kind = static_cast<dkg::EquivocationKind>(1 + scene.random.below(9));
      const dkg::Equivocation accusation{kind, one.encode(), two.encode()};
      scene.say(dkg::wrap(accusation, scene.ceremony().self(), scene.stage.plan().network_id));
      scene.say(one);
    }
  }
};

class Flood final : public Behaviour {
  void wake(Scene& scene) override {
    if (scene.now.instant > Instant{} + 20s) return;
    const auto slot = scene.ceremony().slot();
    for (int i = 0; i < 8; ++i) {
      dkg::Sid sid;
      dkg::TranscriptHash transcript;
      scene.random.fill(sid.bytes);
      scene.random.fill(transcript.bytes);
      if (scene.receiver() != 0) scene.say(scene.sign(dkg::Ready{slot, sid, transcript, scene.receiver()}));
      dkg::Vote vote;
      vote.slot = slot;
      vote.view = static_cast<std::uint32_t>(1 + scene.random.below(1000));
      vote.value = id_cast<dkg::ValueHash>(sid);
      scene.say(scene.sign(vote));
      dkg::Fetch fetch;
      fetch.hashes.push_back(id_cast<dkg::ObjectId>(sid));
      scene.say(scene.sign(fetch));
      Bytes garbage(200);
      scene.random.fill(garbage);
      scene.shout(std::move(garbage));
      auto forged = scene.sign(vote);
      scene.random.fill(forged.signature->bytes);
      forged.signature->bytes[64] = 27;
      scene.say(forged);
    }
  }
};

// Strangers, and members' names under a stranger's key.
class SybilGossip final : public Behaviour {
  void wake(Scene& scene) override {
    const auto stranger = crypto::NodeKey::generate(scene.random);
    dkg::Vote vote;
    vote.slot = scene.ceremony().slot();
    vote.view = 1;
    scene.random.fill(vote.value.bytes);
    auto envelope = dkg::seal(vote, stranger, scene.stage.plan().network_id);
    scene.say(envelope);
    const auto victim = 1 + scene.random.below(scene.stage.places());
    envelope.sender = scene.stage.everybody().at(static_cast<dkg::Position>(victim)).node;
    scene.say(envelope);
    const auto status = scene.ceremony().status_message();
    scene.say(dkg::wrap(dkg::NodeStatus{{status}}, envelope.sender, scene.stage.plan().network_id));
  }
};

}  // namespace

std::vector<Attack> header_attacks() {
  const auto local = Evidence::local;
  const auto no = Evidence::none;
  return {
      {13, "flood", "READYs, votes, fetches and garbage without end", no, behaving<Flood>},
      {22, "bad-header", "begins with foreign prekeys, another file or threshold, attempt 2^32 - 1", local,
       behaving<BadHeader>},
      {26, "replay", "sends again what it heard, of this and the earlier epoch", no, behaving<Replay>},
      {36, "sybil-gossip", "speaks under strangers' keys and in others' names", no, behaving<SybilGossip>},
      {44, "threshold-drop", "begins with a lower threshold than was agreed", local, behaving<ThresholdDrop>},
      {45, "approval-replay", "begins with approvals of something else, or too few", local, behaving<ApprovalReplay>,
       Attack::Only::reshare},
      {48, "prekey-churn", "announces two prekeys for each number, to two halves", Evidence::transferable,
       behaving<PrekeyChurn>},
      {49, "attempt-pin", "begins each attempt twice, and claims to be a thousand attempts ahead", no,
       behaving<AttemptPin>},
      {65, "false-absent", "leaves out members that are there, at times more than f'", no, behaving<FalseAbsent>},
      {66, "restart-accuser", "offers honest members' words as contradictions", no, behaving<RestartAccuser>},
  };
}

}  // namespace kms::sim
