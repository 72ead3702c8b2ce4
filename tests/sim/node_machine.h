// A whole NodeCore as a machine of the world: its gossip is opaque messages, its jobs run in line, and what it pulls is
// asked of everybody.
#pragma once

#include "node/node_core.h"
#include "tests/sim/world.h"

namespace kms::sim {

// A network of NodeCores made from a seed; member numbers are positions.
struct NodeNetwork {
  static constexpr std::uint64_t kChain = 31337;
  // Keys for the chains kChain, kChain + 1, ..
  NodeNetwork(std::uint16_t members, std::uint16_t threshold, std::uint64_t seed, std::size_t keys = 1);
  Boot boot();
  node::NetworkTerms terms() const { return *terms_; }
  // Of nodes booted from now on.
  void set_refresh(std::chrono::seconds every) { terms_->refresh_every = every; }
  void set_entries(std::set<dkg::NodeId> entries) { terms_->form_a_entries = std::move(entries); }
  // Another gateway of every chain.
  void add_gateway(const crypto::Address& gateway);

  node::NodeOptions options;  // of nodes booted from now on
  crypto::SecretScalar gateway_key;
  std::vector<delegation::CredentialsPtr> credentials;  // by position - 1
  std::vector<std::unique_ptr<Random>> entropy;         // the same; runs on through restarts

 private:
  std::optional<node::NetworkTerms> terms_;
};

class NodeMachine final : public Machine {
 public:
  // For who looks inside, or lies: jobs before and after they run, and what the node logs. Each may be empty.
  struct Hooks {
    std::function<void(delegation::Job& job)> before;
    std::function<void(delegation::Job& job)> after;
    std::function<void(const node::LogLine& line)> log;
  };
  NodeMachine(node::NodeCore core, dkg::NodeId self, Entropy& entropy)
      : core_(std::move(core)), self_(self), entropy_(entropy) {}
  Output receive(const Bytes& message, Now now) override;
  Output tick(Now now) override;
  std::optional<Instant> wakes_at() const override;
  Output connected(const std::set<std::size_t>& members, Now now) override;

  // Taken in at the machine's next tick, which is at once.
  void ask(node::HttpRequestId id, node::HttpRequest request) { asked_.emplace_back(id, std::move(request)); }
  // An order of its operator; taken in and answered as what is asked.
  void order(node::HttpRequestId id, node::HttpRequest request) { ordered_.emplace_back(id, std::move(request)); }
  void hook(Hooks hooks) { hooks_ = std::move(hooks); }
  const node::NodeCore& core() const { return core_; }
  const std::map<node::HttpRequestId, node::HttpResponse>& answers() const { return answers_; }
  std::map<node::HttpRequestId, node::HttpResponse> take_answers() { return std::exchange(answers_, {}); }

 private:
  // Runs jobs to their end and packs what is to be published.
  Output output(node::NodeEffects effects, Now now);
  Output answer_pull(const dkg::NodeId& asker, const dkg::ObjectId& id) const;

  std::uint64_t next_seqno(Now now);

  node::NodeCore core_;
  dkg::NodeId self_;
  Entropy& entropy_;
  Hooks hooks_;
  std::uint64_t seqno_ = 0;
  std::vector<std::pair<node::HttpRequestId, node::HttpRequest>> asked_;
  std::vector<std::pair<node::HttpRequestId, node::HttpRequest>> ordered_;
  std::map<node::HttpRequestId, node::HttpResponse> answers_;
};

// Of a message of gossip, that is, one whose first byte is a node::Topic.
bool is_gossip(const Bytes& message);
Bytes gossip_message(node::Topic topic, const dkg::NodeId& author, const dkg::NodeId& entry, std::uint64_t seqno,
                     ByteView batch);
node::Topic topic_of(const Bytes& message);
dkg::NodeId gossip_author_of(const Bytes& message);
dkg::NodeId entry_of(const Bytes& message);
std::uint64_t seqno_of(const Bytes& message);
ByteView batch_of(const Bytes& message);

}  // namespace kms::sim
