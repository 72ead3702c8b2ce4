#include "net/host.h"

#include <algorithm>

namespace kms::net {

namespace {

constexpr Duration kStoodStill = 2s;  // a heartbeat that late: this process got no time

void take_earlier(std::optional<Instant>& at, std::optional<Instant> other) {
  if (other && (!at || *other < *at)) at = other;
}

}  // namespace

Host::Host(const Identity& identity, HostOptions options, Entropy& entropy, Now now)
    : identity_(identity),
      options_(std::move(options)),
      entropy_(entropy),
      router_(identity, options_.router, entropy, now),
      gate_(options_.gate),
      dial_book_(identity.peer_id(), options_.dial_book, entropy) {
  router_.set_access({options_.topic_rules, classes_, options_.unlisted});
  refresh_record(now);
  refresh_protocols(now);
}

std::optional<ConnectionId> Host::accepted(Multiaddr remote, Now now) {
  const std::string key = gate_key_of(remote);
  const Caller caller = caller_at(key);
  auto admitted = gate_.admit(key, caller, now.instant);
  if (!admitted) {
    ++counters_.closed[static_cast<std::size_t>(CloseReason::over_limit)];
    effects_.events.emplace_back(ConnectionClosed{
        0, Direction::inbound, std::nullopt, std::move(remote), {CloseReason::over_limit, admitted.error().message}});
    return std::nullopt;
  }
  const ConnectionId id = next_id_++;
  Link link{.id = id, .direction = Direction::inbound, .remote = std::move(remote)};
  link.address_key = key;
  link.in_gate = caller;
  auto& placed = links_.emplace(id, std::move(link)).first->second;
  placed.connection.emplace(Direction::inbound, identity_, protocols_, connection_options(std::nullopt), entropy_, now);
  dirty_.insert(id);
  settle(now);
  return id;
}

void Host::dialled(ConnectionId id, Multiaddr remote, Now now) {
  Link* link = find_link(id);
  if (link == nullptr || link->connection) return;
  link->remote = std::move(remote);
  link->address_key = gate_key_of(link->remote);
  link->connection.emplace(Direction::outbound, identity_, protocols_, connection_options(link->expected), entropy_,
                           now);
  dirty_.insert(id);
  settle(now);
}

void Host::dial_failed(ConnectionId id, std::string reason, Now now) {
  Link* link = find_link(id);
  if (link == nullptr || link->connection) return;
  ended(*link, {CloseReason::dial_failed, std::move(reason)}, now);
  links_.erase(id);
  settle(now);
}

void Host::received(ConnectionId id, ByteView bytes, Now now) {
  Link* link = find_link(id);
  if (link == nullptr || !link->connection) return;
  link->traffic.bytes_in += bytes.size();
  link->connection->receive(bytes, now);
  dirty_.insert(id);
  settle(now);
}

void Host::sent(ConnectionId id, std::size_t size, Now now) {
  Link* link = find_link(id);
  if (link == nullptr) return;
  link->outstanding -= std::min(size, link->outstanding);
  link->progress_at = now.instant;
  dirty_.insert(id);
  settle(now);
}

void Host::closed(ConnectionId id, std::string reason, Now now) {
  Link* link = find_link(id);
  if (link == nullptr) return;
  if (!link->connection) {
    dial_failed(id, std::move(reason), now);
    return;
  }
  link->connection->channel_closed(std::move(reason));
  dirty_.insert(id);
  settle(now);
}

void Host::tick(Now now) {
  if (now.instant - router_.wakes_at() >= kStoodStill) dial_book_.start_over(now);
  std::vector<ConnectionId> due;
  for (const auto& [id, link] : links_) {
    if (link.wakes_at && *link.wakes_at <= now.instant) due.push_back(id);
  }
  for (const ConnectionId id : due) {
    if (Link* link = find_link(id)) tick_link(*link, now);
  }
  for (auto& [peer, neighbour] : neighbours_) {
    if (neighbour.duplicate_check_at && *neighbour.duplicate_check_at <= now.instant) {
      close_duplicates(peer, neighbour, now);
    }
    refresh_pubsub(peer, neighbour, now);
    if (options_.ping_interval > Duration::zero() && neighbour.ping_at <= now.instant) {
      start_probe(peer, neighbour, now);
    }
  }
  if (router_.wakes_at() <= now.instant) absorb(router_.tick(now), now);
  settle(now);
  dial_due(now);
}

std::optional<Instant> Host::wakes_at() const {
  std::optional<Instant> at = router_.wakes_at();
  for (const auto& [id, link] : links_) take_earlier(at, link.wakes_at);
  for (const auto& [peer, neighbour] : neighbours_) {
    take_earlier(at, neighbour.duplicate_check_at);
    if (!neighbour.pubsub_out && !neighbour.pubsub_next && neighbour.is_identified && neighbour.pubsub_failures > 0) {
      take_earlier(at, neighbour.pubsub_retry_at);
    }
    if (options_.ping_interval > Duration::zero()) take_earlier(at, neighbour.ping_at);
  }
  take_earlier(at, dial_book_.wakes_at());
  return at;
}

Link* Host::find_link(ConnectionId id) {
  const auto at = links_.find(id);
  return at == links_.end() ? nullptr : &at->second;
}

Stream* Host::find_stream(StreamKey key) {
  Link* link = find_link(key.connection);
  if (link == nullptr) return nullptr;
  const auto at = link->streams.find(key.stream);
  return at == link->streams.end() ? nullptr : &at->second;
}

void Host::settle(Now now) {
  do {
    while (!dirty_.empty()) {
      const ConnectionId id = *dirty_.begin();
      dirty_.erase(dirty_.begin());
      if (Link* link = find_link(id)) settle_link(*link, now);
    }
  } while (shed_over_budget());
}

void Host::settle_link(Link& link, Now now) {
  if (!link.connection) {
    link.wakes_at = link.dial_deadline;
    return;
  }
  std::optional<CloseCause> cause;
  for (;;) {
    auto events = link.connection->take_events();
    if (events.empty()) {
      pump(link, now);
      if (events = link.connection->take_events(); events.empty()) break;
    }
    for (auto& event : events) {
      if (auto* over = std::get_if<ConnectionEnded>(&event)) {
        cause = std::move(over->cause);
      } else {
        dispatch(link, std::move(event), now);
      }
    }
  }
  if (!cause) {
    note_pubsub_progress(link, now);
    link.wakes_at = wakes_at_of(link);
    recount(link);
    return;
  }
  // The last words (an answer of the negotiation, a GOAWAY) are small and go past the bound of outstanding bytes.
  if (Bytes last = link.connection->take_output(kNoiseFrameBytesMax);
      !last.empty() && cause->reason != CloseReason::remote_closed) {
    effects_.transport.emplace_back(WriteSocket{link.id, std::move(last)});
  }
  effects_.transport.emplace_back(CloseSocket{link.id, *cause});
  const ConnectionId id = link.id;
  ended(link, *cause, now);
  links_.erase(id);
}

void Host::pump(Link& link, Now now) {
  if (link.connection->has_ended()) return;
  for (;;) {
    for (auto& [id, stream] : link.streams) flush_stream(link, id, stream);
    const bool queued_rpcs = fill_pubsub(link);
    if (link.outstanding >= options_.outstanding_bytes_max) return;
    Bytes out = link.connection->take_output(options_.outstanding_bytes_max - link.outstanding);
    if (out.empty()) {
      if (!queued_rpcs) return;
      continue;
    }
    if (link.outstanding == 0) link.progress_at = now.instant;
    link.outstanding += out.size();
    link.traffic.bytes_out += out.size();
    effects_.transport.emplace_back(WriteSocket{link.id, std::move(out)});
  }
}

void Host::flush_stream(Link& link, StreamId id, Stream& stream) {
  if (stream.finished || !stream.agreed) return;
  if (stream.unsent_size() > 0) {
    stream.unsent_from += link.connection->send(id, ByteView(stream.unsent).subspan(stream.unsent_from));
    if (stream.unsent_size() == 0) {
      stream.unsent.clear();
      stream.unsent_from = 0;
      if (auto* service = std::get_if<ServiceStream>(&stream.role); service != nullptr && service->was_full) {
        service->was_full = false;
        effects_.events.emplace_back(ServiceWritable{{link.id, id}});
      }
    }
  }
  if (stream.finishing && stream.unsent_size() == 0) {
    stream.finished = true;
    link.connection->finish(id);
  }
}

void Host::tick_link(Link& link, Now now) {
  dirty_.insert(link.id);
  if (!link.connection) {
    if (link.dial_deadline > now.instant) return;
    const CloseCause cause{CloseReason::dial_failed, "no answer in time"};
    effects_.transport.emplace_back(CloseSocket{link.id, cause});
    const ConnectionId id = link.id;
    ended(link, cause, now);
    links_.erase(id);
    return;
  }
  link.connection->tick(now);
  if (link.outstanding > 0 && now.instant - link.progress_at >= options_.write_stall_max) {
    link.connection->close({CloseReason::transport_failed, "the peer reads too slowly: no byte left in time"});
    return;
  }
  std::vector<StreamId> late;
  for (const auto& [id, stream] : link.streams) {
    if (stream.deadline && *stream.deadline <= now.instant) late.push_back(id);
  }
  for (const StreamId id : late) reset_stream(link, id, "took too long", now);
  reset_stalled_pubsub(link, now);
}

std::optional<Instant> Host::wakes_at_of(const Link& link) const {
  auto at = link.connection->wakes_at();
  for (const auto& [id, stream] : link.streams) take_earlier(at, stream.deadline);
  if (link.outstanding > 0) take_earlier(at, link.progress_at + options_.write_stall_max);
  const Neighbour* writer = pubsub_writer_of(link);
  if (writer != nullptr && writer->pubsub_stalled_at) {
    take_earlier(at, *writer->pubsub_stalled_at + options_.pubsub_stall_max);
  }
  return at;
}

std::size_t Host::queued_bytes(const PeerId& peer) const {
  const auto at = neighbours_.find(peer);
  if (at == neighbours_.end()) return 0;
  std::size_t size = at->second.frame.size() - at->second.frame_sent;
  for (const ConnectionId id : at->second.connections) {
    const Link& link = links_.at(id);
    for (const auto& [stream_id, stream] : link.streams) {
      size += stream.unsent_size() + link.connection->pending(stream_id);
    }
  }
  return size;
}

}  // namespace kms::net
