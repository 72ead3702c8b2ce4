// A run of delegations: whole nodes that make a key in calm weather, requesters that ask them for delegations in all
// forms, traitors among the nodes and among the requesters, weather and falls; and what is checked from outside.
#pragma once

#include "tests/sim/node_machine.h"
#include "tests/sim/program/run.h"
#include "tests/sim/program/service_draw.h"

namespace kms::sim {

class ServiceNode;
class Trick;

// What a message of a NodeMachine is, for a trace.
std::string delegation_name_of(const Bytes& message);

class Service {
 public:
  Service(const ServiceDraw& draw, Trace& trace);
  ~Service();
  // Runs it; what is wrong, or an empty string.
  std::string run();
  bool is_undecided() const { return is_undecided_; }
  std::string title() const;
  std::string story();
  std::uint64_t events() const { return world_->events(); }
  // How often traitors did what their attack is about.
  std::uint64_t acts() const { return acts_; }

  // For requesters and traitors.
  using Answered = std::function<void(const node::HttpResponse&)>;
  // Asks a node; nothing is heard of a node that is down.
  void ask(std::size_t place, node::HttpRequest request, Answered answered);
  void later(Duration after, std::function<void()> what);
  // A key of the set as some node serves it now; null before the first release.
  delegation::ServingKeyPtr key(std::size_t number) const;
  delegation::ServingKeyPtr table(const dkg::TranscriptHash& transcript, std::size_t number) const;
  const Gateway& gateway() const { return gateway_; }
  const Gateway& hostile_gateway() const { return hostile_gateway_; }  // authorised too
  const Gateway& stranger() const { return stranger_; }                // authorised by nobody
  Random& random() { return random_; }
  std::uint64_t unix_s() const { return static_cast<std::uint64_t>(world_->now().unix_ms / 1000); }
  std::uint64_t deadline() const { return unix_s() + 600; }
  std::size_t places() const { return draw_.members; }
  std::size_t keys() const { return draw_.keys; }
  const ServiceDraw& draw() const { return draw_; }
  const crypto::Address& address(std::size_t place) const { return addresses_[place - 1]; }
  dkg::NodeId node_id(std::size_t place) const { return network_.credentials[place - 1]->node_id(); }
  const delegation::Credentials& credentials(std::size_t place) const { return *network_.credentials[place - 1]; }
  std::optional<std::size_t> place_of(const dkg::NodeId& node) const;
  bool is_honest(std::size_t place) const { return !draw_.traitors.contains(place); }
  bool is_listed(std::size_t place) const { return !draw_.unlisted.contains(place); }
  const dkg::NetworkId& network() const { return network_id_; }
  void act() { ++acts_; }
  void say(const std::string& line);

  // Checks. A petition may be answered from now on; one that is never licensed must not be.
  void license(const Petition& petition);
  std::optional<crypto::Point> open_b(const delegation::PartialB& partial, const Petition& petition,
                                      const delegation::ServingKey& key);
  void check_result(const Errand& errand, const crypto::Point& ephemeral, const crypto::Secret<32>& shared);
  void refused(const Errand& errand, std::size_t place, const std::string& why);
  void deceived(const Errand& errand, std::size_t place);
  // Said by a requester that can prove it.
  void accuse(const dkg::NodeId& node);
  void fail(std::string what);
  // K of some request that was licensed.
  std::optional<crypto::Point> some_ephemeral();

  // For its nodes.
  void wake();
  std::optional<Instant> next_due() const;
  void answered(std::size_t place, std::map<node::HttpRequestId, node::HttpResponse> answers);
  void finished_job(std::size_t place, const delegation::Job& job);
  void logged(std::size_t place, const node::LogLine& line);

 private:
  struct Licence {
    Way way = Way::v0;
    crypto::Point ephemeral;
    crypto::Address requester;
    crypto::Address entry;
    Hash32 nonce{};
    std::uint64_t deadline = 0;
    std::optional<crypto::SecretScalar> recipient;
    Hash32 key{};
  };
  std::unique_ptr<Machine> boot(std::size_t place, const Disk& disk, Now now);
  Schedule make_schedule() const;
  void observe(std::size_t place, const Bytes& message);
  void check_item(std::size_t place, node::Topic topic, const dkg::NodeId& entry, const dkg::Envelope& item);
  const Licence* check_answer(std::size_t place, const Hash32& rh, Way way, std::uint32_t epoch,
                              const dkg::TranscriptHash& transcript, dkg::Position index);
  void check_entry(std::size_t place, const delegation::AnswerJob& job);
  void check_public(std::size_t place, const delegation::PublicPartial& partial);
  void learn_tables();
  const crypto::SecretScalar& secret(std::size_t number);
  bool is_over();
  std::string check_end();
  std::size_t key_number(const Hash32& key) const;

  const ServiceDraw& draw_;
  Trace& trace_;
  Random random_;
  NodeNetwork network_;
  dkg::NetworkId network_id_;
  Gateway gateway_;
  Gateway hostile_gateway_;
  Gateway stranger_;
  std::vector<crypto::Address> addresses_;  // of nodes, by place - 1
  std::map<std::size_t, ServiceNode*> nodes_;
  std::map<std::size_t, Random> sources_;                 // of randomness, as at the first start
  std::map<std::size_t, std::shared_ptr<Trick>> tricks_;  // they outlive restarts
  std::vector<std::unique_ptr<Errand>> errands_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> agenda_;
  std::uint64_t agenda_order_ = 0;
  std::map<node::HttpRequestId, std::pair<std::size_t, Answered>> asked_;
  node::HttpRequestId last_id_ = 0;
  std::map<Hash32, Licence> licences_;
  std::map<std::tuple<std::size_t, ByteArray<20>, Hash32>, Hash32> nonces_;  // of an honest node -> rh
  std::map<std::pair<dkg::TranscriptHash, std::size_t>, delegation::ServingKeyPtr> tables_;
  std::map<std::tuple<dkg::TranscriptHash, std::size_t, dkg::Position>, crypto::SecretScalar> shares_;
  std::map<std::size_t, crypto::SecretScalar> secrets_;
  std::map<std::pair<ByteArray<33>, Hash32>, ByteArray<delegation::SealedA::kSealedBytes>> seals_;  // by U and salt
  std::map<ByteArray<33>, Hash32> randoms_;                                                         // U of form C -> rh
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> owed_names_;  // honest place, liar -> lines to come
  std::vector<std::string> story_;
  std::uint64_t acts_ = 0;
  std::string verdict_;
  bool is_undecided_ = false;
  std::unique_ptr<World> world_;
};

}  // namespace kms::sim
