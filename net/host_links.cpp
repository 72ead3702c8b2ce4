#include <algorithm>

#include "base/assert.h"
#include "net/host.h"

namespace kms::net {

ConnectionOptions Host::connection_options(const std::optional<PeerId>& expected) const {
  ConnectionOptions options;
  options.upgrade = {expected, options_.early_muxer};
  options.yamux = options_.yamux;
  options.upgrade_timeout = options_.upgrade_timeout;
  options.negotiation_timeout = options_.negotiation_timeout;
  return options;
}

Result<ConnectionId> Host::dial(const Multiaddr& address, Now now) {
  auto target = tcp_target_of(address);
  if (!target) return target.error();
  if (!target->peer && options_.dial_policy == DialPolicy::named_peers) {
    return error("the address " + address.text() + " names no peer: add /p2p/ID at its end");
  }
  if (target->peer == identity_.peer_id()) return error("the address " + address.text() + " is our own");
  const ConnectionId id = start_dial(std::move(*target), address, now);
  settle(now);
  return id;
}

ConnectionId Host::start_dial(TcpTarget target, Multiaddr address, Now now) {
  const ConnectionId id = next_id_++;
  Link link{.id = id, .direction = Direction::outbound, .remote = std::move(address)};
  link.expected = target.peer;
  link.dial_deadline = now.instant + options_.dial_timeout;
  links_.emplace(id, std::move(link));
  effects_.transport.emplace_back(DialSocket{id, std::move(target)});
  dirty_.insert(id);
  return id;
}

void Host::dial_due(Now now) {
  for (auto& [peer, address] : dial_book_.take_due(now)) {
    auto target = tcp_target_of(address);
    if (neighbours_.contains(peer)) {
      dial_book_.connected(peer, now);
    } else if (!target || class_of(peer) == PeerClass::denied) {
      dial_book_.failed(peer, now);
    } else {
      start_dial(std::move(*target), std::move(address), now);
    }
  }
  settle(now);
}

Result<void> Host::set_peers(const std::vector<Multiaddr>& addresses, Now now) {
  auto set = dial_book_.set_peers(addresses, now);
  member_addresses_stale_ = true;
  if (set) dial_due(now);
  return set;
}

void Host::set_found_addresses(const PeerId& peer, const std::vector<Multiaddr>& addresses, Now now) {
  dial_book_.set_found(peer, addresses, now);
  member_addresses_stale_ = true;
  dial_due(now);
}

void Host::disconnect(const PeerId& peer, CloseCause cause, Now now) {
  const auto at = neighbours_.find(peer);
  if (at == neighbours_.end()) return;
  for (const ConnectionId id : at->second.connections) {
    links_.at(id).connection->close(cause);
    dirty_.insert(id);
  }
  settle(now);
}

void Host::close_all(CloseCause cause, Now now) {
  std::vector<ConnectionId> dialling;
  for (auto& [id, link] : links_) {
    if (link.connection) {
      link.connection->close(cause);
      dirty_.insert(id);
    } else {
      dialling.push_back(id);
    }
  }
  for (const ConnectionId id : dialling) {
    effects_.transport.emplace_back(CloseSocket{id, cause});
    ended(links_.at(id), cause, now);
    links_.erase(id);
  }
  settle(now);
}

void Host::leave_gate(Link& link) {
  if (link.in_gate) gate_.finished(link.address_key, *link.in_gate);
  link.in_gate.reset();
}

Caller Host::caller_at(const std::string& address_key) {
  if (std::exchange(member_addresses_stale_, false)) {
    member_addresses_.clear();
    for (const auto& [peer, address] : dial_book_.addresses()) {
      if (is_member(peer)) member_addresses_.insert(gate_key_of(address));
    }
    for (const auto& [peer, key] : last_addresses_) member_addresses_.insert(key);
    member_addresses_.erase(std::string());  // names
  }
  return member_addresses_.contains(address_key) ? Caller::member : Caller::stranger;
}

bool Host::is_member(const PeerId& peer) const {
  const auto at = classes_.find(peer);
  return at != classes_.end() && (at->second == PeerClass::committee || at->second == PeerClass::registered);
}

// A member with a name for an address, or behind a NAT, is known by where it came from.
void Host::note_address(const PeerId& peer, const std::string& address_key) {
  if (!is_member(peer)) return;
  std::string& last = last_addresses_[peer];
  if (last == address_key) return;
  last = address_key;
  member_addresses_stale_ = true;
}

void Host::authenticated(Link& link, const PeerId& peer, Now now) {
  link.peer = peer;
  const PeerClass peer_class = class_of(peer);
  auto refused = refusal_of(link, peer_class);
  const bool may_displace = peer_class == PeerClass::committee && refused && refused->room_helps == RoomHelps::yes;
  if (may_displace && make_room()) refused = refusal_of(link, peer_class);
  if (refused) {
    link.connection->close(std::move(refused->cause));
    return;
  }
  link.connection->set_yamux(yamux_options_of(peer_class));
  link.connection->admit(now);
}

void Host::ready(Link& link, EarlyMuxer early_muxer, Now now) {
  const PeerId peer = *link.peer;
  link.is_ready = true;
  leave_gate(link);
  note_address(peer, link.address_key);
  auto [at, is_new] = neighbours_.try_emplace(peer);
  Neighbour& neighbour = at->second;
  neighbour.connections.push_back(link.id);
  ++(link.direction == Direction::inbound ? counters_.opened_inbound : counters_.opened_outbound);
  effects_.events.emplace_back(ConnectionOpened{link.id, peer, link.direction, link.remote, early_muxer});
  if (is_new) {
    neighbour.peer_class = class_of(peer);
    neighbour.connected_unix_ms = now.unix_ms;
    neighbour.ping_at = now.instant + options_.ping_interval;
    dial_book_.connected(peer, now);
    effects_.events.emplace_back(PeerConnected{peer, neighbour.peer_class});
    absorb(router_.peer_added(peer, neighbour.peer_class, now), now);
    note_origin(peer, neighbour);
  } else {
    neighbour.duplicate_check_at = now.instant + options_.duplicate_after;
  }
  open(link, {std::string(kIdentifyProtocol)}, IdentifyFetch{}, now.instant + kIdentifyTimeout, now);
}

// Only strangers count by their address: members behind one address know each other by key.
void Host::note_origin(const PeerId& peer, const Neighbour& neighbour) {
  const Link& link = links_.at(neighbour.connections.front());
  const bool is_stranger = neighbour.peer_class == PeerClass::light;
  router_.set_peer_origin(
      peer, {link.direction == Direction::outbound, is_stranger ? address_group_of(link.remote) : std::string()});
}

// Tells everybody that the link is over. The caller erases it.
void Host::ended(Link& link, const CloseCause& cause, Now now) {
  leave_gate(link);
  queued_total_ -= std::exchange(link.queued, 0);
  count_closed(link, cause, now);
  // First of all: what its streams leave undone must not be tried again on it.
  if (link.is_ready) std::erase(neighbours_.at(*link.peer).connections, link.id);
  while (!link.streams.empty()) lose_stream(link, link.streams.begin()->first, "the connection ended", now);
  effects_.events.emplace_back(ConnectionClosed{link.id, link.direction, link.known_peer(), link.remote, cause});
  if (link.direction == Direction::outbound && link.expected && !link.is_ready) dial_book_.failed(*link.expected, now);
  if (!link.is_ready) return;
  const PeerId peer = *link.peer;
  const auto at = neighbours_.find(peer);
  KMS_ASSERT(at != neighbours_.end());
  if (at->second.connections.empty()) {
    neighbours_.erase(at);
    router_.peer_removed(peer, now);
    dial_book_.disconnected(peer, now);
    effects_.events.emplace_back(PeerDisconnected{peer, cause});
  } else {
    note_origin(peer, at->second);
    at->second.pubsub_failures = 0;
    refresh_pubsub(peer, at->second, now);
  }
}

// Both ends choose the same one: the one dialled by the smaller PeerId, of those the newest.
ConnectionId Host::preferred_connection(const PeerId& peer, const Neighbour& neighbour) const {
  const Direction wanted = identity_.peer_id() < peer ? Direction::outbound : Direction::inbound;
  ConnectionId best = neighbour.connections.back();
  for (const ConnectionId id : neighbour.connections) {
    if (links_.at(id).direction == wanted) best = id;
  }
  return best;
}

void Host::close_duplicates(const PeerId& peer, Neighbour& neighbour, Now now) {
  neighbour.duplicate_check_at.reset();
  const ConnectionId kept = preferred_connection(peer, neighbour);
  for (const ConnectionId id : neighbour.connections) {
    if (id == kept) continue;
    Link& link = links_.at(id);
    const bool in_use = std::any_of(link.streams.begin(), link.streams.end(), [](const auto& entry) {
      const StreamRole& role = entry.second.role;
      return std::holds_alternative<PubsubIn>(role) || std::holds_alternative<PubsubOut>(role) ||
             std::holds_alternative<ServiceStream>(role);
    });
    if (in_use) {
      neighbour.duplicate_check_at = now.instant + options_.duplicate_after;
    } else {
      link.connection->close({CloseReason::duplicate, "another connection to this peer carries on"});
      dirty_.insert(id);
    }
  }
}

}  // namespace kms::net
