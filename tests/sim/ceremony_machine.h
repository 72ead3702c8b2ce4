// A Ceremony as a machine of the world: a node that has nothing else, with its NodeStatus.
#pragma once

#include "dkg/ceremony.h"
#include "tests/sim/world.h"

namespace kms::sim {

// Keys and plan of a committee made from a seed; member numbers are positions.
struct Committee {
  Committee(std::uint16_t members, std::uint16_t threshold, std::uint64_t seed, std::size_t keys = 1);
  dkg::Plan plan;
  std::vector<crypto::NodeKey> nodes;            // by position - 1
  std::vector<crypto::Secret<32>> node_secrets;  // the same
  std::vector<std::unique_ptr<Random>> entropy;  // the same; runs on through restarts
  Boot boot();
};

class CeremonyMachine final : public Machine {
 public:
  // `approves`: until when its operator approves the plan, at once.
  explicit CeremonyMachine(dkg::Ceremony ceremony, std::optional<std::uint64_t> approves = {})
      : ceremony_(std::move(ceremony)), approves_(approves) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

  // Its operator orders an emergency reshare and names what `names` gives, as soon as it gives something.
  using Naming = std::function<std::optional<dkg::TranscriptHash>(const dkg::EmergencyState&)>;
  void order_emergency(Naming names) { names_ = std::move(names); }
  // Its operator approves, from then on and as soon as it can, that the slot is given up.
  void give_up_from(Instant at) { gives_up_at_ = at; }
  // Why orders were refused.
  const std::vector<std::string>& refusals() const { return refusals_; }

  const dkg::Ceremony& ceremony() const { return ceremony_; }
  const std::vector<dkg::Event>& events() const { return events_; }

 private:
  Output output(dkg::Effects effects, Now now);
  Output obey(Result<dkg::Effects> effects, Now now);

  dkg::Ceremony ceremony_;
  std::optional<std::uint64_t> approves_;
  Naming names_;
  bool is_emergency_ordered_ = false;
  bool has_named_ = false;
  std::optional<Instant> gives_up_at_;
  Instant asked_at_{};
  std::vector<std::string> refusals_;
  dkg::NodeStatus::Entry last_status_;
  Instant status_at_{};
  std::vector<dkg::Event> events_;
};

// A member whose Deals hold a wrong share for one receiver and are right for everybody else (behaviour 1 of
// PROTOCOL.md 8): everything it says but its Deals comes from an honest machine.
class WrongShareMachine final : public Machine {
 public:
  WrongShareMachine(std::unique_ptr<Machine> honest, const Committee& committee, dkg::Position self,
                    dkg::Position victim)
      : honest_(std::move(honest)), committee_(committee), self_(self), victim_(victim) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override { return twist(honest_->tick(now)); }
  std::optional<Instant> wakes_at() const override { return honest_->wakes_at(); }
  Output connected(const std::set<std::size_t>& members, Now now) override {
    return twist(honest_->connected(members, now));
  }
  Machine& honest() { return *honest_; }

 private:
  void learn(const Bytes& message);
  Output twist(Output output);

  std::unique_ptr<Machine> honest_;
  const Committee& committee_;
  dkg::Position self_;
  dkg::Position victim_;
  std::map<dkg::Sid, dkg::CeremonyHeader> headers_;
};

}  // namespace kms::sim
