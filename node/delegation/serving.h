// What a node serves delegations with: one key of one epoch, its own secrets, and who may take part.
#pragma once

#include <memory>

#include "dkg/epoch.h"

namespace kms::delegation {

using dkg::Position;

// One key in one released epoch, as this node holds it. Immutable; shared with jobs on the compute pool.
struct ServingKey {
  dkg::NetworkId network;
  dkg::KeyId key;
  std::uint64_t chain_id = 0;
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  dkg::Threshold threshold;
  dkg::Committee members;
  dkg::KeyTable table;                        // S and S_1..S_n
  dkg::Position self = 0;                     // 0: not a member
  std::optional<crypto::SecretScalar> share;  // none: not a member, or the share needs repair
};
using ServingKeyPtr = std::shared_ptr<const ServingKey>;

// The node's own secrets, alive as long as any job uses them.
struct Credentials {
  crypto::NodeKey node_key;
  crypto::Secret<32> node_secret;        // PROTOCOL.md 3
  crypto::SecretScalar response_wallet;  // signs v0 answers; all nodes of a network may share it
  dkg::NodeId node_id() const { return dkg::NodeId{node_key.node_id()}; }
};
using CredentialsPtr = std::shared_ptr<const Credentials>;

}  // namespace kms::delegation
