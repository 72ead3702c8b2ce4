// What leaders and deciders can do wrong, and receivers at the end of a ceremony.
#include "tests/sim/program/attacks_of.h"

namespace kms::sim {
namespace {

using dkg::MessageType;
using Evidence = Attack::Evidence;

template <class M>
std::optional<M> parsed(const dkg::Envelope& envelope) {
  if (envelope.type != M::kType) return std::nullopt;
  auto message = M::parse(envelope.body);
  if (!message) return std::nullopt;
  return std::move(*message);
}

class SilentLeader final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const bool leads = envelope.type == MessageType::ceremony_header || envelope.type == MessageType::candidate ||
                       envelope.type == MessageType::proposal;
    if (!leads) scene.say(envelope);
  }
};

// Candidates with too few Deals, with Deals that nobody has, with the convicted kept.
class StaleLeader final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    auto candidate = parsed<dkg::Candidate>(envelope);
    if (!candidate) return scene.say(envelope);
    switch (scene.random.below(3)) {
      case 0:
        candidate->list.pop_back();
        break;
      case 1:
        scene.random.fill(candidate->list.back().hash.bytes);
        break;
      default:
        candidate->list.back().dealer = static_cast<dkg::Position>(candidate->list.back().dealer + 1);
    }
    scene.say(scene.sign(*candidate));
  }
};

dkg::Proposal another(const dkg::Proposal& proposal) {
  auto other = proposal;
  if (other.fate) {
    other.fate = dkg::Fate::voided;
    return other;
  }
  other.list.pop_back();
  other.transcript = dkg::transcript_hash(other.sid, other.list);
  return other;
}

class SplitLeader final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const auto proposal = parsed<dkg::Proposal>(envelope);
    if (!proposal || proposal->parent_view != 0 || (!proposal->fate && proposal->list.size() < 2)) {
      return scene.say(envelope);
    }
    const auto other = scene.sign(another(*proposal));
    scene.split(envelope, other);
    scene.split(other, envelope);
    if (!proposal->fate) scene.confess(proposal->view <= 1 ? Evidence::transferable : Evidence::none);
  }
};

// Two values in a view, Nullify beside Finalize, votes for views to come.
class DoubleVote final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    scene.say(envelope);
    const auto vote = parsed<dkg::Vote>(envelope);
    if (!vote) return;
    auto other = *vote;
    switch (vote->kind) {
      case dkg::VoteKind::notarize:
        scene.random.fill(other.value.bytes);
        break;
      case dkg::VoteKind::nullify:
        other.kind = dkg::VoteKind::finalize;
        scene.random.fill(other.value.bytes);
        break;
      case dkg::VoteKind::finalize:
        other.kind = dkg::VoteKind::nullify;
        other.value = {};
        break;
    }
    scene.say(scene.sign(other));
    other.view += 2;
    scene.say(scene.sign(other));
  }
  // Early, so that everybody can still hear it.
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    const auto deal = parsed<dkg::Deal>(envelope);
    if (!deal || has_begun_ || scene.dealer() == 0 || scene.is_decided()) return;
    has_begun_ = true;
    dkg::Vote vote;
    vote.slot = scene.ceremony().slot();
    vote.view = 1;
    scene.random.fill(vote.value.bytes);
    scene.say(scene.sign(vote));
    scene.random.fill(vote.value.bytes);
    scene.say(scene.sign(vote));
    if (scene.ceremony().status().view <= 1) scene.confess();
  }
  bool has_begun_ = false;
};

class ForgedCertificate final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    scene.say(envelope);
    const auto vote = parsed<dkg::Vote>(envelope);
    if (vote) forge(scene, *vote, *envelope.signature);
    auto certificate = parsed<dkg::Certificate>(envelope);
    if (!certificate) return;
    certificate->signatures.pop_back();
    if (!certificate->signatures.empty()) scene.say(scene.sign(*certificate));
  }
  // One signature for all the places.
  void forge(Scene& scene, const dkg::Vote& vote, const dkg::Signature& signature) {
    dkg::Signatures signatures;
    const auto count =
        scene.stage.plan().old ? scene.stage.plan().old->header.threshold.n() : scene.stage.plan().threshold.n();
    for (dkg::Position position = 1; position <= count; ++position) signatures.push_back({position, signature});
    if (vote.kind == dkg::VoteKind::finalize) {
      dkg::Sid sid;
      dkg::TranscriptHash transcript;
      scene.random.fill(sid.bytes);
      scene.random.fill(transcript.bytes);
      scene.say(scene.sign(dkg::final_certificate(vote, sid, transcript, {}, std::move(signatures))));
    } else {
      scene.say(scene.sign(dkg::view_certificate(vote, {}, std::move(signatures))));
    }
  }
};

class WithheldCertificate final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const bool is_kept = envelope.type == MessageType::certificate || envelope.type == MessageType::proposal ||
                         envelope.type == MessageType::vote;
    if (!is_kept) return scene.say(envelope);
    const auto half = scene.place % 2;
    for (std::size_t to = 1; to <= scene.stage.places(); ++to) {
      if (to % 2 == half) scene.tell(to, envelope);
    }
  }
};

// READY for whatever is proposed, and for what nobody proposed.
class FalseReady final : public Behaviour {
  void hear(Scene& scene, const dkg::Envelope& envelope) override {
    const auto candidate = parsed<dkg::Candidate>(envelope);
    if (!candidate || scene.receiver() == 0) return;
    dkg::Ready ready{candidate->slot, candidate->sid, dkg::transcript_hash(candidate->sid, candidate->list),
                     scene.receiver()};
    scene.say(scene.sign(ready));
    for (int i = 0; i < 4; ++i) {
      scene.random.fill(ready.transcript.bytes);
      scene.say(scene.sign(ready));
    }
  }
};

// Lets the key be decided with its READY and then does nothing for it.
class ConfirmStarve final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    const bool is_kept = envelope.type == MessageType::active || envelope.type == MessageType::confirm ||
                         envelope.type == MessageType::repair_delta || envelope.type == MessageType::epoch_chain;
    if (!is_kept) scene.say(envelope);
  }
};

class BadActive final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    auto active = parsed<dkg::Active>(envelope);
    if (!active || active->slot != scene.ceremony().slot()) return scene.say(envelope);
    if (!lie_) {
      const auto secret = crypto::SecretScalar::random(scene.random);
      active->keys[0].share = crypto::multiply_generator(secret).point();
      lie_ = scene.sign(*active);
      scene.confess_at_the_end(Evidence::transferable);
    }
    scene.say(*lie_);
  }
  std::optional<dkg::Envelope> lie_;
};

class NoActive final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    if (envelope.type != MessageType::active) scene.say(envelope);
  }
};

// Another root for half of the others; or a CONFIRM for half and nothing for the rest.
class SplitConfirm final : public Behaviour {
  void send(Scene& scene, const dkg::Envelope& envelope) override {
    auto confirm = parsed<dkg::Confirm>(envelope);
    if (!confirm || confirm->slot != scene.ceremony().slot()) return scene.say(envelope);
    if (!lie_) {
      scene.random.fill(confirm->root.bytes);
      lie_ = scene.sign(*confirm);
      scene.confess_at_the_end(Evidence::transferable);
    }
    scene.split(envelope, *lie_);
    scene.split(*lie_, envelope);
  }
  std::optional<dkg::Envelope> lie_;
};

}  // namespace

std::vector<Attack> vote_attacks() {
  const auto yes = Evidence::transferable;
  const auto no = Evidence::none;
  return {
      {14, "false-ready", "says READY without a share, for everything", no, behaving<FalseReady>},
      {15, "silent-leader", "never begins, collects or proposes", no, behaving<SilentLeader>},
      {15, "stale-leader", "collects incomplete, wrong or unknown Deals", no, behaving<StaleLeader>},
      {16, "split-leader", "proposes two values in one view, to two halves", yes, behaving<SplitLeader>},
      {17, "double-vote", "votes for two values of a view, and to nullify what it finalizes", yes,
       behaving<DoubleVote>},
      {18, "forged-certificate", "sends certificates with too few or doubled signatures", Evidence::none,
       behaving<ForgedCertificate>},
      {19, "withheld-certificate", "shows certificates, proposals and votes to one half only", no,
       behaving<WithheldCertificate>},
      {20, "bad-active", "shows a public share that is not its own", yes, behaving<BadActive>},
      {20, "no-active", "says READY and never shows its public share", no, behaving<NoActive>},
      {21, "split-confirm", "confirms another table to one half", yes, behaving<SplitConfirm>},
      {53, "confirm-starve", "neither proves, confirms nor repairs", no, behaving<ConfirmStarve>},
  };
}

}  // namespace kms::sim
