// The variables of nox-kms, by which a solo node replaces one without a change to its environment. Included by
// node/config*.cpp only.
#pragma once

#include "node/settings.h"

namespace kms::node {

struct SoloSettings {
  std::optional<std::string> host;                // NOX_KMS_SERVER__HOST
  std::optional<std::uint16_t> port;              // NOX_KMS_SERVER__PORT
  std::optional<crypto::SecretBytes> wallet_key;  // NOX_KMS_WALLET_KEY, hex
  std::vector<SoloChain> chains;                  // NOX_KMS_CHAINS__<id>__*, by id
  std::vector<std::string> warnings;
};

// `gateways`: the values of KMS_GATEWAY__<id>. A chain without one is an error, since there is no chain reader that
// could ask the contract: a chain with an RPC_URL says so. A gateway of a chain that NOX_KMS_* does not name makes a
// chain whose key the node makes itself.
Result<SoloSettings> parse_solo(const Environment& environment, const std::map<std::uint64_t, std::string>& gateways);

}  // namespace kms::node
