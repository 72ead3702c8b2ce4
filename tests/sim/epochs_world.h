// Nodes of several committees as machines of the world, each a node::Epochs with its disk: the network file of epoch 0
// names the first of them, later files whom a test likes. No delegations, no gossip limits: everybody hears everybody.
#pragma once

#include <deque>

#include "node/epochs.h"
#include "tests/sim/world.h"

namespace kms::sim {

class EpochsMachine final : public Machine {
 public:
  // Of its operator; an error is kept in refusals().
  using Order = std::function<Result<node::EpochSteps>(node::Epochs&, Now)>;
  // Whether a message leaves the node.
  using Filter = std::function<bool(const dkg::Envelope&)>;

  EpochsMachine(node::Epochs epochs, dkg::NodeId self, dkg::NetworkId network)
      : epochs_(std::move(epochs)), self_(self), network_(network) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

  // Carried out at the machine's next tick, which is at once.
  void order(Order order) { orders_.push_back(std::move(order)); }
  void say_only(Filter filter) { filter_ = std::move(filter); }
  // Whether a message reaches the node.
  void hear_only(Filter filter) { hears_ = std::move(filter); }
  // From now on it neither hears nor says anything, until it comes back and says how far it is.
  void leave() { is_away_ = true; }
  void come_back() {
    is_away_ = false;
    status_at_ = {};
  }
  node::Epochs& epochs() { return epochs_; }
  const std::vector<std::string>& refusals() const { return refusals_; }
  const std::vector<dkg::Event>& events() const { return events_; }
  // Nodes by their number in the world.
  std::vector<dkg::NodeId> nodes;

 private:
  Output output(node::EpochSteps steps, Now now);

  node::Epochs epochs_;
  dkg::NodeId self_;
  dkg::NetworkId network_;
  std::deque<Order> orders_;
  Filter filter_;
  Filter hears_;
  bool is_away_ = false;
  std::vector<std::string> refusals_;
  std::vector<dkg::Event> events_;
  std::vector<dkg::NodeStatus::Entry> last_status_;
  Instant status_at_{};
};

struct EpochsTrial {
  using Places = std::vector<std::size_t>;

  // Nodes 1 .. members are the committee of epoch 0.
  EpochsTrial(std::size_t nodes, std::uint16_t members, std::uint16_t threshold, Schedule schedule, std::uint64_t seed);

  // A network file for that epoch; `note` makes one of the same committee another file.
  std::string file(std::uint32_t epoch, const Places& members, std::uint16_t threshold,
                   const std::string& note = {}) const;
  // The orders of operators, given to each of those nodes.
  void approve(const Places& places, const std::string& file);
  void emergency(const Places& places, const std::string& file);
  void give_up(const Places& places);
  // Each of them names the one dealing that can be named.
  void name_dealing(const Places& places);

  EpochsMachine* machine(std::size_t place) { return static_cast<EpochsMachine*>(world.machine(place)); }
  node::Epochs& epochs(std::size_t place) { return machine(place)->epochs(); }
  dkg::NodeId id(std::size_t place) const { return {nodes[place - 1].node_id()}; }
  // -1: nothing is released there, as far as it knows.
  int epoch(std::size_t place);
  // Branch of the newest released epoch.
  std::uint32_t branch(std::size_t place) { return epochs(place).newest()->header.branch; }
  // Branch of the epoch that is to come; -1: none is being made there.
  int next_branch(std::size_t place);
  dkg::Phase next_phase(std::size_t place);
  bool has_reached(const Places& places, int epoch);
  // What `says` holds for all of them, within that time of the world.
  bool run_until(const Places& places, Duration within, const std::function<bool(std::size_t)>& says);
  dkg::SlotId slot(std::uint32_t epoch, std::uint32_t branch) const {
    return dkg::slot_id(terms->key_set, epoch, branch);
  }
  bool has_erased(std::size_t place, std::uint32_t epoch, std::uint32_t branch) const {
    return world.disk(place).is_destroyed("slot/" + to_hex(slot(epoch, branch).view()) + "/epoch");
  }
  std::string story();

  std::vector<crypto::NodeKey> nodes;
  std::vector<crypto::Secret<32>> secrets;
  std::vector<std::unique_ptr<Random>> entropy;
  std::optional<node::NetworkTerms> terms;
  World world;
};

}  // namespace kms::sim
