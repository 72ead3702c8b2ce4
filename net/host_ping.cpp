#include <algorithm>

#include "net/host.h"

namespace kms::net {

namespace {

constexpr std::size_t kEchoQueueMax = 64 * 1024;
constexpr std::size_t kPingsAskedMax = 16;
constexpr Duration kProbeTimeout = 10s;

}  // namespace

// Whole blocks come back, also after the remote's FIN; the end of the stream is answered by stream_remote_finished.
void Host::serve_ping(Link& link, StreamId id, PingServe& ping, ByteView bytes, Now now) {
  append(ping.partial, bytes);
  const std::size_t whole = ping.partial.size() / kPingBytes * kPingBytes;
  if (link.streams.at(id).unsent_size() + whole > kEchoQueueMax) {
    reset_stream(link, id, "pings faster than it reads the answers", now);
    return;
  }
  queue(link, id, ByteView(ping.partial).first(whole));
  ping.partial.erase(ping.partial.begin(), ping.partial.begin() + static_cast<std::ptrdiff_t>(whole));
}

bool Host::ping(const PeerId& peer, Now now) {
  const auto at = neighbours_.find(peer);
  if (at == neighbours_.end() || at->second.pings_asked >= kPingsAskedMax) return false;
  ++at->second.pings_asked;
  if (!at->second.ping) start_probe(peer, at->second, now);
  settle(now);
  return true;
}

void Host::start_probe(const PeerId& peer, Neighbour& neighbour, Now now) {
  neighbour.ping_at = now.instant + std::max<Duration>(options_.ping_interval, 1s);
  if (neighbour.ping) return;
  Link& link = links_.at(preferred_connection(peer, neighbour));
  PingProbe probe{entropy_.array<kPingBytes>(), {}, now.instant};
  neighbour.ping = open(link, {std::string(kPingProtocol)}, std::move(probe), now.instant + kProbeTimeout, now);
  if (!neighbour.ping) neighbour.pings_asked = 0;
}

void Host::probe_echoed(Link& link, StreamId id, PingProbe& probe, ByteView bytes, Now now) {
  append(probe.echoed, bytes.first(std::min(bytes.size(), kPingBytes + 1)));
  if (probe.echoed.size() < kPingBytes) return;
  if (!equal(probe.echoed, probe.payload)) {
    reset_stream(link, id, "the answer to our ping differs from it", now);
    return;
  }
  const Duration round_trip = now.instant - probe.sent_at;
  end_stream(link, id, now);
  const auto at = neighbours_.find(*link.peer);
  if (at != neighbours_.end()) at->second.round_trip = round_trip;
  effects_.events.emplace_back(PingAnswered{*link.peer, round_trip});
  next_probe(*link.peer, now);
}

void Host::probe_failed(Link& link, std::string reason, Now now) {
  effects_.events.emplace_back(PingFailed{*link.peer, std::move(reason)});
  next_probe(*link.peer, now);
}

void Host::next_probe(const PeerId& peer, Now now) {
  const auto at = neighbours_.find(peer);
  if (at == neighbours_.end()) return;
  at->second.ping.reset();
  if (at->second.pings_asked > 0) --at->second.pings_asked;
  if (at->second.connections.empty()) {
    for (; at->second.pings_asked > 0; --at->second.pings_asked) {
      effects_.events.emplace_back(PingFailed{peer, "the connection ended"});
    }
  }
  if (at->second.pings_asked > 0) start_probe(peer, at->second, now);
}

}  // namespace kms::net
