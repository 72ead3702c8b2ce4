// What a node key's public half means to others: the names that operators exchange.
#pragma once

#include "crypto/ecdsa.h"

namespace kms::cli {

// The libp2p PeerId of a secp256k1 key, base58: "16Uiu2..".
std::string peer_id_of(const crypto::Point& public_key);

struct NodeIdentity {
  std::string peer_id;
  std::string public_key;  // 33 bytes, 0x
  std::string address;
  std::string node_id;
};
NodeIdentity identity_of(const crypto::Point& public_key);

// The [[member]] block for network.toml.
std::string member_block(const crypto::Point& public_key);

}  // namespace kms::cli
