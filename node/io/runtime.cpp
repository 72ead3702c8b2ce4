#include "node/io/runtime.h"

#include <boost/asio/post.hpp>

#include "base/io/system_clock.h"
#include "node/api.h"
#include "node/io/log.h"
#include "node/io/process.h"
#include "node/io/runtime_impl.h"
#include "node/metrics.h"
#include "node/p2p_metrics.h"

namespace kms::node::io {

using kms::io::system_now;

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
  if (!options.node_key_file.empty()) mark = std::make_unique<CommitMark>(options.node_key_file);
  if (!options.admin_socket.empty()) {
    admin = std::make_unique<AdminSocket>(context, options.admin_socket, [self](HttpRequest&& request) {
      auto alive = self.lock();
      return alive && !alive->stopping ? alive->on_order(std::move(request))
                                       : json_error(503, "Unavailable", "the node is stopping");
    });
  }
  apply(core.tick(system_now()));
  if (host) {
    renew_members();
    report_links_regularly();
  }
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
  if (request.method == "GET" && parse_target(request.target).path == "/v1/events") return stream_events(id);
  apply(core.http(id, std::move(request), system_now()));
}

void Runtime::Impl::stream_events(HttpRequestId id) {
  auto feed = std::make_shared<EventFeed>();
  http->stream(id, [this, feed] { return feed->next(event_documents(), system_now().instant); });
}

// Made once for all that listen.
const std::vector<EventDocument>& Runtime::Impl::event_documents() {
  const Now now = system_now();
  if (documents.empty() || now.instant >= documents_at + options.http.stream_interval / 2) {
    documents = core.event_documents(now);
    documents_at = now.instant;
  }
  return documents;
}

// What an order asks to be saved is durable before it is acknowledged.
HttpResponse Runtime::Impl::on_order(HttpRequest&& request) {
  AdminAnswer answer = core.order(request, system_now());
  apply(std::move(answer.effects));
  return std::move(answer.response);
}

void Runtime::Impl::on_job(delegation::Job&& job) {
  if (!stopping) apply(core.computed(std::move(job), system_now()));
}

void Runtime::Impl::save(const dkg::Checkpoint& checkpoint) {
  if (checkpoint.empty()) return;
  if (store == nullptr) throw std::runtime_error("store: this node has no store to save to");
  store->commit(checkpoint);
  if (mark) mark->note(store->commits());
}

// Once a turn at most, however many delegations it served.
void Runtime::Impl::save_nonces() {
  const dkg::Checkpoint nonces = core.take_unsaved();
  // A solo node that keeps nothing has no store: its nonces end with the process.
  if (store != nullptr) save(nonces);
}

// The order of the fields is the order of the promises: durable first, then everything that others can see.
void Runtime::Impl::apply(NodeEffects&& effects) {
  save(effects.save);
  if (core.has_unsaved() && (!effects.reply.empty() || core.has_full_batches())) save_nonces();
  if (host && core.membership() != membership) renew_members();
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
  if (core.has_unsaved()) save_nonces();
  if (core.has_outgoing()) publish(core.flush());
  set_timer();
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

std::string Runtime::Impl::metrics_text() const {
  MetricsText text;
  text.gauge("process_resident_memory_bytes", "Resident set", static_cast<double>(resident_bytes()));
  text.gauge("process_cpu_seconds_total", "User and system time", cpu_seconds());
  text.gauge("kms_http_connections", "Open HTTP connections", http->connections());
  text.counter("kms_http_connections_refused_total", "HTTP connections over a limit", http->refused_connections());
  std::string out = core.metrics(system_now()) + text.take();
  if (!host) return out;
  return out + p2p_metrics(host->view(), *discovery, *objects) + peer_metrics(peers_seen(), host->view().counters());
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

Result<void> Runtime::set_peers(std::vector<net::Multiaddr> peers, PeerClasses listed) {
  return impl_->set_peers(std::move(peers), std::move(listed));
}

void Runtime::stop(std::function<void()> stopped) {
  if (impl_->stopping) return;
  impl_->stopping = true;
  impl_->timer.cancel();
  impl_->links_timer.cancel();
  impl_->services_timer.cancel();
  impl_->http->stop();
  if (impl_->admin) impl_->admin->stop();
  impl_->pool->stop();
  if (impl_->host) {
    impl_->host->stop(std::move(stopped));
  } else {
    boost::asio::post(impl_->context, std::move(stopped));
  }
}

}  // namespace kms::node::io
