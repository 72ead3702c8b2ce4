// What a NodeCore is made of. Internal to node/node_core*.cpp.
#pragma once

#include <set>

#include "net/seqno_window.h"
#include "node/api.h"
#include "node/ceremony_log.h"
#include "node/epochs.h"
#include "node/node_core.h"
#include "node/object_shelf.h"
#include "node/outbox.h"
#include "node/v1_calls.h"

namespace kms::node {

inline constexpr std::size_t kShelfObjects = 64;
inline constexpr std::size_t kShelfBytes = std::size_t{8} << 20;

struct NodeCore::Impl {
  Impl(NetworkTerms terms_in, delegation::CredentialsPtr credentials_in, NodeOptions options_in, Entropy& entropy)
      : terms(std::move(terms_in)),
        credentials(std::move(credentials_in)),
        options(std::move(options_in)),
        self(credentials->node_id()),
        position(terms.members.position_of(self)),
        entries(terms.form_a_entries),
        replay(options.replay),
        collector(credentials, options.collector, replay, entropy),
        responder(credentials, options.responder, replay),
        board(credentials, options.board, replay),
        outbox(options.outbox_max, options.outbox_bytes_max),
        shelf(kShelfObjects, kShelfBytes) {
    for (const dkg::Label& label : terms.labels) chains.insert(label.chain_id);
    for (dkg::Position i = 1; i <= terms.members.size(); ++i) {
      roster.emplace(terms.members.at(i).node, KnownNode{terms.members.at(i).key, terms.name_of(i), {}});
    }
  }

  NetworkTerms terms;  // of the epoch in charge
  delegation::CredentialsPtr credentials;
  NodeOptions options;
  dkg::NodeId self;
  std::optional<dkg::Position> position;    // in the committee in charge
  std::set<dkg::NodeId> entries;            // of form A, those of epochs that still answer included
  std::map<dkg::NodeId, KnownNode> roster;  // whose words count
  std::vector<std::uintptr_t> membership_mark;
  std::uint64_t membership = 0;  // counts the changes of `roster`
  std::set<std::uint64_t> chains;
  std::optional<Epochs> epochs;  // none: solo, or no member
  const dkg::Ceremony* ceremony() const { return epochs ? epochs->current() : nullptr; }
  std::map<std::uint64_t, delegation::ServingKeyPtr> serving;  // by chain, of the epoch in charge
  std::vector<delegation::ServingKeyPtr> answering;            // of other epochs, for entries that name those
  std::set<std::uint64_t> imported;                            // chains whose key somebody once held
  delegation::ReplayWindow replay;
  delegation::Collector collector;
  delegation::Responder responder;
  delegation::Board board;
  V1Calls v1_calls;
  Outbox outbox;
  ObjectShelf shelf;
  std::vector<PeerLink> links;
  std::set<dkg::NodeId> alive;      // known nodes with a live connection, this node not counted
  std::set<dkg::NodeId> foreign;    // by their own NodeStatus: they run other key sets than this one
  std::set<dkg::NodeId> shareless;  // by their own NodeStatus: no share to answer with
  CeremonyLog ceremonies;
  std::vector<dkg::NodeStatus::Entry> last_status;
  Instant status_due{};
  struct Heard {
    net::SeqnoWindow seqnos;
    std::uint64_t status_seqno = 0;  // of the newest NodeStatus
  };
  std::map<dkg::NodeId, Heard> heard;  // known nodes only
  std::uint64_t batches_rejected = 0;
  std::uint64_t batches_repeated = 0;
  std::uint64_t items_refused = 0;

  struct Origin {  // of an item: who signed its batch, and under which seqno
    dkg::Member author;
    std::uint64_t seqno;
  };

  void apply(delegation::Effects&& from, NodeEffects& to);
  void apply(EpochSteps&& from, NodeEffects& to, Now now);
  // After whatever may have put other members in charge.
  void refresh_members();
  std::string label_of(const dkg::NodeId& node) const;
  void apply(const dkg::SlotId& slot, dkg::Effects&& from, NodeEffects& to, Now now);
  void send(const dkg::SlotId& slot, dkg::Envelope&& envelope, NodeEffects& to);
  bool holds(const dkg::ObjectId& id) const;
  void receive_announcement(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects);
  void send_status(Now now);
  void note_status(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects);
  bool is_status_old(const dkg::NodeId& author, std::uint64_t seqno);
  // Members that can answer: connected, and not known to be without a share.
  std::set<dkg::NodeId> responders() const;
  void tell_responders();
  bool see_links();
  void refresh_serving(NodeEffects& effects);
  delegation::ServingKeyPtr serving_key(const dkg::Ceremony& epoch, std::size_t label) const;
  // What answers for the key and epoch that an entry names; the one in charge if there is none, for it to refuse.
  delegation::ServingKeyPtr find_serving(const dkg::KeyId& key, const dkg::TranscriptHash& transcript) const;
  // Some key of that epoch, for partials that overtook their request.
  delegation::ServingKeyPtr find_serving(const dkg::TranscriptHash& transcript) const;
  void receive_item(Topic topic, const Origin& origin, const dkg::Envelope& item, NodeEffects& effects, Now now);
  void receive_ceremony(const Origin& origin, const dkg::Envelope& item, NodeEffects& effects, Now now);
  void receive_request(const dkg::Member& author, const dkg::Envelope& item, NodeEffects& effects, Now now);
  void refuse_entry(const dkg::NodeId& entry, const Hash32& rh, delegation::RefusalCode code);
  void receive_partial(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects, Now now);
  void receive_public_partial(const dkg::NodeId& author, const dkg::Envelope& item, NodeEffects& effects, Now now);
  void delegate(HttpRequestId id, const HttpRequest& request, const Target& target, NodeEffects& effects, Now now);
  static bool is_v1_delegation(const HttpRequest& request, const Target& target);
  void delegate_v1(HttpRequestId id, const HttpRequest& request, const Target& target, NodeEffects& effects, Now now);
  std::optional<V1Failure> start_v1(V1Calls::CallId call, std::size_t place, V1Request&& request, NodeEffects& effects,
                                    Now now);
  void look_v1(HttpRequestId id, const HttpRequest& request, const Target& target, NodeEffects& effects, Now now);
  HttpResponse read(const HttpRequest& request, const Target& target, Now now) const;
  HttpResponse public_key(const Target& target) const;
  HttpResponse keys(std::string_view path) const;
  HttpResponse ceremonies_at(std::string_view path, Now now) const;
  Result<dkg::NodeId> find_member(std::string_view text) const;
  Result<EpochSteps> order(const HttpRequest& request, const Target& target, boost::json::object& body, Now now);
  Result<EpochSteps> order_emergency(const boost::json::object& body, std::optional<std::uint64_t> not_after,
                                     boost::json::object& answer, Now now);
  Readiness readiness() const;
  std::vector<KeyView> key_views() const;
  const dkg::Label& label_of(std::uint64_t chain_id) const;
  const std::vector<crypto::Address>& gateways(std::uint64_t chain_id) const;
};

}  // namespace kms::node
