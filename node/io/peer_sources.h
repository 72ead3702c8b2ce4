// Files that say who the peers are: read at the start, and again when an operator changed them.
#pragma once

#include "node/config.h"
#include "node/io/runtime.h"
#include "registry/network_file.h"

namespace kms::node::io {

// At most 1 MiB.
Result<std::string> read_text(const std::string& path);

struct PeerSources {
  P2pSettings p2p;
  std::string network_path;
  registry::NetworkFile network;
};

// Addresses to dial: the settings, the peers file, and what the network file says of the members.
Result<std::vector<net::Multiaddr>> read_peers(const P2pSettings& p2p, const registry::NetworkFile& network,
                                               const net::PeerId& self);
// The classes file; nobody without one. Warns of members in it.
Result<PeerClasses> read_classes(const P2pSettings& p2p, const registry::NetworkFile& network);

// Reads the peers file and the classes file again and judges everybody connected anew; logs what came of it. A file
// that cannot be read or parsed changes nothing. The network file is not taken again: every ceremony is bound to its
// hash.
void reload(const PeerSources& sources, const net::PeerId& self, Runtime& runtime);

}  // namespace kms::node::io
