#include "net/io/p2p_peer/p2p_peer.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <limits>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/io/os_entropy.h"
#include "base/io/system_clock.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "net/io/p2p_peer/json_line.h"
#include "net/io/p2p_peer/p2p_peer_tally.h"
#include "net/io/tcp_host.h"

namespace kms::net::io {

namespace {

namespace asio = boost::asio;
using kms::io::system_now;
using std::chrono::milliseconds;

constexpr milliseconds kStep{50};
constexpr Duration kDialRetryPause = 250ms;
constexpr Duration kCatchUpPause = 4s;  // a few heartbeats of 1 s, and the answer
constexpr std::size_t kTextMax = 512;

void set_mesh(const P2pPeerOptions& options, RouterOptions& router) {
  MeshOptions& mesh = router.mesh;
  router.policies.otherwise = TopicPolicy::mesh;
  if (const auto& degrees = options.degrees) {
    mesh.target = degrees->target;
    mesh.low = degrees->low;
    mesh.high = degrees->high;
    mesh.score = std::min(mesh.score, mesh.target);
    mesh.out = std::min(mesh.out, mesh.target / 2);
    if (mesh.out >= mesh.low) mesh.out = mesh.low == 0 ? 0 : mesh.low - 1;
  }
  if (!options.floods_own) mesh.flood_publish_bytes = 0;
  if (options.exchanges_peers) {
    router.thresholds.accept_exchange = 0;
  } else {
    mesh.exchange_peers = 0;
    router.thresholds.accept_exchange = std::numeric_limits<double>::infinity();
  }
}

TcpHostOptions host_options(const P2pPeerOptions& options) {
  TcpHostOptions out;
  if (options.listen) out.listen = {*options.listen};
  HostOptions& host = out.host;
  host.agent_version = options.agent;
  host.early_muxer = options.early_muxer;
  host.meshsub_max = options.meshsub_max;
  host.dial_policy = DialPolicy::anyone;
  host.unlisted = PeerClass::committee;
  host.ping_interval = Duration::zero();
  // Peers of other languages on a busy machine are slow rather than dead.
  host.committee.quiet_max = host.committee.pong_deadline = 10s;
  host.router.signature_policy = options.sign;
  host.router.message_id_mode = options.message_id;
  set_mesh(options, host.router);
  host.router.idontwant_bytes_min = options.idontwant_min;
  host.router.topics.allows_all = true;
  // --publish-interval 0 queues its whole list at once.
  host.router.outbox_limits.rpcs = 4096;
  host.router.outbox_limits.bytes = std::size_t{256} << 20;
  host.queued_bytes_max = std::size_t{2} << 30;
  return out;
}

Result<Identity> make_identity(const P2pPeerOptions& options, Entropy& entropy) {
  if (options.key_type == PeerKeyType::ed25519) {
    return Identity::from_ed25519(options.key ? crypto::Secret<32>::copy_of(*options.key)
                                              : crypto::Secret<32>::random(entropy));
  }
  if (options.key) return Identity::from_secp256k1(*options.key);
  return Identity::generate(entropy);
}

class P2pPeer {
 public:
  P2pPeer(asio::io_context& context, P2pPeerOptions options, const Identity& identity, Entropy& entropy)
      : context_(context),
        options_(std::move(options)),
        identity_(identity),
        entropy_(entropy),
        started_(system_now().instant),
        step_timer_(context),
        publish_timer_(context),
        signals_(context, SIGINT, SIGTERM),
        host_(context, identity, host_options(options_), entropy,
              [this](std::vector<HostEvent>&& events) { receive(std::move(events)); }) {}

  void start() {
    for (const auto& topic : options_.topics) {
      if (!options_.subscribes) continue;
      if (auto subscribed = host_.host().subscribe(topic, now()); !subscribed) print_error("subscribe", subscribed);
    }
    print_listening();
    for (const auto& address : options_.dial) dials_.push_back({address, now().instant, std::nullopt, false});
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) finish("signal");
    });
    step();
  }
  int exit_code() const { return exit_code_; }

 private:
  struct Dial {
    Multiaddr address;
    Instant at;
    std::optional<ConnectionId> running;
    bool is_over = false;
  };

  Now now() const { return system_now(); }
  Duration age() const { return system_now().instant - started_; }

  void print(std::string_view name, JsonLine fields = {}) {
    const bool is_loud = name == "listening" || name == "message" || name == "error" || name == "result";
    if (options_.is_quiet && !is_loud) return;
    JsonLine line;
    line.text("ev", name).number("t", std::chrono::duration_cast<milliseconds>(age()).count());
    std::string head = line.take();
    const std::string rest = fields.take();
    if (rest.size() > 2) {
      head.pop_back();
      head += "," + rest.substr(1);
    }
    std::fputs((head + "\n").c_str(), stdout);
    std::fflush(stdout);
  }

  template <class T>
  void print_error(std::string_view where, const Result<T>& failed) {
    print("error", JsonLine().text("where", where).text("error", failed.error().message));
  }

  void print_listening() {
    std::vector<std::string> addresses;
    for (const auto& address : host_.listen_addresses()) {
      addresses.push_back(address.with_peer_id(identity_.peer_id()).text());
    }
    print("listening", JsonLine()
                           .text("peerId", identity_.peer_id().text())
                           .texts("addrs", addresses)
                           .text("keyType", options_.key_type == PeerKeyType::ed25519 ? "ed25519" : "secp256k1")
                           .text("publicKey", to_hex(identity_.public_key().encoded()))
                           .text("stack", "kms"));
  }

  // Every 50 ms: dials, the mesh, the publisher, the end.
  void step() {
    if (is_finishing_) return;
    for (auto& dial : dials_) start_dial(dial);
    for (const auto& topic : options_.topics) {
      for (const auto& peer : host_.view().router().grafted(topic)) {
        if (tally_.mesh.insert(peer).second) {
          print("mesh", JsonLine().text("topic", topic).text("peer", peer.text()));
        }
      }
    }
    start_publishing();
    if (options_.unsubscribe_after && age() >= *options_.unsubscribe_after && !std::exchange(has_left_, true)) {
      for (const auto& topic : options_.topics) host_.host().unsubscribe(topic, now());
      print("unsubscribed");
    }
    tally_.publishing_is_over = tally_.publishing_is_over || has_published_all();
    const auto& counters = host_.view().router().counters();
    tally_.rpc["ihave"] = counters.ihave_in;
    tally_.rpc["iwant"] = counters.iwant_in;
    tally_.rpc["idontwant"] = counters.idontwant_in;
    tally_.rpc["graft"] = counters.grafts_in;
    tally_.rpc["prune"] = counters.prunes_in;
    if (options_.expects_anything() && !options_.hold && !met_at_ && tally_.unmet(options_).empty()) {
      met_at_ = age();
    }
    note_sending();
    if (met_at_ && age() >= std::max(*met_at_ + options_.linger, may_leave_at_)) return finish("expectations met");
    if (age() >= options_.run_for) return finish("time is up");
    step_timer_.expires_after(kStep);
    step_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) step();
    });
  }

  // Others may still want what we said: it waits in a queue, or was dropped from a full one, is announced at the next
  // heartbeat and asked for after that.
  void note_sending() {
    const auto& router = host_.view().router();
    std::uint64_t sent = 0;
    for (const auto& topic : router.topics()) sent += topic.counters.bytes_out;
    if (std::exchange(sent_, sent) == sent && host_.view().queued_bytes() == 0) return;
    const bool is_owed = router.counters().dropped_messages > 0;
    may_leave_at_ = age() + (is_owed ? std::max<Duration>(options_.linger, kCatchUpPause) : options_.linger);
  }

  void start_dial(Dial& dial) {
    if (dial.is_over || dial.running || dial.at > now().instant) return;
    auto started = host_.host().dial(dial.address, now());
    if (started) {
      dial.running = *started;
    } else {
      dial_failed(dial, started.error().message);
    }
  }

  void dial_failed(Dial& dial, const std::string& why) {
    print("dial-failed", JsonLine().text("addr", dial.address.text()).text("error", why));
    dial.running.reset();
    dial.at = now().instant + kDialRetryPause;
    if (options_.expects_dial_failure || dial.at - started_ > options_.dial_retry) {
      dial.is_over = true;
      ++tally_.dials_failed;
    }
  }

  void start_publishing() {
    if (options_.publish.empty() || is_publishing_) return;
    const auto& router = host_.view().router();
    const std::string& topic = options_.topics.front();
    if (router.subscribers(topic).size() < options_.publish_peers) return;
    if (router.grafted(topic).size() < options_.publish_mesh) return;
    is_publishing_ = true;
    publish_after(options_.publish_delay);
  }

  void publish_after(milliseconds delay) {
    publish_timer_.expires_after(delay);
    publish_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !is_finishing_) publish_next();
    });
  }

  void publish_next() {
    const auto& item = options_.publish[next_payload_ % options_.publish.size()];
    Bytes payload = item.bytes.value_or(Bytes(item.random_size));
    if (!item.bytes) entropy_.fill(payload);
    const auto size = static_cast<std::int64_t>(payload.size());
    auto published = host_.host().publish(options_.topics.front(), std::move(payload), now());
    if (published) {
      ++tally_.published;
      print("published", JsonLine()
                             .text("topic", options_.topics.front())
                             .number("size", size)
                             .number("peers", static_cast<std::int64_t>(published->peers)));
    } else {
      print_error("publish", published);
    }
    if (++next_payload_ < options_.publish.size() * options_.publish_count) publish_after(options_.publish_interval);
  }

  // Published is what left our queues, not what only entered them.
  bool has_published_all() const {
    if (next_payload_ < options_.publish.size() * options_.publish_count) return false;
    const auto& host = host_.view();
    const auto peers = host.peers();
    return std::all_of(peers.begin(), peers.end(), [&](const auto& view) { return host.queued_bytes(view.peer) == 0; });
  }

  void receive(std::vector<HostEvent>&& events) {
    for (const auto& event : events) {
      std::visit([this](const auto& known) { receive(known); }, event);
    }
  }

  void receive(const ConnectionOpened& opened) {
    const bool is_early = opened.early_muxer == EarlyMuxer::offered;
    (is_early ? tally_.early_muxer : tally_.no_early_muxer).insert(opened.peer);
    print("connection", JsonLine()
                            .text("peer", opened.peer.text())
                            .text("addr", opened.remote.text())
                            .text("direction", opened.direction == Direction::inbound ? "inbound" : "outbound")
                            .text("encryption", kNoiseProtocol)
                            .text("muxer", kYamuxProtocol)
                            .truth("early", is_early));
    for (auto& dial : dials_) {
      if (dial.running != opened.id) continue;
      dial.is_over = true;
      ++tally_.dialled;
    }
  }
  void receive(const ConnectionClosed& closed) {
    for (auto& dial : dials_) {
      if (dial.running == closed.id && !dial.is_over) dial_failed(dial, closed.cause.text);
    }
    JsonLine line;
    if (closed.peer) line.text("peer", closed.peer->text());
    print("connection-closed", line.text("reason", name_of(closed.cause.reason)).text("text", closed.cause.text));
  }
  void receive(const PeerConnected& connected) {
    tally_.peers.insert(connected.peer);
    print("connected", JsonLine().text("peer", connected.peer.text()));
    for (std::size_t i = 0; i < options_.pings; ++i) host_.host().ping(connected.peer, now());
  }
  void receive(const PeerDisconnected& gone) { print("disconnected", JsonLine().text("peer", gone.peer.text())); }
  void receive(const PeerIdentified& known) {
    const auto& said = known.identify;
    tally_.identified[known.peer] = {said.agent_version.value_or(""),
                                     said.protocols.value_or(std::vector<std::string>{}), known.record.has_value()};
    std::vector<std::string> addresses;
    if (said.listen_addresses) {
      for (const auto& address : *said.listen_addresses) addresses.push_back(address.text());
    }
    print("identified", JsonLine()
                            .text("peer", known.peer.text())
                            .text("agent", said.agent_version.value_or(""))
                            .text("protocolVersion", said.protocol_version.value_or(""))
                            .texts("protocols", said.protocols.value_or(std::vector<std::string>{}))
                            .texts("listenAddrs", addresses)
                            .text("observedAddr", said.observed_address ? said.observed_address->text() : "")
                            .truth("signedPeerRecord", known.record.has_value()));
  }
  void receive(const PeerIdentifyFailed& failed) {
    print("identify-failed", JsonLine().text("peer", failed.peer.text()).text("error", failed.reason));
  }
  void receive(const PingAnswered& answered) {
    ++tally_.pings;
    print("ping", JsonLine().text("peer", answered.peer.text()).number("us", answered.round_trip.count()));
  }
  void receive(const PingFailed& failed) {
    print("ping-failed", JsonLine().text("peer", failed.peer.text()).text("error", failed.reason));
  }
  void receive(const PubsubDelivery& delivery) {
    const ByteView payload = delivery.payload();
    const std::string author = delivery.author ? delivery.author->text() : "";
    ++tally_.messages;
    tally_.payloads.insert(to_bytes(payload));
    if (options_.expect_from && author != *options_.expect_from) {
      tally_.wrong_authors.insert(author.empty() ? "nobody" : author);
    }
    JsonLine line;
    line.text("type", author.empty() ? "unsigned" : "signed");
    if (!author.empty()) line.text("from", author);
    line.text("topic", delivery.topic()).number("size", static_cast<std::int64_t>(payload.size()));
    if (payload.size() > kTextMax) {
      line.text("sha256", to_hex(crypto::sha256(payload)));
    } else if (is_utf8(as_text(payload))) {
      line.text("data", as_text(payload));
    } else {
      line.text("hex", to_hex(payload));
    }
    print("message", std::move(line));
    host_.host().validated(delivery.id, options_.verdict, now());
  }
  void receive(const PubsubEvent& event) {
    if (const auto* changed = std::get_if<PeerSubscription>(&event)) {
      ++tally_.rpc[changed->subscribed ? "subscribe" : "unsubscribe"];
      print("subscriptions", JsonLine()
                                 .text("peer", changed->peer.text())
                                 .text("topic", changed->topic)
                                 .truth("subscribe", changed->subscribed));
    } else if (const auto* grafted = std::get_if<PeerGrafted>(&event)) {
      print("graft", JsonLine().text("peer", grafted->peer.text()).text("topic", grafted->topic));
    } else if (const auto* pruned = std::get_if<PeerPruned>(&event)) {
      print("prune", JsonLine().text("peer", pruned->peer.text()).text("topic", pruned->topic));
    } else if (const auto* offered = std::get_if<PeersOffered>(&event)) {
      dial_offered(*offered);
    } else if (const auto* graylisted = std::get_if<PeerGraylisted>(&event)) {
      print("graylisted", JsonLine().text("peer", graylisted->peer.text()));
    } else if (const auto* refused = std::get_if<MessageRefused>(&event)) {
      print("refused", JsonLine()
                           .text("peer", refused->peer.text())
                           .text("reason", refusal_text(refused->reason))
                           .text("detail", refused->detail));
    } else if (const auto* broken = std::get_if<PeerBrokeWire>(&event)) {
      print("broken-rpc", JsonLine().text("peer", broken->peer.text()).text("error", broken->reason));
    }
  }
  // Whoever vouches for a local address of its own is dialled there.
  void dial_offered(const PeersOffered& offered) {
    for (const auto& offer : offered.offers) {
      const auto record = verify_peer_record(offer.signed_record, offer.peer);
      if (!record) continue;
      for (const auto& address : record->addresses) {
        const auto target = tcp_target_of(address);
        if (!target || target->host != "127.0.0.1") continue;
        const auto started = host_.host().dial(address.with_peer_id(offer.peer), now());
        print("offered", JsonLine()
                             .text("peer", offer.peer.text())
                             .text("addr", address.text())
                             .truth("dialled", started.has_value()));
        break;
      }
    }
  }
  // This program adds no services.
  void receive(const ServiceOpened&) {}
  void receive(const ServiceBytes&) {}
  void receive(const ServiceRemoteFinished&) {}
  void receive(const ServiceWritable&) {}
  void receive(const ServiceGone&) {}

  void finish(std::string_view reason) {
    if (std::exchange(is_finishing_, true)) return;
    tally_.rpc["publish"] = tally_.messages;
    const auto unmet = tally_.unmet(options_);
    exit_code_ = unmet.empty() ? 0 : 1;
    JsonLine rpc;
    for (const auto& [kind, count] : tally_.rpc) rpc.number(kind, static_cast<std::int64_t>(count));
    print("result", JsonLine()
                        .truth("ok", unmet.empty())
                        .text("reason", reason)
                        .texts("unmet", unmet)
                        .number("messages", static_cast<std::int64_t>(tally_.messages))
                        .number("published", static_cast<std::int64_t>(tally_.published))
                        .number("peers", static_cast<std::int64_t>(tally_.peers.size()))
                        .number("identified", static_cast<std::int64_t>(tally_.identified.size()))
                        .number("pings", static_cast<std::int64_t>(tally_.pings))
                        .number("mesh", static_cast<std::int64_t>(tally_.mesh.size()))
                        .raw("rpc", rpc.take()));
    step_timer_.cancel();
    publish_timer_.cancel();
    signals_.cancel();
    host_.stop([this] { context_.stop(); });
  }

  asio::io_context& context_;
  P2pPeerOptions options_;
  const Identity& identity_;
  Entropy& entropy_;
  Instant started_;
  asio::steady_timer step_timer_, publish_timer_;
  asio::signal_set signals_;
  TcpHost host_;
  P2pPeerTally tally_;
  std::vector<Dial> dials_;
  std::size_t next_payload_ = 0;
  bool is_publishing_ = false, has_left_ = false, is_finishing_ = false;
  std::optional<Duration> met_at_;
  Duration may_leave_at_{};
  std::uint64_t sent_ = 0;  // bytes of messages
  int exit_code_ = 3;
};

}  // namespace

int run_p2p_peer(const std::vector<std::string>& arguments) {
  for (const auto& argument : arguments) {
    if (argument != "-h" && argument != "--help") continue;
    std::fputs(std::string(p2p_peer_usage()).c_str(), stdout);
    return 0;
  }
  auto options = parse_p2p_peer_options(arguments);
  if (!options) {
    std::fputs((options.error().message + "\n\n" + std::string(p2p_peer_usage())).c_str(), stderr);
    return 2;
  }
  try {
    kms::io::OsEntropy entropy;
    auto identity = make_identity(*options, entropy);
    if (!identity) {
      std::fputs(("--key: " + identity.error().message + "\n").c_str(), stderr);
      return 2;
    }
    asio::io_context context(1);
    P2pPeer peer(context, std::move(*options), *identity, entropy);
    peer.start();
    context.run();
    return peer.exit_code();
  } catch (const std::exception& failed) {
    std::fputs(
        (JsonLine().text("ev", "error").text("where", "main").text("error", failed.what()).take() + "\n").c_str(),
        stdout);
    return 3;
  }
}

}  // namespace kms::net::io
