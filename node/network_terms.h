// NetworkTerms from a network file, and for a solo node from its chains.
#pragma once

#include "node/config.h"
#include "node/terms.h"
#include "registry/network_file.h"

namespace kms::node {

// The file of epoch 0, which every node starts with.
Result<NetworkTerms> network_terms(const registry::NetworkFile& file);
// The file of a later epoch of the same key set: name, creation_nonce and chains as in `genesis`. At most 1 MiB.
Result<NetworkTerms> later_terms(const NetworkTerms& genesis, std::string_view file);
// What epoch 0 is made with.
dkg::Plan first_plan(const NetworkTerms& genesis);
// A committee of one. The network id follows from the node key, so that two solo nodes never share identifiers.
NetworkTerms solo_terms(const std::vector<SoloChain>& chains, const crypto::Point& node_key);

}  // namespace kms::node
