// NetworkTerms from a network file, and for a solo node from its chains.
#pragma once

#include "node/config.h"
#include "node/terms.h"
#include "registry/network_file.h"

namespace kms::node {

Result<NetworkTerms> network_terms(const registry::NetworkFile& file);
// A committee of one. The network id follows from the node key, so that two solo nodes never share identifiers.
NetworkTerms solo_terms(const std::vector<SoloChain>& chains, const crypto::Point& node_key);

}  // namespace kms::node
