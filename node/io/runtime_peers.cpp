// Who the peers are, to Runtime: their classes, whom to dial, and what operators are shown of them.
#include "base/io/system_clock.h"
#include "node/api.h"
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

Result<void> Runtime::Impl::set_peers(std::vector<net::Multiaddr> peers, PeerClasses listed) {
  if (!host || stopping) return {};
  Now now = system_now();
  auto taken = host->host().set_peers(peers, now);
  if (!taken) return taken;
  options.peers = std::move(peers);
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
  for (const auto& [peer, node] : members) {
    const auto position = terms.members.position_of(node);
    if (!position) continue;
    if (peer == identity->peer_id()) out.self = terms.name_of(*position);
    out.names.emplace(peer, terms.name_of(*position));
  }
  return out;
}

void Runtime::Impl::answer_peers(HttpRequestId id, bool with_body) {
  HttpResponse response = json_response(200, peers_view(peers_seen(), system_now()));
  if (!with_body) response.body.clear();
  http->respond(id, std::move(response));
}

}  // namespace kms::node::io
