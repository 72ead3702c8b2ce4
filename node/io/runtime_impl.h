// What a Runtime is made of. Internal to node/io/runtime*.cpp.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "node/io/admin_socket.h"
#include "node/io/commit_mark.h"
#include "node/io/compute_pool.h"
#include "node/io/peer_records.h"
#include "node/io/runtime.h"
#include "node/log_limit.h"
#include "node/peers_view.h"

namespace kms::node::io {

struct Runtime::Impl : std::enable_shared_from_this<Runtime::Impl> {
  Impl(boost::asio::io_context& context_in, NodeCore core_in, delegation::CredentialsPtr credentials_in,
       Store* store_in, RuntimeOptions options_in, Entropy& entropy_in)
      : context(context_in),
        core(std::move(core_in)),
        credentials(std::move(credentials_in)),
        store(store_in),
        options(std::move(options_in)),
        entropy(entropy_in),
        timer(context),
        links_timer(context),
        services_timer(context),
        records(store_in) {}

  boost::asio::io_context& context;
  NodeCore core;
  delegation::CredentialsPtr credentials;
  Store* store;
  RuntimeOptions options;
  Entropy& entropy;
  boost::asio::steady_timer timer;
  boost::asio::steady_timer links_timer;
  boost::asio::steady_timer services_timer;
  std::optional<Instant> timer_set_for, services_timer_set_for;
  bool turn_end_posted = false;
  bool stopping = false;
  std::optional<net::Identity> identity;
  std::unique_ptr<net::io::TcpHost> host;
  PeerRecords records;
  std::optional<net::Discovery> discovery;
  std::optional<net::ObjectExchange> objects;
  std::unique_ptr<HttpServer> http;
  std::unique_ptr<AdminSocket> admin;
  std::unique_ptr<CommitMark> mark;
  std::unique_ptr<ComputePool> pool;
  std::map<net::PeerId, dkg::NodeId> members;   // by PeerId: all nodes whose words count
  std::map<dkg::NodeId, net::PeerId> peer_ids;  // of members
  std::uint64_t membership = 0;                 // as the core counts it, of `members`
  std::map<std::string, Topic, std::less<>> topics;
  LogLimit log_limit;
  std::vector<EventDocument> documents;  // of /v1/events, as they were at documents_at
  Instant documents_at{};

  // runtime.cpp: the process around the core
  void start();
  void on_request(HttpRequestId id, HttpRequest&& request);
  void stream_events(HttpRequestId id);
  const std::vector<EventDocument>& event_documents();
  HttpResponse on_order(HttpRequest&& request);
  void on_job(delegation::Job&& job);
  void save(const dkg::Checkpoint& checkpoint);
  void save_nonces();
  void apply(NodeEffects&& effects);
  void write(const LogLine& line);
  void end_turn_soon();
  void end_turn();
  void set_timer();
  std::string metrics_text() const;

  // runtime_p2p.cpp: the host and its services
  void start_p2p();
  void start_services(Now now);
  Result<void> set_peers(std::vector<net::Multiaddr> peers, PeerClasses listed);
  PeerClasses classes_now() const;
  std::set<net::PeerId> welcome_members() const;
  // Who is a member may have changed: what the host lets them do, and whom it dials.
  void renew_members();
  void note_members();
  // Whom the settings name, and members where the network file says they are.
  std::vector<net::Multiaddr> dialled() const;
  void turn_services(bool is_due);
  void on_object(net::ObjectEvent&& event, Now now);
  void pull(const std::vector<ObjectPull>& pulls);
  void on_events(std::vector<net::HostEvent>&& events);
  void on_delivery(const net::PubsubDelivery& delivery);
  void publish(std::vector<Publish>&& batches);
  void report_links();
  void report_links_regularly();
  PeersSeen peers_seen() const;
  void answer_peers(HttpRequestId id, bool with_body);
};

}  // namespace kms::node::io
