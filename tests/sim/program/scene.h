// What a traitor has at hand while it acts: its key, its inside, what the ring heard, and the ways to send.
#pragma once

#include "tests/sim/program/stage.h"

namespace kms::sim {

class Scene {
 public:
  Scene(Stage& of, std::size_t at, const Attack& attack, EpochMember& inside, Random& draws, Now then)
      : stage(of), place(at), now(then), random(draws), inside_(inside), attack_(attack) {}

  Stage& stage;
  const std::size_t place;
  const Now now;
  Random& random;

  const EpochMember& inside() const { return inside_; }
  const dkg::Ceremony& ceremony() const { return inside_.ceremony(); }
  bool is_decided() const { return ceremony().record() != nullptr; }
  template <class M>
  dkg::Envelope sign(const M& message) const {
    if constexpr (M::kType == dkg::MessageType::certificate || M::kType == dkg::MessageType::epoch_chain ||
                  M::kType == dkg::MessageType::fetch || M::kType == dkg::MessageType::node_status ||
                  M::kType == dkg::MessageType::approval) {
      return dkg::wrap(message, ceremony().self(), stage.plan().network_id);
    } else {
      return dkg::seal(message, stage.person(place).key, stage.plan().network_id);
    }
  }

  void say(const dkg::Envelope& envelope) { output.send.push_back(authored(place, envelope)); }
  void tell(std::size_t to, const dkg::Envelope& envelope) {
    if (to != place) output.whispers.push_back({to, authored(place, envelope)});
  }
  // Odd places get one, even places the other.
  void split(const dkg::Envelope& odd, const dkg::Envelope& even) {
    for (std::size_t to = 1; to <= stage.places(); ++to) tell(to, to % 2 == 1 ? odd : even);
  }
  void shout(Bytes garbage);
  // The attack has been carried out: with what others can hold against it, if `evidence` says so. They get it before
  // the decision, or it counts for nothing; `late` is how much later it reaches them than what is said to everybody.
  void confess(Attack::Evidence evidence, Duration late = {});
  void confess() { confess(attack_.evidence); }
  // The same for what counts until the end.
  void confess_at_the_end(Attack::Evidence evidence);

  // The private half of the own prekey of an attempt, as its disk has it.
  std::optional<crypto::SecretScalar> prekey(std::uint32_t attempt) const;
  // The header of a sid that was seen.
  const dkg::CeremonyHeader* header(const dkg::Sid& sid) const;
  // Own positions; 0 where it has none.
  dkg::Position dealer() const;
  dkg::Position receiver() const;
  // Receivers of this header that are honest and not absent.
  std::vector<dkg::Position> targets(const dkg::CeremonyHeader& header) const;
  dkg::Position receiver_of(std::size_t other) const;
  std::size_t place_of_receiver(dkg::Position position) const;

  Output output;

 private:
  EpochMember& inside_;
  const Attack& attack_;
};

// A Deal of one's own that is not what it should be.
struct DealLie {
  std::set<dkg::Position> garbled = {};                          // receivers whose ciphertexts are garbage
  std::uint64_t constant_off = 0;                                // added to the constant term
  const std::vector<crypto::SecretScalar>* constants = nullptr;  // of a DKG
  std::uint64_t salt = 0;                                        // another polynomial
  int more_commitments = 0;                                      // than t'
};
dkg::Deal forge_deal(const Scene& scene, const dkg::CeremonyHeader& header, const DealLie& lie);

class Traitor final : public Machine {
 public:
  Traitor(Stage& stage, std::size_t place, const Attack& attack, std::unique_ptr<EpochMember> inside,
          std::shared_ptr<Behaviour> behaviour, Random& random)
      : stage_(stage),
        place_(place),
        attack_(attack),
        inside_(std::move(inside)),
        behaviour_(std::move(behaviour)),
        random_(random) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

 private:
  Output twist(Scene& scene, Output honest);

  Stage& stage_;
  std::size_t place_;
  const Attack& attack_;
  std::unique_ptr<EpochMember> inside_;
  std::shared_ptr<Behaviour> behaviour_;
  Random& random_;
  Instant wake_at_{};
};

}  // namespace kms::sim
