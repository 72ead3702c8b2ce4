#include "node/io/peer_sources.h"

#include <algorithm>

#include "crypto/io/file.h"
#include "node/io/log.h"

namespace kms::node::io {
namespace {

constexpr std::size_t kTextFileMax = 1024 * 1024;

}  // namespace

Result<std::string> read_text(const std::string& path) {
  auto bytes = crypto::io::read_file(path, kTextFileMax);
  if (!bytes) return bytes.error();
  // In place: an Error could be made of a string, too.
  return Result<std::string>(boost::system::in_place_value, as_text(bytes->expose()));
}

// Addresses to dial: the peer list, and what the network file says of the members.
Result<std::vector<net::Multiaddr>> read_peers(const P2pSettings& p2p, const registry::NetworkFile& network,
                                               const net::PeerId& self) {
  std::vector<net::Multiaddr> out = p2p.peers;
  if (p2p.peers_file) {
    auto text = read_text(*p2p.peers_file);
    if (!text) return error("peers file: " + text.error().message);
    auto peers = parse_peers(*text, *p2p.peers_file);
    if (!peers) return peers.error();
    out.insert(out.end(), peers->begin(), peers->end());
  }
  for (const registry::Member& member : network.members()) {
    net::PeerId peer = net::PeerId::of(net::PublicKey::from_secp256k1(member.key));
    if (peer == self) continue;
    for (const std::string& address : member.addresses) {
      bool named = address.find("/p2p/") != std::string::npos;
      auto parsed = net::Multiaddr::parse_text(named ? address : address + "/p2p/" + peer.text());
      if (!parsed) return error("network file: address \"" + address + "\": " + parsed.error().message);
      out.push_back(*parsed);
    }
  }
  return out;
}

Result<PeerClasses> read_classes(const P2pSettings& p2p, const registry::NetworkFile& network) {
  if (!p2p.classes_file) return PeerClasses();
  auto text = read_text(*p2p.classes_file);
  if (!text) return error("classes file: " + text.error().message);
  auto classes = parse_classes(*text, *p2p.classes_file);
  if (!classes) return classes.error();
  for (const registry::Member& member : network.members()) {
    const auto at = classes->find(net::PeerId::of(net::PublicKey::from_secp256k1(member.key)));
    if (at == classes->end()) continue;
    const bool is_denied = at->second == net::PeerClass::denied;
    log(LogLevel::warn, "classes file: " + at->first.text() + " is a member" +
                            (is_denied ? ": denied, so this node works without it" : ", and stays one"));
  }
  return classes;
}

namespace {

Result<void> reload_peers(const PeerSources& sources, const net::PeerId& self, Runtime& runtime) {
  auto peers = read_peers(sources.p2p, sources.network, self);
  if (!peers) return peers.error();
  auto classes = read_classes(sources.p2p, sources.network);
  if (!classes) return classes.error();
  std::string said = "reload: " + std::to_string(peers->size()) + " addresses to dial";
  for (const net::PeerClass one : {net::PeerClass::registered, net::PeerClass::light, net::PeerClass::denied}) {
    const auto count =
        std::count_if(classes->begin(), classes->end(), [one](const auto& entry) { return entry.second == one; });
    said += ", " + std::to_string(count) + " peers " + std::string(net::name_of(one));
  }
  auto taken = runtime.set_peers(std::move(*peers), std::move(*classes));
  if (taken) log(LogLevel::info, said);
  return taken;
}

}  // namespace

void reload(const PeerSources& sources, const net::PeerId& self, Runtime& runtime) {
  if (auto done = reload_peers(sources, self, runtime); !done) {
    log(LogLevel::error, "reload: nothing changed: " + done.error().message);
  }
  auto text = read_text(sources.network_path);
  if (text && to_bytes(as_bytes(*text)) != sources.network.bytes()) {
    log(LogLevel::warn, "reload: the network file has changed; this process stays with the one it was started with");
  }
}

}  // namespace kms::node::io
