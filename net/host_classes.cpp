// What each class of peers may do, and what gives way when there is too much: places, streams, topics, memory.
#include <algorithm>

#include "net/host.h"

namespace kms::net {

namespace {

constexpr std::size_t kShedBytesMin = 64 * 1024;  // what any healthy link may have in flight

}  // namespace

PeerClass Host::class_of(const PeerId& peer) const {
  const auto at = classes_.find(peer);
  return at == classes_.end() ? options_.unlisted : at->second;
}

const ClassRules& Host::rules_of(PeerClass peer_class) const {
  if (peer_class == PeerClass::committee) return options_.committee;
  return peer_class == PeerClass::registered ? options_.registered : options_.light;
}

YamuxOptions Host::yamux_options_of(PeerClass peer_class) const {
  const ClassRules& rules = rules_of(peer_class);
  YamuxOptions out = options_.yamux;
  out.inbound_streams_max = rules.inbound_streams_max;
  out.inbound_per_second = rules.inbound_streams_per_second;
  out.receive_bytes_max = rules.receive_bytes_max;
  out.quiet_max = rules.quiet_max;
  out.pong_deadline = rules.pong_deadline;
  return out;
}

// The link that asks is counted among the others.
std::optional<Host::Refused> Host::refusal_of(const Link& asking, PeerClass peer_class) const {
  if (peer_class == PeerClass::denied) {
    return Refused{{CloseReason::denied, "the peer is denied"}, RoomHelps::no};
  }
  const bool counts_address = asking.direction == Direction::inbound && !gate_.is_exempt(asking.address_key);
  std::size_t all = 0, light = 0, of_peer = 0, of_address = 0;
  for (const auto& [id, link] : links_) {
    if (!link.peer || !link.connection || link.connection->has_ended()) continue;
    const PeerClass other = class_of(*link.peer);
    ++all;
    if (other == PeerClass::light) ++light;
    if (*link.peer == *asking.peer) ++of_peer;
    if (other == peer_class && link.direction == Direction::inbound && link.address_key == asking.address_key) {
      ++of_address;
    }
  }
  const auto over = [](std::size_t limit, std::string_view what, RoomHelps room_helps = RoomHelps::no) {
    return Refused{{CloseReason::over_limit, std::to_string(limit) + " connections " + std::string(what)}, room_helps};
  };
  if (of_peer > options_.connections_per_peer_max) return over(options_.connections_per_peer_max, "to this peer");
  if (all > options_.connections_max) return over(options_.connections_max, "in all", RoomHelps::yes);
  const std::size_t light_max =
      options_.connections_max - std::min(options_.connections_max, options_.connections_reserved);
  if (peer_class == PeerClass::light && light > light_max) return over(light_max, "of light clients");
  const std::size_t address_max = rules_of(peer_class).per_address_max;
  if (counts_address && of_address > address_max) return over(address_max, "of its class from its address");
  return std::nullopt;
}

// For a committee member when every place is taken: the newest connection of the least class gives way, never one of
// the committee.
bool Host::make_room() {
  Link* gives_way = nullptr;
  PeerClass least = PeerClass::committee;
  for (auto& [id, link] : links_) {
    if (!link.is_ready || link.connection->has_ended()) continue;
    const PeerClass peer_class = class_of(*link.peer);
    if (peer_class == PeerClass::committee || peer_class < least) continue;
    least = peer_class;
    gives_way = &link;
  }
  if (gives_way == nullptr) return false;
  gives_way->connection->close({CloseReason::over_limit, "its place is needed for a committee member"});
  dirty_.insert(gives_way->id);
  return true;
}

void Host::set_peer_classes(std::map<PeerId, PeerClass> classes, Now now) {
  classes_ = std::move(classes);
  router_.set_access({options_.topic_rules, classes_, options_.unlisted});
  std::erase_if(history_, [this](const auto& entry) { return !classes_.contains(entry.first); });
  std::erase_if(last_addresses_, [this](const auto& entry) { return !is_member(entry.first); });
  member_addresses_stale_ = true;
  for (auto& [peer, neighbour] : neighbours_) {
    const PeerClass peer_class = class_of(peer);
    if (peer_class != neighbour.peer_class) reclassify(peer, neighbour, peer_class, now);
  }
  // Those whose muxer is still negotiated were judged at the end of Noise, by the classes of then.
  for (auto& [id, link] : links_) {
    if (!link.peer || link.is_ready || link.connection->has_ended()) continue;
    const PeerClass peer_class = class_of(*link.peer);
    if (peer_class == PeerClass::denied) {
      link.connection->close({CloseReason::denied, "the peer is no longer welcome"});
    } else {
      link.connection->set_yamux(yamux_options_of(peer_class));
    }
    dirty_.insert(id);
  }
  settle(now);
}

void Host::reclassify(const PeerId& peer, Neighbour& neighbour, PeerClass peer_class, Now now) {
  neighbour.peer_class = peer_class;
  absorb(router_.peer_added(peer, peer_class, now), now);
  note_origin(peer, neighbour);
  absorb(router_.recheck(peer, now), now);
  for (const ConnectionId id : neighbour.connections) {
    Link& link = links_.at(id);
    dirty_.insert(id);
    if (auto refused = refusal_of(link, peer_class)) {
      CloseCause& cause = refused->cause;
      if (cause.reason == CloseReason::denied) cause.text = "the peer is no longer welcome";
      link.connection->close(std::move(cause));
      continue;
    }
    link.connection->set_yamux(yamux_options_of(peer_class));
    std::vector<StreamId> lost;
    for (const auto& [stream_id, stream] : link.streams) {
      const auto* service = std::get_if<ServiceStream>(&stream.role);
      if (service == nullptr || stream.direction == Direction::outbound) continue;
      if (!find_service(service->protocol)->allowed.contains(peer_class)) lost.push_back(stream_id);
    }
    for (const StreamId stream_id : lost) {
      reset_stream(link, stream_id, "the peer's class may not use this protocol any more", now);
    }
  }
}

std::size_t Host::queued_on(const Link& link) const {
  std::size_t size = link.outstanding + link.connection->unconsumed_bytes();
  for (const auto& [id, stream] : link.streams) {
    size += stream.unsent_size() + link.connection->pending(id);
    if (const auto* pubsub = std::get_if<PubsubIn>(&stream.role)) size += pubsub->frames.buffered_bytes();
  }
  if (!link.is_ready) return size;
  const auto at = neighbours_.find(*link.peer);
  if (at == neighbours_.end() || !at->second.pubsub_out || at->second.pubsub_out->connection != link.id) return size;
  return size + at->second.frame.size() - at->second.frame_sent + router_.queued_bytes(at->first);
}

void Host::recount(Link& link) {
  const std::size_t queued = queued_on(link);
  queued_total_ += queued - link.queued;
  link.queued = queued;
  counters_.queued_bytes_peak = std::max<std::uint64_t>(counters_.queued_bytes_peak, queued_total_);
}

// Closes one connection if too much waits: of the least class that has more waiting than is in flight anyway, the one
// with the most.
bool Host::shed_over_budget() {
  if (queued_total_ <= options_.queued_bytes_max) return false;
  Link* slowest = nullptr;
  PeerClass least = PeerClass::committee;
  for (auto& [id, link] : links_) {
    if (link.queued < kShedBytesMin || !link.connection || link.connection->has_ended()) continue;
    const PeerClass peer_class = link.peer ? class_of(*link.peer) : PeerClass::light;
    if (peer_class < least) continue;
    if (slowest != nullptr && peer_class == least && link.queued <= slowest->queued) continue;
    least = peer_class;
    slowest = &link;
  }
  if (slowest == nullptr) return false;
  slowest->connection->close({CloseReason::over_budget, std::to_string(slowest->queued >> 10) +
                                                            " KiB wait for it and " +
                                                            std::to_string(queued_total_ >> 10) + " KiB in all"});
  dirty_.insert(slowest->id);
  return true;
}

}  // namespace kms::net
