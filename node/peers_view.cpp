#include "node/peers_view.h"

#include <algorithm>

#include <boost/json/array.hpp>

#include "node/api.h"
#include "node/metrics.h"

namespace kms::node {

namespace json = boost::json;

namespace {

std::string name_in(const PeerNames& names, const net::PeerId& peer) {
  const auto at = names.find(peer);
  return at == names.end() ? "" : at->second;
}

void put_traffic(json::object& out, const net::PeerTraffic& traffic) {
  out["bytesIn"] = traffic.bytes_in;
  out["bytesOut"] = traffic.bytes_out;
  out["streamsIn"] = traffic.streams_in;
  out["streamsOut"] = traffic.streams_out;
  out["streamsRefused"] = traffic.streams_refused;
  out["messagesIn"] = traffic.messages_in;
  out["messagesRefused"] = traffic.messages_refused;
}

std::int64_t seconds_since(std::int64_t unix_ms, Now now) {
  return std::max<std::int64_t>(0, (now.unix_ms - unix_ms) / 1000);
}

json::object connected_row(const net::PeerView& peer, const std::string& name, Now now) {
  json::object out;
  out["name"] = name;
  out["peerId"] = peer.peer.text();
  out["class"] = net::name_of(peer.peer_class);
  out["connected"] = true;
  if (!name.empty()) out["address"] = peer.remote.text();
  out["direction"] = peer.direction == net::Direction::outbound ? "outbound" : "inbound";
  out["agent"] = peer.agent_version;
  if (peer.round_trip) out["roundTripMs"] = static_cast<double>(peer.round_trip->count()) / 1000.0;
  out["connectedSince"] = rfc3339(peer.connected_unix_ms);
  out["connectedSeconds"] = seconds_since(peer.connected_unix_ms, now);
  out["pubsub"] = peer.has_pubsub;
  out["score"] = peer.score;
  out["streams"] = peer.streams;
  out["queuedBytes"] = peer.queued_bytes;
  put_traffic(out, peer.traffic);
  return out;
}

json::object away_row(const net::AwayView& peer, const std::string& name, Now now) {
  json::object out;
  out["name"] = name;
  out["peerId"] = peer.peer.text();
  out["class"] = net::name_of(peer.peer_class);
  out["connected"] = false;
  put_traffic(out, peer.traffic);
  if (!peer.last_close) return out;
  json::object close;
  close["reason"] = net::name_of(peer.last_close->cause.reason);
  close["text"] = peer.last_close->cause.text;
  close["at"] = rfc3339(peer.last_close->unix_ms);
  close["secondsAgo"] = seconds_since(peer.last_close->unix_ms, now);
  out["lastClose"] = std::move(close);
  return out;
}

}  // namespace

json::object peers_view(const PeersSeen& seen, Now now) {
  std::vector<std::pair<std::string, json::object>> rows;
  const auto key_of = [](const std::string& name, const net::PeerId& peer) {
    return (name.empty() ? "1" : "0" + name + " ") + peer.text();
  };
  for (const net::PeerView& peer : seen.peers) {
    const std::string name = name_in(seen.names, peer.peer);
    rows.emplace_back(key_of(name, peer.peer), connected_row(peer, name, now));
  }
  for (const net::AwayView& peer : seen.away) {
    const std::string name = name_in(seen.names, peer.peer);
    rows.emplace_back(key_of(name, peer.peer), away_row(peer, name, now));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  json::array list;
  for (auto& [key, row] : rows) list.push_back(std::move(row));
  json::object out;
  out["network"] = seen.network;
  out["name"] = seen.self;
  out["peers"] = std::move(list);
  return out;
}

namespace {

struct PeerSeries {
  std::string_view name, type, what;
  std::uint64_t (*value)(const net::PeerTraffic&);
};
constexpr PeerSeries kPeerSeries[] = {
    {"kms_p2p_peer_bytes_in_total", "counter", "Bytes received from a member, upgrades included",
     [](const net::PeerTraffic& traffic) { return traffic.bytes_in; }},
    {"kms_p2p_peer_bytes_out_total", "counter", "Bytes sent to a member",
     [](const net::PeerTraffic& traffic) { return traffic.bytes_out; }},
    {"kms_p2p_peer_streams_in_total", "counter", "Streams a member opened",
     [](const net::PeerTraffic& traffic) { return traffic.streams_in; }},
    {"kms_p2p_peer_streams_refused_total", "counter", "Streams refused to a member",
     [](const net::PeerTraffic& traffic) { return traffic.streams_refused; }},
    {"kms_p2p_peer_messages_in_total", "counter", "Gossip messages that a member was the first to bring",
     [](const net::PeerTraffic& traffic) { return traffic.messages_in; }},
    {"kms_p2p_peer_messages_refused_total", "counter", "Gossip messages of a member that were not accepted",
     [](const net::PeerTraffic& traffic) { return traffic.messages_refused; }},
};

void write_per_member(MetricsText& text, const PeersSeen& seen) {
  for (const PeerSeries& series : kPeerSeries) {
    text.family(series.name, series.type, series.what);
    const auto write = [&](const net::PeerId& peer, const net::PeerTraffic& traffic) {
      const std::string name = name_in(seen.names, peer);
      if (!name.empty()) text.value(series.name, "peer", name, series.value(traffic));
    };
    for (const net::PeerView& peer : seen.peers) write(peer.peer, peer.traffic);
    for (const net::AwayView& peer : seen.away) write(peer.peer, peer.traffic);
  }
  text.family("kms_p2p_peer_connected", "gauge", "1 while a member is connected");
  text.family("kms_p2p_peer_round_trip_microseconds", "gauge", "Last round trip to a member");
  for (const net::PeerView& peer : seen.peers) {
    const std::string name = name_in(seen.names, peer.peer);
    if (name.empty()) continue;
    text.value("kms_p2p_peer_connected", "peer", name, 1);
    if (peer.round_trip) {
      text.value("kms_p2p_peer_round_trip_microseconds", "peer", name,
                 static_cast<std::uint64_t>(peer.round_trip->count()));
    }
  }
  for (const net::AwayView& peer : seen.away) {
    const std::string name = name_in(seen.names, peer.peer);
    if (!name.empty()) text.value("kms_p2p_peer_connected", "peer", name, 0);
  }
}

void write_per_protocol(MetricsText& text, const net::HostCounters& counters) {
  struct Series {
    std::string_view name, what;
    std::uint64_t net::ProtocolCounters::*value;
  };
  static constexpr Series kSeries[] = {
      {"kms_p2p_protocol_bytes_in_total", "Bytes received on streams, by protocol", &net::ProtocolCounters::bytes_in},
      {"kms_p2p_protocol_bytes_out_total", "Bytes given to streams, by protocol", &net::ProtocolCounters::bytes_out},
      {"kms_p2p_protocol_streams_in_total", "Streams of others, by protocol", &net::ProtocolCounters::streams_in},
      {"kms_p2p_protocol_streams_out_total", "Streams of ours, by protocol", &net::ProtocolCounters::streams_out},
      {"kms_p2p_protocol_streams_refused_total", "Streams of others over a limit or not for their class, by protocol",
       &net::ProtocolCounters::refused}};
  for (const Series& series : kSeries) {
    text.family(series.name, "counter", series.what);
    for (const auto& [protocol, count] : counters.protocols) {
      text.value(series.name, "protocol", protocol, count.*series.value);
    }
  }
}

}  // namespace

std::string peer_metrics(const PeersSeen& seen, const net::HostCounters& counters) {
  MetricsText text;
  text.family("kms_p2p_connections_opened_total", "counter", "Upgraded connections, by who dialled");
  text.value("kms_p2p_connections_opened_total", "direction", "inbound", counters.opened_inbound);
  text.value("kms_p2p_connections_opened_total", "direction", "outbound", counters.opened_outbound);
  text.family("kms_p2p_connections_closed_total", "counter",
              "Connections that ended, attempts and refusals included, by reason");
  for (std::size_t i = 0; i < net::kCloseReasons; ++i) {
    text.value("kms_p2p_connections_closed_total", "reason", net::name_of(static_cast<net::CloseReason>(i)),
               counters.closed[i]);
  }
  text.family("kms_p2p_peers", "gauge", "Connected peers, by class");
  for (const net::PeerClass peer_class : net::kPeerClasses) {
    const auto count = std::count_if(seen.peers.begin(), seen.peers.end(),
                                     [peer_class](const net::PeerView& peer) { return peer.peer_class == peer_class; });
    text.value("kms_p2p_peers", "class", net::name_of(peer_class), static_cast<std::uint64_t>(count));
  }
  const auto stalled =
      std::count_if(seen.peers.begin(), seen.peers.end(), [](const net::PeerView& peer) { return peer.is_stalled; });
  text.gauge("kms_p2p_pubsub_stalled", "Peers whose gossip stream has messages waiting and grants no credit",
             static_cast<std::size_t>(stalled));
  text.counters({{"kms_p2p_pubsub_stalls_total", "Gossip streams reset because the peer granted no credit for 20 s",
                  counters.pubsub_stalls}});
  text.gauge("kms_p2p_queued_bytes_peak", "Most bytes that ever waited on all connections together",
             static_cast<double>(counters.queued_bytes_peak));
  write_per_protocol(text, counters);
  write_per_member(text, seen);
  return text.take();
}

}  // namespace kms::node
