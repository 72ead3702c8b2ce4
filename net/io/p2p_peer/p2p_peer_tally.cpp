#include "net/io/p2p_peer/p2p_peer_tally.h"

#include <algorithm>

namespace kms::net::io {

std::vector<std::string> P2pPeerTally::unmet(const P2pPeerOptions& options) const {
  std::vector<std::string> out;
  const auto need = [&](std::optional<std::size_t> wanted, std::size_t seen, const std::string& what) {
    if (wanted && seen < *wanted) out.push_back(what + ": " + std::to_string(seen) + " of " + std::to_string(*wanted));
  };
  need(options.expect, messages, "messages");
  if (options.expect_exactly && messages != *options.expect_exactly) {
    out.push_back("messages: " + std::to_string(messages) + ", not exactly " + std::to_string(*options.expect_exactly));
  }
  for (const auto& text : options.expect_data) {
    if (!payloads.contains(to_bytes(as_bytes(text)))) out.push_back("no message \"" + text + "\"");
  }
  for (const auto& author : wrong_authors) out.push_back("messages from " + author);
  need(options.expect_peers, peers.size(), "peers");
  need(options.expect_identify, identified.size(), "identified");
  check_identified(options, out);
  need(options.expect_ping, pings, "pings");
  need(options.expect_mesh, mesh.size(), "mesh peers");
  if (options.expects_early_muxer && (early_muxer.empty() || !no_early_muxer.empty())) {
    out.emplace_back("a peer offered no muxer in Noise");
  }
  for (const auto& [kind, count] : options.expect_rpc) {
    const auto at = rpc.find(kind);
    need(count, at == rpc.end() ? 0 : at->second, "rpc " + kind);
  }
  if (options.expects_dial_failure) {
    need(options.dial.size(), dials_failed, "dials failed");
  } else {
    need(options.dial.size(), dialled, "dialled");
  }
  if (!publishing_is_over) out.push_back("published: " + std::to_string(published));
  return out;
}

void P2pPeerTally::check_identified(const P2pPeerOptions& options, std::vector<std::string>& out) const {
  for (const auto& [peer, known] : identified) {
    for (const auto& protocol : options.expect_protocols) {
      if (std::find(known.protocols.begin(), known.protocols.end(), protocol) == known.protocols.end()) {
        out.push_back(peer.text() + " does not list " + protocol);
      }
    }
    if (options.expect_agent && !std::regex_search(known.agent, std::regex(*options.expect_agent))) {
      out.push_back(peer.text() + " has the agent \"" + known.agent + "\"");
    }
    if (options.expects_record && !known.has_record) out.push_back(peer.text() + " sent no signed peer record");
  }
  const bool needs_one = !options.expect_protocols.empty() || options.expect_agent || options.expects_record;
  if (needs_one && identified.empty()) out.emplace_back("no peer identified");
}

}  // namespace kms::net::io
