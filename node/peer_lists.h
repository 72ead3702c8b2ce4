// What operators say of peers in files of their own, one a line, `#` starting a comment: whom to dial, and who is
// special. Both files are read at the start and again on SIGHUP.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/multiaddr.h"
#include "net/peer_class.h"

namespace kms::node {

inline constexpr std::size_t kPeersMax = 1024;             // addresses to dial
inline constexpr std::size_t kListedClassesMax = 4096;     // lines of a classes file
inline constexpr std::size_t kPeerListBytesMax = 1 << 20;  // of each file

using PeerClasses = std::map<net::PeerId, net::PeerClass>;

// Where a peer can be dialled: a TCP address with the PeerId that must answer there.
Result<net::Multiaddr> parse_peer(const std::string& text);

// A peers file: a multiaddr with /p2p/<PeerId> a line.
Result<std::vector<net::Multiaddr>> parse_peers(std::string_view text, const std::string& file_name);

// A classes file: "registered <PeerId>", "light <PeerId>" or "denied <PeerId>" a line, each peer once. Errors name file
// and line.
Result<PeerClasses> parse_classes(std::string_view text, const std::string& file_name);

// What the host is told: members are committee unless they are denied, others what was listed. Nobody denies itself.
PeerClasses classes_of(const std::vector<net::PeerId>& members, const PeerClasses& listed, const net::PeerId& self);

}  // namespace kms::node
