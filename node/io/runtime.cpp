#include "node/io/runtime.h"

#include <algorithm>
#include <cmath>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/io/system_clock.h"
#include "node/api.h"
#include "node/io/compute_pool.h"
#include "node/io/log.h"
#include "node/io/peer_records.h"
#include "node/io/process.h"
#include "node/io/refusal_log.h"
#include "node/metrics.h"
#include "node/peers_view.h"

namespace kms::node::io {
namespace {

using kms::io::system_now;

// Who is connected and how far away they are is told to the core at every change and this often.
constexpr std::chrono::milliseconds kLinksEvery{1000};

net::PeerId peer_id_of(const crypto::Point& key) {
  return net::PeerId::of(net::PublicKey::from_secp256k1(key));
}

std::string short_text(const net::PeerId& peer) {
  std::string text = peer.text();
  return text.size() > 12 ? ".." + text.substr(text.size() - 8) : text;
}

net::ObjectUse object_use(ObjectVerdict verdict) {
  switch (verdict) {
    case ObjectVerdict::taken:
      return net::ObjectUse::taken;
    case ObjectVerdict::forged:
      return net::ObjectUse::forged;
    case ObjectVerdict::useless:
      break;
  }
  return net::ObjectUse::useless;
}

net::Verdict verdict_of(BatchVerdict verdict) {
  switch (verdict) {
    case BatchVerdict::accept:
      return net::Verdict::accept;
    case BatchVerdict::ignore:
      return net::Verdict::ignore;
    case BatchVerdict::reject:
      break;
  }
  return net::Verdict::reject;
}

std::string reason_text(const net::CloseCause& cause) {
  return std::string(net::name_of(cause.reason)) + (cause.text.empty() ? "" : ": " + cause.text);
}

}  // namespace

std::string topic_name(const std::string& network, Topic topic, const net::PeerId& entry) {
  std::string prefix = "/kms/" + network;
  switch (topic) {
    case Topic::requests:
      return prefix + "/requests/1";
    case Topic::ceremony:
      return prefix + "/ceremony/1";
    case Topic::partials:
      return prefix + "/partials/1/" + entry.text();
  }
  return prefix;
}

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
  std::unique_ptr<ComputePool> pool;
  std::map<net::PeerId, dkg::NodeId> members;   // by PeerId
  std::map<dkg::NodeId, net::PeerId> peer_ids;  // of members
  std::map<std::string, Topic, std::less<>> topics;
  RefusalLog refusals;
  LogLimit log_limit;

  void start();
  void start_p2p();
  void start_services(Now now);
  void turn_services(bool is_due);
  void on_object(net::ObjectEvent&& event, Now now);
  void pull(const std::vector<ObjectPull>& pulls);
  void publish(std::vector<Publish>&& batches);
  void on_request(HttpRequestId id, HttpRequest&& request);
  void on_job(delegation::Job&& job);
  void on_events(std::vector<net::HostEvent>&& events);
  void on_delivery(const net::PubsubDelivery& delivery);
  void on_closed(const net::ConnectionClosed& closed);
  void apply(NodeEffects&& effects);
  void write(const LogLine& line);
  void on_pubsub(const net::PubsubEvent& event, Now now);
  void end_turn_soon();
  void end_turn();
  void set_timer();
  void report_links();
  void report_links_regularly();
  std::string metrics_text() const;
  std::string p2p_metrics() const;
  PeersSeen peers_seen() const;
  void answer_peers(HttpRequestId id, bool with_body);
};

void Runtime::Impl::start() {
  auto self = weak_from_this();
  pool = std::make_unique<ComputePool>(context, options.compute_threads, [self](delegation::Job&& job) {
    if (auto alive = self.lock()) alive->on_job(std::move(job));
  });
  if (options.p2p) start_p2p();
  http = std::make_unique<HttpServer>(context, options.http_host, options.http_port, options.http,
                                      [self](HttpRequestId id, HttpRequest&& request) {
                                        if (auto alive = self.lock()) alive->on_request(id, std::move(request));
                                      });
  apply(core.tick(system_now()));
  if (host) report_links_regularly();
}

void Runtime::Impl::start_p2p() {
  const NetworkTerms& terms = core.terms();
  auto key = crypto::NodeKey::from_secret(credentials->node_key.expose().clone());
  identity.emplace(std::move(*key));
  std::map<net::PeerId, net::PeerClass> classes;
  for (const dkg::Member& member : terms.members.members()) {
    net::PeerId peer = peer_id_of(member.key);
    members.emplace(peer, member.node);
    peer_ids.emplace(member.node, peer);
    classes.emplace(peer, net::PeerClass::committee);
  }
  net::io::TcpHostOptions tcp = *options.p2p;
  tcp.host.protocol_version = "/kms/" + terms.name + "/1.0.0";
  // Members write, everybody listens.
  tcp.host.topic_rules = {{"/kms/" + terms.name + "/", {net::PeerClass::committee}}};
  tcp.host.router.topics.prefixes = {"/kms/" + terms.name + "/"};
  auto self = weak_from_this();
  host = std::make_unique<net::io::TcpHost>(context, *identity, std::move(tcp), entropy,
                                            [self](std::vector<net::HostEvent>&& events) {
                                              if (auto alive = self.lock()) alive->on_events(std::move(events));
                                            });
  Now now = system_now();
  host->host().set_peer_classes(std::move(classes), now);
  for (Topic topic : {Topic::requests, Topic::ceremony, Topic::partials}) {
    std::string name = topic_name(terms.name, topic, identity->peer_id());
    auto subscribed = host->host().subscribe(name, now);
    if (!subscribed) throw std::runtime_error("p2p: cannot subscribe to " + name + ": " + subscribed.error().message);
    topics.emplace(name, topic);
  }
  start_services(now);
  auto listed = host->host().set_peers(options.peers, now);
  if (!listed) throw std::runtime_error("p2p: peer list: " + listed.error().message);
}

void Runtime::Impl::start_services(Now now) {
  const std::string& network = core.terms().name;
  std::set<net::PeerId> others;
  for (const auto& [peer, node] : members) {
    if (peer != identity->peer_id()) others.insert(peer);
  }
  const auto& own = host->listen_addresses();
  const bool is_local = std::any_of(own.begin(), own.end(), [](const net::Multiaddr& address) {
    return !net::is_dialable(address, net::LoopbackUse::refused) &&
           net::is_dialable(address, net::LoopbackUse::accepted);
  });
  if (is_local) options.discovery.book.loopback = net::LoopbackUse::accepted;
  discovery.emplace(host->host(), network, options.discovery, entropy, now);
  discovery->set_members(others, now);
  for (const PeerRecords::Kept& kept : records.load(now)) discovery->restore(kept.envelope, kept.age, now);
  discovery->take_changes();
  objects.emplace(host->host(), network, options.objects, now);
  objects->set_members(std::move(others), now);
  turn_services(false);
}

// Whatever discovery and the object exchange did to the host goes out; their next deadline is set.
void Runtime::Impl::turn_services(bool is_due) {
  Now now = system_now();
  if (is_due) {
    discovery->tick(now);
    objects->tick(now);
  }
  for (net::ObjectEvent& event : objects->take_events()) on_object(std::move(event), now);
  for (const std::string& note : discovery->take_notes()) log(LogLevel::warn, "p2p: " + note);
  for (const std::string& note : objects->take_notes()) log(LogLevel::warn, "p2p: " + note);
  records.note(discovery->take_changes(), now);
  if (records.is_due(now)) records.save(discovery->book(), now);
  host->host();  // applies its effects at the end of the turn
  std::optional<Instant> at = discovery->wakes_at();
  for (const auto other : {objects->wakes_at(), records.due_at()}) {
    if (other && (!at || *other < *at)) at = other;
  }
  if (at == services_timer_set_for) return;
  services_timer_set_for = at;
  if (!at) {
    services_timer.cancel();
    return;
  }
  services_timer.expires_at(std::chrono::steady_clock::time_point(at->time_since_epoch()));
  auto self = weak_from_this();
  services_timer.async_wait([self](boost::system::error_code failure) {
    auto alive = self.lock();
    if (failure || !alive || alive->stopping) return;
    alive->services_timer_set_for.reset();
    alive->turn_services(true);
  });
}

void Runtime::Impl::on_object(net::ObjectEvent&& event, Now now) {
  if (auto* asked = std::get_if<net::ObjectAsked>(&event)) {
    objects->answer(asked->stream, core.find_object(dkg::ObjectId{asked->name}), now);
  } else if (auto* given = std::get_if<net::ObjectGiven>(&event)) {
    TakenObject taken = core.take_object(dkg::ObjectId{given->name}, members.at(given->from), given->bytes, now);
    objects->judge(given->name, given->from, object_use(taken.verdict), now);
    apply(std::move(taken.effects));
  }
}

void Runtime::Impl::pull(const std::vector<ObjectPull>& pulls) {
  if (!objects || pulls.empty()) return;
  Now now = system_now();
  for (const ObjectPull& one : pulls) {
    if (!one.announcer) {
      objects->pull(one.id.bytes, now);
    } else if (auto announcer = peer_ids.find(*one.announcer); announcer != peer_ids.end()) {
      objects->pull_announced(one.id.bytes, announcer->second, now);
    }
  }
  turn_services(false);
}

void Runtime::Impl::on_request(HttpRequestId id, HttpRequest&& request) {
  bool wants_metrics = request.method == "GET" && request.target.substr(0, request.target.find('?')) == "/metrics";
  if (wants_metrics && options.metrics) {
    http->respond(id, {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(), {}});
    return;
  }
  const bool is_head = request.method == "HEAD";
  if (host && (request.method == "GET" || is_head) && parse_target(request.target).path == "/v1/peers") {
    answer_peers(id, !is_head);
    return;
  }
  apply(core.http(id, std::move(request), system_now()));
}

PeersSeen Runtime::Impl::peers_seen() const {
  const NetworkTerms& terms = core.terms();
  PeersSeen out{terms.name, {}, host->view().peers(), host->view().away(), {}};
  for (const auto& [peer, node] : members) {
    const auto position = terms.members.position_of(node);
    if (!position) continue;
    if (peer == identity->peer_id()) out.self = terms.name_of(*position);
    out.names.emplace(peer, terms.name_of(*position));
  }
  return out;
}

void Runtime::Impl::answer_peers(HttpRequestId id, bool with_body) {
  HttpResponse response = json_response(200, peers_view(peers_seen(), system_now()));
  if (!with_body) response.body.clear();
  http->respond(id, std::move(response));
}

void Runtime::Impl::on_job(delegation::Job&& job) {
  if (!stopping) apply(core.computed(std::move(job), system_now()));
}

void Runtime::Impl::on_events(std::vector<net::HostEvent>&& events) {
  if (stopping) return;
  bool links_changed = false;
  Now now = system_now();
  for (net::HostEvent& event : events) {
    const bool is_taken = discovery->receive(event, now) || objects->receive(event, now);
    if (is_taken) continue;
    if (auto* delivery = std::get_if<net::PubsubDelivery>(&event)) {
      on_delivery(*delivery);
    } else if (auto* closed = std::get_if<net::ConnectionClosed>(&event)) {
      on_closed(*closed);
    } else if (auto* connected = std::get_if<net::PeerConnected>(&event)) {
      bool member = members.contains(connected->peer);
      log(LogLevel::info,
          "p2p: connected to " + std::string(member ? "member " : "light client ") + connected->peer.text());
      links_changed = true;
    } else if (auto* gone = std::get_if<net::PeerDisconnected>(&event)) {
      log(LogLevel::info, "p2p: lost " + gone->peer.text() + ": " + reason_text(gone->cause));
      links_changed = true;
    } else if (auto* pubsub = std::get_if<net::PubsubEvent>(&event)) {
      links_changed = links_changed || std::holds_alternative<net::PeerSubscription>(*pubsub);
      on_pubsub(*pubsub, now);
    }
  }
  if (links_changed) report_links();
  turn_services(false);
}

void Runtime::Impl::on_pubsub(const net::PubsubEvent& event, Now now) {
  if (const auto* refused = std::get_if<net::MessageRefused>(&event)) {
    if (refused->reason == net::Refusal::duplicate) return;
    log(LogLevel::debug, "p2p: refused a message of " + short_text(refused->peer) + ": " +
                             std::string(net::refusal_text(refused->reason)) + " " + refused->detail);
  } else if (const auto* offered = std::get_if<net::PeersOffered>(&event)) {
    for (const auto& offer : offered->offers) discovery->offered(offered->by, offer.peer, offer.signed_record, now);
  } else if (const auto* graylisted = std::get_if<net::PeerGraylisted>(&event)) {
    refusals.note("p2p: heeds nothing on pubsub until its score rises", graylisted->peer.text(),
                  "score " + std::to_string(std::lround(graylisted->score)));
  }
}

// What members lost is told with PeerDisconnected; strangers come and go, so theirs is told with a bound.
void Runtime::Impl::on_closed(const net::ConnectionClosed& closed) {
  const bool is_member = closed.peer && members.contains(*closed.peer);
  const bool is_normal = closed.peer && (closed.cause.reason == net::CloseReason::remote_closed ||
                                         closed.cause.reason == net::CloseReason::requested);
  if (!is_member && !is_normal && closed.direction == net::Direction::inbound) {
    const std::string kind = "p2p: closed a connection (" + std::string(net::name_of(closed.cause.reason)) + ")";
    refusals.note(kind, closed.remote.text(), closed.cause.text);
  }
  std::string who = closed.peer ? closed.peer->text() : "unknown peer";
  log(LogLevel::debug, "p2p: closed " + closed.remote.text() + " (" + who + "): " + reason_text(closed.cause));
}

void Runtime::Impl::on_delivery(const net::PubsubDelivery& delivery) {
  Now now = system_now();
  auto topic = topics.find(delivery.topic());
  auto author = delivery.author ? members.find(*delivery.author) : members.end();
  if (topic == topics.end() || author == members.end()) {
    // The neighbour may know a newer list of members than we do: not its fault.
    host->host().validated(delivery.id, net::Verdict::ignore, now);
    return;
  }
  // Deliveries are signed, so they have one.
  const std::uint64_t seqno = net::seqno_of(*delivery.message).value_or(0);
  Received received = core.receive(topic->second, author->second, seqno, delivery.payload(), now);
  host->host().validated(delivery.id, verdict_of(received.verdict), now);
  apply(std::move(received.effects));
}

// The order of the fields is the order of the promises: durable first, then everything that others can see.
void Runtime::Impl::apply(NodeEffects&& effects) {
  if (!effects.save.empty()) {
    if (store == nullptr) throw std::runtime_error("store: this node has no store to save to");
    store->commit(effects.save);
  }
  pool->submit(std::move(effects.compute));
  pull(effects.pull);
  for (HttpReply& reply : effects.reply) http->respond(reply.request, std::move(reply.response));
  for (const LogLine& line : effects.log) write(line);
  if (core.has_full_batches()) publish(core.take_full_batches());
  end_turn_soon();
}

void Runtime::Impl::write(const LogLine& line) {
  if (line.about.empty()) return log(line.level, line.text);
  if (const auto text = log_limit.pass(line.about, line.text, system_now().instant)) log(line.level, *text);
}

void Runtime::Impl::end_turn_soon() {
  if (turn_end_posted || stopping) return;
  turn_end_posted = true;
  auto self = weak_from_this();
  boost::asio::post(context, [self] {
    if (auto alive = self.lock()) alive->end_turn();
  });
}

// Items of one turn share a batch and its signature.
void Runtime::Impl::end_turn() {
  turn_end_posted = false;
  if (stopping) return;
  if (core.has_outgoing()) publish(core.flush());
  set_timer();
}

void Runtime::Impl::publish(std::vector<Publish>&& batches) {
  if (!host) return;
  Now now = system_now();
  for (Publish& batch : batches) {
    net::PeerId entry = identity->peer_id();
    if (batch.topic == Topic::partials) {
      auto known = peer_ids.find(batch.entry);
      if (known == peer_ids.end()) continue;
      entry = known->second;
    }
    std::string name = topic_name(core.terms().name, batch.topic, entry);
    auto published = host->host().publish(name, std::move(batch.batch), now);
    if (!published) log(LogLevel::warn, "p2p: cannot publish on " + name + ": " + published.error().message);
  }
}

void Runtime::Impl::set_timer() {
  std::optional<Instant> wakes_at = core.wakes_at();
  if (wakes_at == timer_set_for) return;
  timer_set_for = wakes_at;
  if (!wakes_at) {
    timer.cancel();
    return;
  }
  timer.expires_at(std::chrono::steady_clock::time_point(wakes_at->time_since_epoch()));
  auto self = weak_from_this();
  timer.async_wait([self](boost::system::error_code failure) {
    auto alive = self.lock();
    if (failure || !alive || alive->stopping) return;
    alive->timer_set_for.reset();
    alive->apply(alive->core.tick(system_now()));
  });
}

void Runtime::Impl::report_links() {
  std::vector<PeerLink> links;
  for (const net::Host::PeerView& peer : host->view().peers()) {
    PeerLink link;
    auto member = members.find(peer.peer);
    // A member counts as connected once messages flow both ways.
    if (member != members.end() && !peer.has_pubsub) continue;
    if (member != members.end()) link.node = member->second;
    link.peer_id = peer.peer.text();
    link.address = peer.remote.text();
    link.agent = peer.agent_version;
    if (peer.round_trip) link.rtt_ms = static_cast<double>(peer.round_trip->count()) / 1000.0;
    link.outbound = peer.direction == net::Direction::outbound;
    links.push_back(std::move(link));
  }
  apply(core.links(std::move(links), system_now()));
}

void Runtime::Impl::report_links_regularly() {
  if (stopping) return;
  report_links();
  links_timer.expires_after(kLinksEvery);
  auto self = weak_from_this();
  links_timer.async_wait([self](boost::system::error_code failure) {
    auto alive = self.lock();
    if (!failure && alive) alive->report_links_regularly();
  });
}

std::string Runtime::Impl::p2p_metrics() const {
  MetricsText text;
  const net::PubsubCounters& counters = host->view().router().counters();
  text.gauge("kms_p2p_connections", "Connections, dials in flight included",
             static_cast<double>(host->view().connection_count()));
  text.counter("kms_p2p_signatures_checked_total", "Signatures of gossip messages checked",
               counters.signatures_checked);
  text.counter("kms_p2p_signatures_made_total", "Gossip messages signed", counters.signatures_made);
  text.counter("kms_p2p_bytes_in_total", "Bytes of gossip RPCs received", counters.bytes_in);
  text.counter("kms_p2p_bytes_out_total", "Bytes of gossip RPCs sent", counters.bytes_out);
  text.counter("kms_p2p_messages_pulled_total", "Messages sent to answer IWANT", counters.pulled);
  text.counter("kms_p2p_messages_dropped_total", "Messages dropped because a peer's queue was full",
               counters.dropped_messages);
  text.gauge("kms_p2p_members_missing", "Other members without a connection",
             static_cast<double>(discovery->missing()));
  text.gauge("kms_p2p_members_located", "Other members whose signed addresses are known",
             static_cast<double>(discovery->book().entries().size()));
  const net::DiscoveryCounters& found = discovery->counters();
  text.counter("kms_p2p_records_learned_total", "Signed peer records taken", found.learned);
  text.counter("kms_p2p_records_forged_total", "Peer records that their owner did not sign", found.forged);
  text.counter("kms_p2p_records_served_total", "Requests for peer records answered", found.served);
  text.counter("kms_p2p_records_refused_total", "Requests for peer records refused", found.served_refused);
  text.counter("kms_p2p_liars_total", "Times that a member lied about addresses", found.liars);
  const net::ObjectCounters& objects_seen = objects->counters();
  text.counter("kms_p2p_objects_pulled_total", "Large objects got from members", objects_seen.pulled);
  text.counter("kms_p2p_objects_failed_total", "Pulls that no member could answer", objects_seen.failed);
  text.counter("kms_p2p_objects_stalled_total", "Transfers given up as too slow", objects_seen.stalled);
  text.counter("kms_p2p_objects_false_total", "Transfers of other bytes than the name says", objects_seen.liars);
  text.counter("kms_p2p_objects_served_total", "Large objects given to members", objects_seen.served);
  text.counter("kms_p2p_objects_busy_total", "Requests for objects refused for want of room", objects_seen.served_busy);
  text.family("kms_p2p_messages_refused_total", "counter", "Gossip messages not accepted, by reason");
  for (std::size_t i = 0; i < net::kRefusals; ++i) {
    text.value("kms_p2p_messages_refused_total", "reason", net::refusal_text(static_cast<net::Refusal>(i)),
               counters.refused[i]);
  }
  auto by_topic = host->view().router().topic_counters();
  text.family("kms_p2p_topic_messages_total", "counter", "Gossip messages received, duplicates not counted");
  for (const auto& [topic, count] : by_topic) {
    text.value("kms_p2p_topic_messages_total", "topic", topic, count.received);
  }
  text.family("kms_p2p_topic_bytes_in_total", "counter", "Bytes of gossip messages received, by topic");
  for (const auto& [topic, count] : by_topic)
    text.value("kms_p2p_topic_bytes_in_total", "topic", topic, count.bytes_in);
  text.family("kms_p2p_topic_bytes_out_total", "counter", "Bytes of gossip messages sent, by topic");
  for (const auto& [topic, count] : by_topic) {
    text.value("kms_p2p_topic_bytes_out_total", "topic", topic, count.bytes_out);
  }
  text.gauge("kms_p2p_queued_bytes", "Bytes that wait to be sent or consumed on all connections",
             static_cast<double>(host->view().queued_bytes()));
  return text.take() + peer_metrics(peers_seen(), host->view().counters());
}

std::string Runtime::Impl::metrics_text() const {
  MetricsText text;
  text.gauge("process_resident_memory_bytes", "Resident set", static_cast<double>(resident_bytes()));
  text.gauge("process_cpu_seconds_total", "User and system time", cpu_seconds());
  text.gauge("kms_http_connections", "Open HTTP connections", static_cast<double>(http->connections()));
  text.counter("kms_http_connections_refused_total", "HTTP connections over a limit", http->refused_connections());
  return core.metrics(system_now()) + text.take() + (host ? p2p_metrics() : "");
}

Runtime::Runtime(boost::asio::io_context& context, NodeCore core, delegation::CredentialsPtr credentials, Store* store,
                 RuntimeOptions options, Entropy& entropy)
    : impl_(std::make_shared<Impl>(context, std::move(core), std::move(credentials), store, std::move(options),
                                   entropy)) {
  impl_->start();
}

Runtime::~Runtime() {
  impl_->stopping = true;
  impl_->pool->stop();
}

std::uint16_t Runtime::http_port() const {
  return impl_->http->port();
}

std::vector<net::Multiaddr> Runtime::p2p_addresses() const {
  return impl_->host ? impl_->host->listen_addresses() : std::vector<net::Multiaddr>{};
}

void Runtime::stop(std::function<void()> stopped) {
  if (impl_->stopping) return;
  impl_->stopping = true;
  impl_->timer.cancel();
  impl_->links_timer.cancel();
  impl_->services_timer.cancel();
  impl_->http->stop();
  impl_->pool->stop();
  if (impl_->host) {
    impl_->host->stop(std::move(stopped));
  } else {
    boost::asio::post(impl_->context, std::move(stopped));
  }
}

}  // namespace kms::node::io
