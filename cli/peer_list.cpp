#include "cli/peer_list.h"

#include <algorithm>
#include <cstdio>

#include <boost/json/array.hpp>

#include "cli/table.h"
#include "sdk/json_text.h"

namespace kms::cli {
namespace {

namespace json = boost::json;

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string number(double value, const char* unit) {
  char text[40];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f%s" : "%.0f%s", std::clamp(value, 0.0, 1e9), unit);
  return text;
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {" K", " M", " G", " T"};
  if (bytes < 1000) return std::to_string(bytes);
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return number(value, kUnits[unit]);
}

// The two largest units: 2d3h, 5m10s, 7s.
std::string span_text(std::uint64_t seconds) {
  const auto two = [](std::uint64_t big, const char* big_unit, std::uint64_t small, const char* small_unit) {
    return std::to_string(big) + big_unit + (small == 0 ? "" : std::to_string(small) + small_unit);
  };
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (seconds < 3600) return two(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return two(seconds / 3600, "h", seconds / 60 % 60, "m");
  return two(seconds / 86400, "d", seconds / 3600 % 24, "h");
}

// The end of a PeerId tells peers apart; --json has all of it.
std::string short_peer(const std::string& peer) {
  return peer.size() > 12 ? ".." + peer.substr(peer.size() - 8) : peer;
}

std::string state_of(const json::object& peer) {
  if (sdk::flag_in(peer, "connected")) return sdk::flag_in(peer, "pubsub") ? "gossip" : "no gossip yet";
  const json::object* close = sdk::object_in(peer, "lastClose");
  if (close == nullptr) return "away";
  const std::string ago = span_text(sdk::number_in(*close, "secondsAgo").value_or(0));
  const std::string why = sdk::excerpt_in(*close, "text");
  return "away: " + sdk::excerpt_in(*close, "reason") + " " + ago + " ago" + (why.empty() ? "" : ", " + why);
}

std::vector<std::string> row_of(const json::object& peer) {
  const bool is_connected = sdk::flag_in(peer, "connected");
  const auto rtt = sdk::real_in(peer, "roundTripMs");
  const auto score = sdk::real_in(peer, "score");
  return {or_dash(sdk::excerpt_in(peer, "name")),
          or_dash(short_peer(sdk::excerpt_in(peer, "peerId"))),
          or_dash(sdk::excerpt_in(peer, "class")),
          or_dash(sdk::excerpt_in(peer, "address")),
          sdk::excerpt_in(peer, "direction") == "outbound" ? "out"
          : is_connected                                   ? "in"
                                                           : "-",
          rtt ? number(*rtt, "") : "-",
          is_connected ? span_text(sdk::number_in(peer, "connectedSeconds").value_or(0)) : "-",
          bytes_text(sdk::number_in(peer, "bytesIn").value_or(0)),
          bytes_text(sdk::number_in(peer, "bytesOut").value_or(0)),
          score ? std::to_string(static_cast<long>(std::clamp(*score, -1e6, 1e6))) : "-",
          state_of(peer)};
}

std::size_t connected_in(const PeerList& list) {
  return static_cast<std::size_t>(std::count_if(
      list.peers.begin(), list.peers.end(), [](const json::object& peer) { return sdk::flag_in(peer, "connected"); }));
}

}  // namespace

PeerList peers_in(const sdk::NodeUrl& url, const Result<sdk::HttpAnswer>& answer) {
  PeerList list;
  list.url = url;
  if (!answer) {
    list.fault = answer.error().message;
    return list;
  }
  auto body = sdk::parse_object(answer->body, sdk::kListBytesMax, "GET /v1/peers");
  const json::array* peers = body ? sdk::array_in(*body, "peers") : nullptr;
  if (answer->status != 200 || peers == nullptr) {
    list.fault = "GET /v1/peers: " + sdk::refusal_in(*answer);
    return list;
  }
  list.name = sdk::excerpt_in(*body, "name");
  for (const json::value& value : *peers) {
    if (const json::object* peer = value.if_object()) list.peers.push_back(*peer);
  }
  return list;
}

Report peers_report(const std::vector<PeerList>& lists) {
  Report report;
  json::array nodes;
  for (const PeerList& list : lists) {
    if (!report.text.empty()) report.text += "\n";
    json::object node{{"url", list.url.text()}, {"reachable", list.fault.empty()}};
    if (!list.fault.empty()) {
      report.exit = Exit::failed;
      report.text += list.url.text() + ": no answer, " + list.fault + "\n";
      node["error"] = list.fault;
    } else {
      std::vector<std::vector<std::string>> rows = {
          {"PEER", "PEER ID", "CLASS", "ADDRESS", "DIR", "RTT MS", "SINCE", "IN", "OUT", "SCORE", "STATE"}};
      for (const json::object& peer : list.peers) rows.push_back(row_of(peer));
      report.text += (list.name.empty() ? "" : list.name + " at ") + list.url.text() + ": " +
                     std::to_string(connected_in(list)) + " of " + std::to_string(list.peers.size()) +
                     " peers connected\n" + (list.peers.empty() ? "" : table(rows));
      node["name"] = list.name;
      node["peers"] = json::array(list.peers.begin(), list.peers.end());
    }
    nodes.push_back(std::move(node));
  }
  report.json = {{"nodes", std::move(nodes)}};
  return report;
}

}  // namespace kms::cli
