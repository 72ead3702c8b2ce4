// A node's ceremonies as a machine of the world: the epoch that is being made and the one before it, on one disk, with
// the one before it retired once its successor is released. Messages are an author's place (two bytes) and an envelope:
// the author is what the connection proves, so that nobody sends unsigned messages in another's name.
#pragma once

#include "dkg/ceremony.h"
#include "tests/sim/world.h"

namespace kms::sim {

// A node for all its life.
struct Person {
  crypto::NodeKey key;
  crypto::Secret<32> secret;
  Random entropy;
  dkg::NodeId id() const { return {key.node_id()}; }
};

Bytes authored(std::size_t place, const dkg::Envelope& envelope);
// Nothing if it is no envelope.
std::optional<dkg::Envelope> envelope_of(const Bytes& message);
std::size_t author_of(const Bytes& message);

// What all members of a stage share.
struct Terms {
  dkg::Plan plan;
  std::optional<dkg::Plan> previous;  // the plan of the epoch before
  std::uint64_t approved_until = 0;   // 0: no operator approves (DKG, refresh by the clock)
  Duration grace = 20s;
};

class EpochMember final : public Machine {
 public:
  using Sink = std::function<void(const dkg::Event& event)>;
  EpochMember(const Terms& terms, Person& person, std::size_t place, const Disk& disk, Now now, Sink sink);
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

  const dkg::Ceremony& ceremony() const { return *now_; }
  // nullptr for a node that is new here.
  const dkg::Ceremony* previous() const { return old_ ? &*old_ : nullptr; }

 private:
  struct Part {
    const dkg::Ceremony* by;
    dkg::Effects effects;
  };
  dkg::Event placed(const dkg::Ceremony& by, dkg::Event event) const;
  Output output(std::vector<Part> parts, Now now);
  template <class Input>
  Output feed(Now now, const Input& input);

  const Terms& terms_;
  std::size_t place_;
  Sink sink_;
  std::optional<dkg::Ceremony> old_;
  std::optional<dkg::Ceremony> now_;
  bool approves_ = false;
  dkg::NodeStatus status_;
  Instant status_at_{};
};

}  // namespace kms::sim
