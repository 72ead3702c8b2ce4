// Who the peers are, to Runtime: their classes, whom to dial, and what operators are shown of them.
#include "base/io/system_clock.h"
#include "node/api.h"
#include "node/io/log.h"
#include "node/io/runtime_impl.h"

namespace kms::node::io {

using kms::io::system_now;

PeerClasses Runtime::Impl::classes_now() const {
  std::vector<net::PeerId> all;
  for (const auto& [peer, node] : members) all.push_back(peer);
  return classes_of(all, options.classes, identity->peer_id());
}

// Members that are neither denied nor this node.
std::set<net::PeerId> Runtime::Impl::welcome_members() const {
  std::set<net::PeerId> out;
  for (const auto& [peer, peer_class] : classes_now()) {
    if (peer_class == net::PeerClass::committee && peer != identity->peer_id()) out.insert(peer);
  }
  return out;
}

void Runtime::Impl::note_members() {
  members.clear();
  peer_ids.clear();
  for (const auto& [node, known] : core.known_nodes()) {
    net::PeerId peer = net::PeerId::of(net::PublicKey::from_secp256k1(known.key));
    members.emplace(peer, node);
    peer_ids.emplace(node, peer);
  }
  membership = core.membership();
}

std::vector<net::Multiaddr> Runtime::Impl::dialled() const {
  std::vector<net::Multiaddr> out = options.peers;
  std::set<std::string> texts;
  for (const net::Multiaddr& address : out) texts.insert(address.text());
  for (const auto& [node, known] : core.known_nodes()) {
    const net::PeerId& peer = peer_ids.at(node);
    if (peer == identity->peer_id()) continue;
    for (const std::string& text : known.addresses) {
      const bool names_peer = text.find("/p2p/") != std::string::npos;
      auto address = net::Multiaddr::parse_text(names_peer ? text : text + "/p2p/" + peer.text());
      if (address && texts.insert(address->text()).second) out.push_back(*address);
    }
  }
  return out;
}

void Runtime::Impl::renew_members() {
  note_members();
  auto taken = set_peers(options.peers, options.classes);
  if (!taken) log(LogLevel::warn, "p2p: the members' addresses: " + taken.error().message);
}

Result<void> Runtime::Impl::set_peers(std::vector<net::Multiaddr> peers, PeerClasses listed) {
  if (!host || stopping) return {};
  Now now = system_now();
  const auto before = std::exchange(options.peers, std::move(peers));
  auto taken = host->host().set_peers(dialled(), now);
  if (!taken) {
    options.peers = before;
    return taken;
  }
  options.classes = std::move(listed);
  host->host().set_peer_classes(classes_now(), now);
  discovery->set_members(welcome_members(), now);
  objects->set_members(welcome_members(), now);
  turn_services(false);
  report_links();
  return {};
}

PeersSeen Runtime::Impl::peers_seen() const {
  const NetworkTerms& terms = core.terms();
  PeersSeen out{terms.name, {}, host->view().peers(), host->view().away(), {}};
  for (const auto& [node, known] : core.known_nodes()) {
    const auto peer = peer_ids.find(node);
    if (peer == peer_ids.end()) continue;
    if (peer->second == identity->peer_id()) out.self = known.name;
    out.names.emplace(peer->second, known.name);
  }
  return out;
}

void Runtime::Impl::answer_peers(HttpRequestId id, bool with_body) {
  HttpResponse response = json_response(200, peers_view(peers_seen(), system_now()));
  if (!with_body) response.body.clear();
  http->respond(id, std::move(response));
}

}  // namespace kms::node::io
