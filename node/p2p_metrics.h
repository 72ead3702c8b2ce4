// The metrics of what a node does on libp2p, as Prometheus text. Those of its connections: peer_metrics (peers_view.h).
#pragma once

#include "net/discovery.h"
#include "net/host.h"
#include "net/object_exchange.h"

namespace kms::node {

std::string p2p_metrics(const net::Host& host, const net::Discovery& discovery, const net::ObjectExchange& objects);

}  // namespace kms::node
