// GET /v1/peers and the metrics of the host's connections, from what net::Host says (docs/API.md).
#pragma once

#include <map>

#include <boost/json/object.hpp>

#include "net/host_counters.h"

namespace kms::node {

using PeerNames = std::map<net::PeerId, std::string>;  // of members

struct PeersSeen {
  std::string network;
  std::string self;  // this node's name
  std::vector<net::PeerView> peers;
  std::vector<net::AwayView> away;
  PeerNames names;
};

// Members first, in the order of their names. Addresses are shown of members only: who else is connected, and from
// where, is not for everybody.
boost::json::object peers_view(const PeersSeen& seen, Now now);

// Prometheus text. One series a peer for members only, so that strangers cannot grow it.
std::string peer_metrics(const PeersSeen& seen, const net::HostCounters& counters);

}  // namespace kms::node
