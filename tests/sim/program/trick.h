// What a traitor does to delegations (PROTOCOL.md 8, second table): it runs an honest node inside, twists what that one
// computes and says, asks other nodes as a client, and plays messages of others again. It signs with its own keys only.
#pragma once

#include "tests/sim/program/service.h"

namespace kms::sim {

class TrickScene;

class Trick {
 public:
  virtual ~Trick() = default;
  // A job of the node inside, before and after it runs.
  virtual void before(TrickScene& scene, delegation::Job& job);
  virtual void after(TrickScene& scene, delegation::Job& job);
  // What the node inside wants to say. `entry`: with Topic::partials, to whom.
  virtual void send(TrickScene& scene, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item);
  // A message of an honest node, before the node inside gets it.
  virtual void hear(TrickScene& scene, const Bytes& message);
  // What the node inside answers a client; false: it answers nothing.
  virtual bool answer(TrickScene& scene, node::HttpResponse& response);
  // Every kTrickPeriod of virtual time, once there is a key.
  virtual void wake(TrickScene& scene);
};

inline constexpr Duration kTrickPeriod = 200ms;

// What a traitor has at hand.
class TrickScene {
 public:
  TrickScene(Service& of, std::size_t at, const NodeMachine& inside, Random& draws, Now then, std::uint64_t& next_seqno)
      : service(of), place(at), random(draws), now(then), inside_(inside), next_seqno_(next_seqno) {}

  Service& service;
  const std::size_t place;
  Random& random;
  const Now now;
  Output output;

  const node::NodeCore& core() const { return inside_.core(); }
  const delegation::Credentials& credentials() const { return service.credentials(place); }
  dkg::NodeId self() const { return service.node_id(place); }
  delegation::ServingKeyPtr key(std::size_t number) const;  // its own, share included; null before the release

  void say(node::Topic topic, const dkg::Envelope& item, const dkg::NodeId& entry = {});
  void tell(std::size_t to, node::Topic topic, const dkg::Envelope& item, const dkg::NodeId& entry = {});
  void say_batch(node::Topic topic, ByteView batch, const dkg::NodeId& entry = {});
  template <class M>
  dkg::Envelope wrap(const M& message) const {
    return dkg::wrap(message, self(), service.network());
  }
  dkg::Envelope wrap(const delegation::PartialB& partial) const;
  // Somebody else's, as it was.
  void repeat(const Bytes& message) { output.send.push_back(message); }
  void act() { service.act(); }
  std::size_t other_place() const;  // drawn; an honest one

 private:
  Bytes message(node::Topic topic, const dkg::NodeId& entry, ByteView batch);

  const NodeMachine& inside_;
  std::uint64_t& next_seqno_;
};

// The items of a message of gossip; nothing if it is none or does not decode.
std::vector<dkg::Envelope> items_of(const Bytes& message);

// A node of the service: it hands answers to requesters once they are durable, and runs the agenda.
class ServiceNode final : public Machine {
 public:
  ServiceNode(Service& service, std::size_t place, std::unique_ptr<NodeMachine> inside, std::shared_ptr<Trick> trick,
              Random& random);
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

  NodeMachine& inside() { return *inside_; }

 private:
  void hook();
  Output twist(TrickScene& scene, Output honest);
  void keep_answers(TrickScene* scene);
  TrickScene scene(Now now);

  Service& service_;
  std::size_t place_;
  std::unique_ptr<NodeMachine> inside_;
  std::shared_ptr<Trick> trick_;
  Random& random_;
  TrickScene* scene_ = nullptr;
  std::uint64_t next_seqno_ = 0;
  Instant wake_at_{};
  std::map<node::HttpRequestId, node::HttpResponse> answers_;  // durable with what was just stored
};

}  // namespace kms::sim
