#include "net/host_counters.h"

#include <algorithm>

#include "net/host.h"

namespace kms::net {

PeerTraffic& PeerTraffic::operator+=(const PeerTraffic& other) {
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  streams_in += other.streams_in;
  streams_out += other.streams_out;
  streams_refused += other.streams_refused;
  messages_in += other.messages_in;
  messages_refused += other.messages_refused;
  return *this;
}

// Agreed protocols are ours, or what an older list of ours said; streams that never agreed count nowhere else.
ProtocolCounters& Host::counters_of(std::string_view protocol) {
  const auto at = counters_.protocols.find(protocol);
  if (at != counters_.protocols.end()) return at->second;
  return counters_.protocols[protocol.empty() ? "none" : std::string(protocol)];
}

// Before the link leaves its neighbour.
void Host::count_closed(const Link& link, const CloseCause& cause, Now now) {
  ++counters_.closed[static_cast<std::size_t>(cause.reason)];
  const auto& peer = link.known_peer();
  if (!peer) return;
  const auto neighbour = neighbours_.find(*peer);
  if (neighbour != neighbours_.end()) {
    neighbour->second.traffic += link.traffic;
    const auto& own = neighbour->second.connections;
    const bool is_last = own.size() == 1 && own.front() == link.id;
    if (!is_last) return;
  }
  if (!classes_.contains(*peer)) return;
  PeerHistory& history = history_[*peer];
  history.last_close = LastClose{cause, now.unix_ms};
  history.traffic += neighbour != neighbours_.end() ? neighbour->second.traffic : link.traffic;
}

std::vector<PeerView> Host::peers() const {
  std::vector<PeerView> out;
  for (const auto& [peer, neighbour] : neighbours_) {
    const Link& link = links_.at(preferred_connection(peer, neighbour));
    PeerView view{.peer = peer,
                  .peer_class = neighbour.peer_class,
                  .connections = neighbour.connections.size(),
                  .remote = link.remote,
                  .direction = link.direction,
                  .is_identified = neighbour.is_identified,
                  .has_pubsub = neighbour.pubsub_out && !neighbour.pubsub_in.empty(),
                  .is_stalled = neighbour.pubsub_stalled_at.has_value(),
                  .score = router_.score(peer),
                  .agent_version = neighbour.identify.agent_version.value_or(""),
                  .round_trip = neighbour.round_trip,
                  .connected_unix_ms = neighbour.connected_unix_ms,
                  .traffic = neighbour.traffic};
    if (!view.round_trip) view.round_trip = link.connection->round_trip();
    if (const auto past = history_.find(peer); past != history_.end()) view.traffic += past->second.traffic;
    for (const ConnectionId id : neighbour.connections) {
      const Link& own = links_.at(id);
      view.traffic += own.traffic;
      view.queued_bytes += own.queued;
      view.streams += own.connection->stream_count();
    }
    out.push_back(std::move(view));
  }
  return out;
}

std::vector<AwayView> Host::away() const {
  std::vector<AwayView> out;
  for (const auto& [peer, peer_class] : classes_) {
    if (peer_class == PeerClass::denied || peer == identity_.peer_id() || neighbours_.contains(peer)) continue;
    AwayView view{peer, peer_class, std::nullopt, {}};
    if (const auto past = history_.find(peer); past != history_.end()) {
      view.last_close = past->second.last_close;
      view.traffic = past->second.traffic;
    }
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace kms::net
