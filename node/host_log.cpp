#include "node/host_log.h"

#include <cmath>

namespace kms::node {
namespace {

constexpr std::size_t kDetailBytesMax = 200;

std::string short_text(const net::PeerId& peer) {
  std::string text = peer.text();
  return text.size() > 12 ? ".." + text.substr(text.size() - 8) : text;
}

std::string reason_text(const net::CloseCause& cause) {
  return std::string(net::name_of(cause.reason)) + (cause.text.empty() ? "" : ": " + cause.text);
}

// `kind`: one of a few of ours; `detail` may hold text of a stranger.
LogLine limited(const std::string& kind, const std::string& from, const std::string& detail) {
  std::string text = kind + " from " + from;
  if (!detail.empty()) text += ": " + detail.substr(0, kDetailBytesMax);
  return {LogLevel::info, std::move(text), kind};
}

// What members lost is told with PeerDisconnected.
std::vector<LogLine> lines_of(const net::ConnectionClosed& closed, const StandingOf& standing_of) {
  std::vector<LogLine> out;
  const bool is_member = closed.peer && standing_of(*closed.peer) == Standing::member;
  const bool is_normal = closed.peer && (closed.cause.reason == net::CloseReason::remote_closed ||
                                         closed.cause.reason == net::CloseReason::requested);
  if (!is_member && !is_normal && closed.direction == net::Direction::inbound) {
    const std::string kind = "p2p: closed a connection (" + std::string(net::name_of(closed.cause.reason)) + ")";
    out.push_back(limited(kind, closed.remote.text(), closed.cause.text));
  }
  const std::string who = closed.peer ? closed.peer->text() : "unknown peer";
  out.push_back(
      {LogLevel::debug, "p2p: closed " + closed.remote.text() + " (" + who + "): " + reason_text(closed.cause)});
  return out;
}

std::vector<LogLine> lines_of(const net::PubsubEvent& event) {
  if (const auto* refused = std::get_if<net::MessageRefused>(&event)) {
    if (refused->reason == net::Refusal::duplicate) return {};
    return {{LogLevel::debug, "p2p: refused a message of " + short_text(refused->peer) + ": " +
                                  std::string(net::refusal_text(refused->reason)) + " " + refused->detail}};
  }
  if (const auto* graylisted = std::get_if<net::PeerGraylisted>(&event)) {
    return {limited("p2p: heeds nothing on pubsub until its score rises", graylisted->peer.text(),
                    "score " + std::to_string(std::lround(graylisted->score)))};
  }
  return {};
}

}  // namespace

std::vector<LogLine> log_lines(const net::HostEvent& event, const StandingOf& standing_of) {
  if (const auto* closed = std::get_if<net::ConnectionClosed>(&event)) return lines_of(*closed, standing_of);
  if (const auto* pubsub = std::get_if<net::PubsubEvent>(&event)) return lines_of(*pubsub);
  if (const auto* connected = std::get_if<net::PeerConnected>(&event)) {
    const bool is_member = standing_of(connected->peer) == Standing::member;
    const std::string kind = is_member ? "p2p: connected to member" : "p2p: connected to light client";
    return {{LogLevel::info, kind + " " + connected->peer.text(), is_member ? std::string() : kind}};
  }
  if (const auto* gone = std::get_if<net::PeerDisconnected>(&event)) {
    const std::string text = gone->peer.text() + ": " + reason_text(gone->cause);
    if (standing_of(gone->peer) == Standing::member) return {{LogLevel::info, "p2p: lost " + text}};
    const std::string kind = "p2p: lost light client (" + std::string(net::name_of(gone->cause.reason)) + ")";
    return {{LogLevel::info, "p2p: lost light client " + text, kind}};
  }
  return {};
}

}  // namespace kms::node
