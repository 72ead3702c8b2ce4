// node.key: the secrets a node is made of, sealed under the operator's passphrase.
#pragma once

#include "crypto/ecdsa.h"
#include "crypto/sealing.h"

namespace kms::crypto {

struct NodeSecrets {
  NodeKey key;             // PeerId, node address and message signatures (ARCHITECTURE.md, "Keys")
  Secret<32> node_secret;  // PROTOCOL.md 3: goes into seeds and salts, never sent
  SealingKey store_key;    // the store's key-encryption keys are sealed under it

  static NodeSecrets generate(Entropy& entropy);
};

// "KMSNODE1" || public key 33 || sealing.h's record of key 32 || node_secret 32 || store_key 32. The public key stands
// in the clear, so that tools can name the node without the passphrase; it is bound to the record.
Bytes seal_node_secrets(const NodeSecrets& secrets, ByteView passphrase, Entropy& entropy);
// Tells apart: not a node key file, another version, cut short or damaged, wrong passphrase. 0.1 to 0.3 s.
Result<NodeSecrets> open_node_secrets(ByteView file, ByteView passphrase);
// What anybody can read in the file; not yet authenticated.
Result<Point> public_key_in(ByteView file);

}  // namespace kms::crypto
