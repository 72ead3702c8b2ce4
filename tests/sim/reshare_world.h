// A reshare in the world: epoch 0 is made by its own committee first, then the nodes of both committees run slot 1.
#pragma once

#include "tests/sim/checkers.h"

namespace kms::sim {

// From n, t to new_n, new_t; the last `shared` nodes of the old committee are in the new one.
struct Move {
  std::uint16_t n = 5;
  std::uint16_t t = 3;
  std::uint16_t new_n = 5;
  std::uint16_t new_t = 3;
  std::uint16_t shared = 5;
  std::size_t keys = 1;
};

// Everything up to the release of epoch 0; many reshares can start from it.
class Origin {
 public:
  Origin(const Move& move, std::uint64_t seed);

  const Move move;
  std::vector<crypto::NodeKey> nodes;  // of both committees, sorted by node id: place in everybody - 1
  std::vector<crypto::Secret<32>> node_secrets;
  dkg::Committee old_members;
  dkg::Committee new_members;
  dkg::Plan first;                                                  // of epoch 0
  std::shared_ptr<const dkg::EpochRecord> record;                   // of epoch 0
  std::map<std::size_t, std::vector<crypto::SecretScalar>> shares;  // of epoch 0, by place in everybody
  std::map<std::size_t, Disk> disks;                                // the same
  dkg::Plan plan() const;                                           // of epoch 1

  bool is_old(std::size_t place) const { return old_members.position_of(id(place)).has_value(); }
  bool is_new(std::size_t place) const { return new_members.position_of(id(place)).has_value(); }
  dkg::NodeId id(std::size_t place) const { return {nodes[place - 1].node_id()}; }
  dkg::Self self(std::size_t place) const;
  // Places of members of a committee.
  std::vector<std::size_t> old_places() const;
  std::vector<std::size_t> new_places() const;

 private:
  void make_first_epoch(std::uint64_t seed);
};

// What a test puts around the honest machine of a member.
using Twist = std::function<std::unique_ptr<Machine>(std::size_t place, std::unique_ptr<Machine> honest)>;

struct ReshareTrial {
  static constexpr std::uint64_t kApprovedUntil = 1'700'100'000;
  // `plan`: other than Origin::plan, for example with a clock. Without `approve` no operator approves anything.
  enum class Operators { approve, stay_away };
  ReshareTrial(const Origin& origin, Schedule schedule, std::uint64_t seed, Operators operators = Operators::approve,
               std::optional<dkg::Plan> plan = {}, Twist twist = {}, std::set<std::size_t> unchecked = {});

  const dkg::Ceremony* ceremony(std::size_t place);
  bool is_released(std::size_t place) { return ceremony(place) != nullptr && ceremony(place)->is_released(); }
  // Every member of either committee not in `without` knows the release, every new one of them has its share.
  bool is_over(const std::set<std::size_t>& without = {});
  void go(const std::set<std::size_t>& without = {}) {
    world.run([&] { return is_over(without); });
  }
  // What must hold whatever happened; who is blamed must be in `liars`.
  std::string verdict(const std::set<std::size_t>& liars = {});
  std::set<std::size_t> blamed();
  std::string story();

  const Origin& origin;
  dkg::Plan plan;
  std::vector<std::unique_ptr<Random>> entropy;
  FieldChecker fields;
  std::map<std::size_t, CeremonyMachine*> machines;
  World world;
};

}  // namespace kms::sim
