// The p2p half of Runtime: the host, what runs on top of it, and what the core publishes.
#include <algorithm>

#include "base/io/system_clock.h"
#include "node/api.h"
#include "node/host_log.h"
#include "node/io/log.h"
#include "node/io/runtime_impl.h"

namespace kms::node::io {

using kms::io::system_now;

namespace {

// Who is connected and how far away they are is told to the core at every change and this often.
constexpr std::chrono::milliseconds kLinksEvery{1000};

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

// A member counts as connected once messages flow both ways.
bool changes_links(const net::HostEvent& event) {
  const auto* pubsub = std::get_if<net::PubsubEvent>(&event);
  return std::holds_alternative<net::PeerConnected>(event) || std::holds_alternative<net::PeerDisconnected>(event) ||
         (pubsub != nullptr && std::holds_alternative<net::PeerSubscription>(*pubsub));
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
    case Topic::public_partials:
      return prefix + "/partials/1";
  }
  return prefix;
}

void Runtime::Impl::start_p2p() {
  const NetworkTerms& terms = core.terms();
  auto key = crypto::NodeKey::from_secret(credentials->node_key.expose().clone());
  identity.emplace(std::move(*key));
  note_members();
  net::io::TcpHostOptions p2p = *options.p2p;
  p2p.host.protocol_version = "/kms/" + terms.name + "/1.0.0";
  // Members write, everybody listens.
  p2p.host.topic_rules = {{"/kms/" + terms.name + "/", {net::PeerClass::committee}}};
  p2p.host.router.seqnos = net::SeqnoRule::once_per_listed_author;
  p2p.host.router.topics.prefixes = {"/kms/" + terms.name + "/"};
  for (const auto& [peer, node] : members) {
    p2p.host.router.policies.names.emplace(topic_name(terms.name, Topic::partials, peer), net::TopicPolicy::committee);
  }
  auto self = weak_from_this();
  host = std::make_unique<net::io::TcpHost>(context, *identity, std::move(p2p), entropy,
                                            [self](std::vector<net::HostEvent>&& events) {
                                              if (auto alive = self.lock()) alive->on_events(std::move(events));
                                            });
  Now now = system_now();
  host->host().set_peer_classes(classes_now(), now);
  for (Topic topic : {Topic::requests, Topic::ceremony, Topic::partials, Topic::public_partials}) {
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
  const auto& own = host->listen_addresses();
  const bool is_local = std::any_of(own.begin(), own.end(), [](const net::Multiaddr& address) {
    return !net::is_dialable(address, net::LoopbackUse::refused) &&
           net::is_dialable(address, net::LoopbackUse::accepted);
  });
  if (is_local) options.discovery.book.loopback = net::LoopbackUse::accepted;
  discovery.emplace(host->host(), network, options.discovery, entropy, now);
  discovery->set_members(welcome_members(), now);
  for (const PeerRecords::Kept& kept : records.load(now)) discovery->restore(kept.envelope, kept.age, now);
  discovery->take_changes();
  objects.emplace(host->host(), network, options.objects, now);
  objects->set_members(welcome_members(), now);
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
    const auto giver = members.find(given->from);
    // It may have left the committee since it was asked.
    if (giver == members.end()) return objects->judge(given->name, given->from, net::ObjectUse::useless, now);
    TakenObject taken = core.take_object(dkg::ObjectId{given->name}, giver->second, given->bytes, now);
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

void Runtime::Impl::on_events(std::vector<net::HostEvent>&& events) {
  if (stopping) return;
  bool links_changed = false;
  const StandingOf standing_of = [this](const net::PeerId& peer) {
    return members.contains(peer) ? Standing::member : Standing::stranger;
  };
  Now now = system_now();
  for (net::HostEvent& event : events) {
    const bool is_taken = discovery->receive(event, now) || objects->receive(event, now);
    if (is_taken) continue;
    for (const LogLine& line : log_lines(event, standing_of)) write(line);
    if (const auto* delivery = std::get_if<net::PubsubDelivery>(&event)) on_delivery(*delivery);
    links_changed = links_changed || changes_links(event);
  }
  if (links_changed) report_links();
  turn_services(false);
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

}  // namespace kms::node::io
