// Identity: our own key on the network. It signs libp2p messages and nothing else.
#pragma once

#include <variant>

#include "crypto/ecdsa.h"
#include "net/peer_id.h"

namespace kms::net {

// Move-only. Nodes have a secp256k1 identity (their node key); ed25519 is for the bare p2p host and for tests.
class Identity {
 public:
  explicit Identity(crypto::NodeKey key);
  // An error for zero and for values not below the group order. The caller wipes its own copy.
  static Result<Identity> from_secp256k1(ByteView secret32);
  static Identity from_ed25519(crypto::Secret<32> seed);
  static Identity generate(Entropy& entropy);  // secp256k1

  const PublicKey& public_key() const { return public_key_; }
  const PeerId& peer_id() const& { return peer_id_; }
  PeerId peer_id() && { return peer_id_; }  // of a temporary: a reference would outlive it
  // secp256k1: DER ECDSA over SHA-256(message) with the RFC 6979 nonce, low s. ed25519: 64 bytes, RFC 8032.
  Bytes sign(ByteView message) const;

 private:
  using Key = std::variant<crypto::NodeKey, crypto::Secret<32>>;
  Identity(Key key, PublicKey public_key);

  Key key_;
  PublicKey public_key_;
  PeerId peer_id_;
};

}  // namespace kms::net
