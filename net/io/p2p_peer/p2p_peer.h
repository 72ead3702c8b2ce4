// p2p-peer: a bare libp2p host on 127.0.0.1 that does what its command line says, prints JSON lines, and exits with
// 0: every expectation met, 1: one unmet, 2: bad command line, 3: it failed itself.
#pragma once

#include <string>
#include <vector>

namespace kms::net::io {

int run_p2p_peer(const std::vector<std::string>& arguments);

}  // namespace kms::net::io
