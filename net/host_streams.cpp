#include <algorithm>

#include "net/host.h"

namespace kms::net {

namespace {

constexpr std::size_t kSmallStreamsMax = 2;  // identify, push and ping: inbound, per connection
constexpr Duration kSmallStreamDeadline = 10s;
constexpr Duration kPingStreamIdle = 60s;

template <class Role>
std::size_t count_inbound(const Link& link) {
  return static_cast<std::size_t>(std::count_if(link.streams.begin(), link.streams.end(), [](const auto& entry) {
    return entry.second.direction == Direction::inbound && std::holds_alternative<Role>(entry.second.role);
  }));
}

}  // namespace

void Host::dispatch(Link& link, ConnectionEvent&& event, Now now) {
  if (auto* peer = std::get_if<ConnectionAuthenticated>(&event)) {
    authenticated(link, peer->peer, now);
  } else if (auto* up = std::get_if<ConnectionReady>(&event)) {
    ready(link, up->early_muxer, now);
  } else if (auto* theirs = std::get_if<StreamAccepted>(&event)) {
    stream_accepted(link, theirs->id, theirs->protocol, now);
  } else if (auto* ours = std::get_if<StreamAgreed>(&event)) {
    stream_agreed(link, ours->id, ours->protocol, now);
  } else if (auto* refused = std::get_if<StreamRefused>(&event)) {
    lose_stream(link, refused->id, refused->reason, now);
  } else if (auto* received = std::get_if<StreamBytes>(&event)) {
    stream_bytes(link, received->id, std::move(received->bytes), now);
  } else if (auto* finished = std::get_if<StreamRemoteFinished>(&event)) {
    stream_remote_finished(link, finished->id, now);
  } else if (auto* gone = std::get_if<StreamGone>(&event)) {
    lose_stream(link, gone->id, gone->reason, now);
  }
}

void Host::stream_accepted(Link& link, StreamId id, const std::string& protocol, Now now) {
  auto role = role_for(link, protocol);
  ProtocolCounters& counted = counters_of(protocol);
  if (!role) {
    ++counted.refused;
    ++link.traffic.streams_refused;
    link.connection->reset(id);
    return;
  }
  ++counted.streams_in;
  ++link.traffic.streams_in;
  Stream& stream = link.streams.emplace(id, Stream{std::move(*role), protocol}).first->second;
  if (std::holds_alternative<PubsubIn>(stream.role)) {
    pubsub_accepted(link, id, now);
  } else if (std::holds_alternative<PingServe>(stream.role)) {
    stream.deadline = now.instant + kPingStreamIdle;
  } else if (std::holds_alternative<ServiceStream>(stream.role)) {
    stream.deadline = now.instant + find_service(protocol)->idle_max;
    effects_.events.emplace_back(ServiceOpened{{link.id, id}, *link.peer, protocol, Direction::inbound});
  } else {
    stream.deadline = now.instant + kSmallStreamDeadline;
    if (std::holds_alternative<IdentifyServe>(stream.role)) {
      queue(link, id, identify_frame(link));
      finish_after_queue(link, id);
    }
  }
}

// Nothing: over the limit of its protocol, or not for this peer.
std::optional<StreamRole> Host::role_for(Link& link, const std::string& protocol) {
  if (protocol == kIdentifyProtocol) {
    return count_inbound<IdentifyServe>(link) < kSmallStreamsMax ? std::optional<StreamRole>(IdentifyServe{})
                                                                 : std::nullopt;
  }
  if (protocol == kIdentifyPushProtocol) {
    return count_inbound<PushReceive>(link) < kSmallStreamsMax ? std::optional<StreamRole>(PushReceive{})
                                                               : std::nullopt;
  }
  if (protocol == kPingProtocol) {
    return count_inbound<PingServe>(link) < kPingInboundStreamsMax ? std::optional<StreamRole>(PingServe{})
                                                                   : std::nullopt;
  }
  if (const Service* service = find_service(protocol)) {
    const auto same = std::count_if(link.streams.begin(), link.streams.end(), [&](const auto& entry) {
      const auto* stream = std::get_if<ServiceStream>(&entry.second.role);
      return stream != nullptr && entry.second.direction == Direction::inbound && stream->protocol == protocol;
    });
    if (!service->allowed.contains(class_of(*link.peer))) return std::nullopt;
    if (static_cast<std::size_t>(same) >= service->inbound_per_peer_max) return std::nullopt;
    return ServiceStream{protocol};
  }
  return PubsubIn{};
}

void Host::stream_agreed(Link& link, StreamId id, const std::string& protocol, Now now) {
  const auto at = link.streams.find(id);
  if (at == link.streams.end()) return;
  Stream& stream = at->second;
  stream.agreed = true;
  stream.protocol = protocol;
  ++counters_of(protocol).streams_out;
  ++link.traffic.streams_out;
  if (auto* probe = std::get_if<PingProbe>(&stream.role)) {
    probe->sent_at = now.instant;
    queue(link, id, probe->payload);
    finish_after_queue(link, id);
  } else if (std::holds_alternative<PushSend>(stream.role)) {
    queue(link, id, identify_frame(link));
    finish_after_queue(link, id);
  } else if (std::holds_alternative<PubsubOut>(stream.role)) {
    pubsub_agreed(link, id, protocol, now);
  } else if (std::holds_alternative<ServiceStream>(stream.role)) {
    effects_.events.emplace_back(ServiceOpened{{link.id, id}, *link.peer, protocol, Direction::outbound});
  }
}

void Host::stream_bytes(Link& link, StreamId id, Bytes&& bytes, Now now) {
  const auto at = link.streams.find(id);
  const std::size_t size = bytes.size();
  if (at == link.streams.end()) {
    link.connection->consumed(id, size);
    return;
  }
  counters_of(at->second.protocol).bytes_in += size;
  StreamRole& role = at->second.role;
  if (std::holds_alternative<ServiceStream>(role)) {
    at->second.deadline = now.instant + find_service(std::get<ServiceStream>(role).protocol)->idle_max;
    effects_.events.emplace_back(ServiceBytes{{link.id, id}, std::move(bytes)});
    return;
  }
  link.connection->consumed(id, size);
  if (auto* fetch = std::get_if<IdentifyFetch>(&role)) {
    if (auto fed = fetch->reader.feed(bytes); !fed) reset_stream(link, id, fed.error().message, now);
  } else if (auto* push = std::get_if<PushReceive>(&role)) {
    if (auto fed = push->reader.feed(bytes); !fed) reset_stream(link, id, fed.error().message, now);
  } else if (auto* ping = std::get_if<PingServe>(&role)) {
    at->second.deadline = now.instant + kPingStreamIdle;
    serve_ping(link, id, *ping, bytes, now);
  } else if (auto* probe = std::get_if<PingProbe>(&role)) {
    probe_echoed(link, id, *probe, bytes, now);
  } else if (std::holds_alternative<PubsubIn>(role)) {
    pubsub_bytes(link, id, std::move(bytes), now);
  }
  // What arrives on streams that only we write to (identify answers, pushes, our pubsub stream) means nothing.
}

void Host::stream_remote_finished(Link& link, StreamId id, Now now) {
  const auto at = link.streams.find(id);
  if (at == link.streams.end()) return;
  StreamRole& role = at->second.role;
  if (auto* fetch = std::get_if<IdentifyFetch>(&role)) {
    auto message = fetch->reader.finish();
    end_stream(link, id, now);
    identified(link, std::move(message), now);
  } else if (auto* push = std::get_if<PushReceive>(&role)) {
    auto message = push->reader.finish();
    end_stream(link, id, now);
    push_received(link, std::move(message), now);
  } else if (std::holds_alternative<PingServe>(role)) {
    end_stream(link, id, now);
  } else if (std::holds_alternative<PingProbe>(role)) {
    end_stream(link, id, now);
    probe_failed(link, "the peer finished the stream before it answered", now);
  } else if (std::holds_alternative<PubsubIn>(role)) {
    end_stream(link, id, now);
    pubsub_in_lost(link, id);
  } else if (std::holds_alternative<ServiceStream>(role)) {
    effects_.events.emplace_back(ServiceRemoteFinished{{link.id, id}});
  }
}

void Host::lose_stream(Link& link, StreamId id, const std::string& reason, Now now) {
  const auto at = link.streams.find(id);
  if (at == link.streams.end()) return;
  const Stream stream = std::move(at->second);
  link.streams.erase(at);
  const StreamRole& role = stream.role;
  const bool clean = reason.empty();
  if (std::holds_alternative<IdentifyFetch>(role)) {
    if (!clean) identified(link, error("identify: " + reason), now);
  } else if (std::holds_alternative<PushSend>(role)) {
    const auto neighbour = neighbours_.find(*link.peer);
    if (neighbour != neighbours_.end() && std::exchange(neighbour->second.push_again, false)) {
      push_to(neighbour->first, neighbour->second, now);
    }
  } else if (std::holds_alternative<PingProbe>(role)) {
    probe_failed(link, clean ? "the stream ended" : reason, now);
  } else if (std::holds_alternative<PubsubIn>(role)) {
    pubsub_in_lost(link, id);
  } else if (std::holds_alternative<PubsubOut>(role)) {
    pubsub_out_lost(link, id, now);
  } else if (std::holds_alternative<ServiceStream>(role)) {
    effects_.events.emplace_back(ServiceGone{{link.id, id}, reason});
  }
}

void Host::reset_stream(Link& link, StreamId id, const std::string& reason, Now now) {
  link.connection->reset(id);
  dirty_.insert(link.id);
  lose_stream(link, id, reason, now);
}

std::optional<StreamKey> Host::open(Link& link, std::vector<std::string> proposals, StreamRole role,
                                    std::optional<Instant> deadline, Now now) {
  auto id = link.connection->open_stream(std::move(proposals), now);
  if (!id) return std::nullopt;
  link.streams.emplace(*id, Stream{.role = std::move(role),
                                   .direction = Direction::outbound,
                                   .agreed = false,
                                   .unsent = {},
                                   .deadline = deadline});
  dirty_.insert(link.id);
  return StreamKey{link.id, *id};
}

void Host::queue(Link& link, StreamId id, ByteView bytes) {
  Stream& stream = link.streams.at(id);
  counters_of(stream.protocol).bytes_out += bytes.size();
  append(stream.unsent, bytes);
  dirty_.insert(link.id);
}

void Host::finish_after_queue(Link& link, StreamId id) {
  link.streams.at(id).finishing = true;
  dirty_.insert(link.id);
}

void Host::end_stream(Link& link, StreamId id, Now now) {
  Stream& stream = link.streams.at(id);
  stream.role = Ending{};
  stream.deadline = now.instant + kSmallStreamDeadline;
  finish_after_queue(link, id);
}

}  // namespace kms::net
