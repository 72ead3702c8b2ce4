#include <algorithm>
#include <utility>

#include "net/host.h"

namespace kms::net {

namespace {

struct Meshsub {
  std::string_view protocol;
  MeshsubVersion version;
};
constexpr Meshsub kMeshsub[] = {{"/meshsub/1.2.0", MeshsubVersion::v1_2},
                                {"/meshsub/1.1.0", MeshsubVersion::v1_1},
                                {"/meshsub/1.0.0", MeshsubVersion::v1_0}};
constexpr std::uint32_t kPubsubWindow = 1 << 20;  // one whole RPC without waiting for credit
constexpr std::size_t kPubsubInboundMax = 2;      // per peer; the newest win

MeshsubVersion version_of(std::string_view protocol) {
  for (const auto& meshsub : kMeshsub) {
    if (meshsub.protocol == protocol) return meshsub.version;
  }
  return MeshsubVersion::v1_0;
}

Duration retry_delay(std::uint32_t failures) {
  return Duration(1s) * (1 << std::min<std::uint32_t>(failures, 5));
}

}  // namespace

std::vector<std::string> Host::meshsub_protocols() const {
  std::vector<std::string> out;
  for (const auto& meshsub : kMeshsub) {
    if (meshsub.version <= options_.meshsub_max) out.emplace_back(meshsub.protocol);
  }
  return out;
}

Result<void> Host::subscribe(std::string_view topic, Now now) {
  auto effects = router_.subscribe(topic, now);
  if (!effects) return effects.error();
  absorb(std::move(*effects), now);
  settle(now);
  return {};
}

void Host::unsubscribe(std::string_view topic, Now now) {
  absorb(router_.unsubscribe(topic, now), now);
  settle(now);
}

Result<Host::Published> Host::publish(std::string_view topic, Bytes payload, Now now) {
  auto published = router_.publish(topic, std::move(payload), now);
  if (!published) return published.error();
  absorb(std::move(published->effects), now);
  settle(now);
  return Published{std::move(published->id), published->peers};
}

void Host::validated(const MessageId& id, Verdict verdict, Now now) {
  absorb(router_.validated(id, verdict, now), now);
  settle(now);
}

void Host::absorb(PubsubEffects&& effects, Now now) {
  for (const PeerId& peer : effects.writable) {
    const auto at = neighbours_.find(peer);
    if (at != neighbours_.end() && at->second.pubsub_out) dirty_.insert(at->second.pubsub_out->connection);
  }
  for (auto& delivery : effects.deliver) {
    const auto from = neighbours_.find(delivery.received_from);
    if (from != neighbours_.end()) ++from->second.traffic.messages_in;
    effects_.events.emplace_back(std::move(delivery));
  }
  for (auto& event : effects.events) {
    if (const auto* refused = std::get_if<MessageRefused>(&event)) {
      const auto from = neighbours_.find(refused->peer);
      if (from != neighbours_.end()) ++from->second.traffic.messages_refused;
    }
    if (const auto* broken = std::get_if<PeerBrokeWire>(&event)) {
      if (const auto at = neighbours_.find(broken->peer); at != neighbours_.end()) {
        for (const StreamKey key : std::vector<StreamKey>(at->second.pubsub_in)) {
          reset_stream(links_.at(key.connection), key.stream, broken->reason, now);
        }
      }
    }
    effects_.events.emplace_back(std::move(event));
  }
}

// Sees to it that our one outbound stream is on the preferred connection, or on its way there.
void Host::refresh_pubsub(const PeerId& peer, Neighbour& neighbour, Now now) {
  if (!neighbour.is_identified || neighbour.pubsub_next || !neighbour.identify.protocols) return;
  const ConnectionId wanted = preferred_connection(peer, neighbour);
  if (neighbour.pubsub_out && neighbour.pubsub_out->connection == wanted) return;
  if (neighbour.pubsub_failures > 0 && now.instant < neighbour.pubsub_retry_at) return;
  const auto& theirs = *neighbour.identify.protocols;
  auto proposals = meshsub_protocols();
  const bool speaks = std::any_of(proposals.begin(), proposals.end(), [&](const std::string& protocol) {
    return std::find(theirs.begin(), theirs.end(), protocol) != theirs.end();
  });
  if (!speaks) return;
  neighbour.pubsub_next = open(links_.at(wanted), std::move(proposals), PubsubOut{}, std::nullopt, now);
}

void Host::pubsub_agreed(Link& link, StreamId id, const std::string& protocol, Now now) {
  Neighbour& neighbour = neighbours_.at(*link.peer);
  neighbour.pubsub_next.reset();
  neighbour.pubsub_failures = 0;
  if (const auto old = std::exchange(neighbour.pubsub_out, std::nullopt)) {
    Link& old_link = links_.at(old->connection);
    queue(old_link, old->stream, ByteView(neighbour.frame).subspan(neighbour.frame_sent));
    end_stream(old_link, old->stream, now);
  }
  neighbour.frame.clear();
  neighbour.frame_sent = 0;
  neighbour.pubsub_out = StreamKey{link.id, id};
  neighbour.pubsub_queued = neighbour.pubsub_left = 0;
  neighbour.pubsub_stalled_at.reset();
  dirty_.insert(link.id);
  absorb(router_.outbound_opened(*link.peer, version_of(protocol), now), now);
}

void Host::pubsub_out_lost(Link& link, StreamId id, Now now) {
  const auto at = neighbours_.find(*link.peer);
  if (at == neighbours_.end()) return;
  Neighbour& neighbour = at->second;
  const StreamKey key{link.id, id};
  if (neighbour.pubsub_next == key) {
    neighbour.pubsub_next.reset();
  } else if (neighbour.pubsub_out == key) {
    neighbour.pubsub_out.reset();
    neighbour.pubsub_stalled_at.reset();
    neighbour.frame.clear();
    neighbour.frame_sent = 0;
    router_.outbound_closed(at->first);
  } else {
    return;
  }
  neighbour.pubsub_retry_at = now.instant + retry_delay(neighbour.pubsub_failures);
  ++neighbour.pubsub_failures;
}

void Host::pubsub_accepted(Link& link, StreamId id, Now now) {
  link.connection->grow_window(id, kPubsubWindow);
  Neighbour& neighbour = neighbours_.at(*link.peer);
  neighbour.pubsub_in.push_back({link.id, id});
  if (neighbour.pubsub_in.size() > kPubsubInboundMax) {
    const StreamKey oldest = neighbour.pubsub_in.front();
    reset_stream(links_.at(oldest.connection), oldest.stream, "newer pubsub streams replace it", now);
  }
}

void Host::pubsub_bytes(Link& link, StreamId id, Bytes&& bytes, Now now) {
  const auto frames_of = [&]() -> RpcFrames* {
    const auto at = link.streams.find(id);
    return at == link.streams.end() ? nullptr : &std::get<PubsubIn>(at->second.role).frames;
  };
  RpcFrames* frames = frames_of();
  if (auto fed = frames->feed(bytes); !fed) {
    effects_.events.emplace_back(PubsubEvent{PeerBrokeWire{*link.peer, fed.error().message}});
    reset_stream(link, id, fed.error().message, now);
    return;
  }
  // An RPC that breaks the rules resets the stream while we read it.
  for (; frames != nullptr; frames = frames_of()) {
    const auto body = frames->next();
    if (!body) return;
    absorb(router_.received(*link.peer, *body, now), now);
  }
}

void Host::pubsub_in_lost(Link& link, StreamId id) {
  const auto at = neighbours_.find(*link.peer);
  if (at == neighbours_.end()) return;
  std::erase(at->second.pubsub_in, StreamKey{link.id, id});
  if (at->second.pubsub_in.empty()) router_.inbound_closed(at->first);
}

const Neighbour* Host::pubsub_writer_of(const Link& link) const {
  if (!link.is_ready) return nullptr;
  const auto at = neighbours_.find(*link.peer);
  const bool is_here = at != neighbours_.end() && at->second.pubsub_out && at->second.pubsub_out->connection == link.id;
  return is_here ? &at->second : nullptr;
}

Neighbour* Host::pubsub_writer_of(const Link& link) {
  return const_cast<Neighbour*>(std::as_const(*this).pubsub_writer_of(link));
}

// Moves RPCs from the router's queue into the stream; true if anything moved.
bool Host::fill_pubsub(Link& link) {
  Neighbour* writer = pubsub_writer_of(link);
  if (writer == nullptr) return false;
  Neighbour& neighbour = *writer;
  bool moved = false;
  for (;;) {
    if (neighbour.frame_sent == neighbour.frame.size()) {
      if (link.connection->room(neighbour.pubsub_out->stream) == 0) return moved;
      auto next = router_.next_frame(*link.peer);
      neighbour.frame = next ? std::move(*next) : Bytes{};
      neighbour.frame_sent = 0;
      if (!next) return moved;
    }
    const auto rest = ByteView(neighbour.frame).subspan(neighbour.frame_sent);
    const std::size_t taken = link.connection->send(neighbour.pubsub_out->stream, rest);
    if (taken == 0) return moved;
    neighbour.frame_sent += taken;
    neighbour.pubsub_queued += taken;
    counters_of(link.streams.at(neighbour.pubsub_out->stream).protocol).bytes_out += taken;
    moved = true;
  }
}

// A link that is slow as a whole is no stall: there the stream has credit and waits for its turn.
void Host::note_pubsub_progress(const Link& link, Now now) {
  Neighbour* writer = pubsub_writer_of(link);
  if (writer == nullptr) return;
  const StreamId id = writer->pubsub_out->stream;
  const std::uint64_t left = writer->pubsub_queued - link.connection->pending(id);
  const bool has_moved = std::exchange(writer->pubsub_left, left) != left;
  if (!link.connection->waits_for_credit(id)) {
    writer->pubsub_stalled_at.reset();
  } else if (has_moved || !writer->pubsub_stalled_at) {
    writer->pubsub_stalled_at = now.instant;
  }
}

// What waited is lost with the stream, and the router announces it again on the next one.
void Host::reset_stalled_pubsub(Link& link, Now now) {
  const Neighbour* writer = pubsub_writer_of(link);
  if (writer == nullptr || !writer->pubsub_stalled_at) return;
  if (now.instant - *writer->pubsub_stalled_at < options_.pubsub_stall_max) return;
  ++counters_.pubsub_stalls;
  reset_stream(link, writer->pubsub_out->stream, "the peer grants no credit on our pubsub stream", now);
}

}  // namespace kms::net
