// Which network a client talks to, and what of it is pinned.
#pragma once

#include <optional>
#include <vector>

#include "crypto/ecdsa.h"
#include "sdk/node_url.h"

namespace kms {

struct NetworkDescription {
  static constexpr std::size_t kNodesMax = 128;

  std::vector<sdk::NodeUrl> nodes;          // 1 to 128
  std::uint64_t chain_id = 0;               // of the key to use
  std::optional<crypto::Point> public_key;  // none: asked of the nodes, which all have to say the same
  std::optional<crypto::Address> signer;    // whose signature answers carry; none: an answer is proven by what it opens

  // JSON: {"nodes": [{"http": "http://.."}], "keys": [{"chainId": 31337, "publicKey": "0x02.."}],
  //        "signer": {"address": "0x.."}}; "keys" and "signer" may be absent, other members are ignored. testnet/up
  //        writes
  // such a file. `chain_id` chooses among several keys, and is required without any.
  static Result<NetworkDescription> parse(std::string_view json, std::optional<std::uint64_t> chain_id = {});
};

}  // namespace kms
