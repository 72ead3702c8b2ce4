// ECDSA on secp256k1: recoverable signatures of node keys and of Ethereum, RFC 6979 nonces, low s.
#pragma once

#include "crypto/keccak.h"
#include "crypto/point.h"

namespace kms::crypto {

Address address_of(const Point& public_key);

// r || s || v with v = 27 or 28, as Ethereum writes it and as our own messages carry it (docs/TRANSCRIPTS.md); always
// low s when made here.
struct RecoverableSignature {
  ByteArray<65> bytes{};
  // Our own messages: 65 bytes, v 27 or 28, r and s in range, low s.
  static Result<RecoverableSignature> parse(ByteView bytes65);
  // As wallets and nox-kms write it: v 0, 1, 27, 28 or >= 35 (parity of v - 35), stored as 27 or 28; high s accepted.
  static Result<RecoverableSignature> parse_ethereum(ByteView bytes65);
  bool operator==(const RecoverableSignature&) const = default;
};

// Constant time.
RecoverableSignature sign_recoverable(const SecretScalar& key, const Hash32& digest);
Result<Point> recover(const RecoverableSignature& signature, const Hash32& digest);
// Whether `recover` gives back exactly this key. Unlike plain verification it binds v too.
bool verify(const Point& public_key, const RecoverableSignature& signature, const Hash32& digest);

// The node key: PeerId, node address and message signatures come from it (ARCHITECTURE.md, "Keys"). It signs only;
// it never takes part in an ECDH.
class NodeKey {
 public:
  static Result<NodeKey> from_secret(SecretScalar secret);
  static NodeKey generate(Entropy& entropy);
  NodeKey(NodeKey&&) noexcept = default;
  NodeKey& operator=(NodeKey&&) noexcept = default;

  const Point& public_key() const { return public_key_; }
  Address address() const { return address_of(public_key_); }
  // Keccak-256(x || y), PROTOCOL.md 3.
  Hash32 node_id() const;
  RecoverableSignature sign(const Hash32& digest) const;
  // DER ECDSA over SHA-256(message) with the default nonce: libp2p's signature of secp256k1 identities.
  Bytes sign_libp2p(ByteView message) const;
  const SecretScalar& expose() const { return secret_; }  // for sealing to disk only

 private:
  NodeKey(SecretScalar secret, Point public_key) : secret_(std::move(secret)), public_key_(public_key) {}
  SecretScalar secret_;
  Point public_key_;
};

// Keccak-256(x || y).
Hash32 node_id_of(const Point& public_key);
// libp2p's verification: DER, high s accepted (normalised first), over SHA-256(message).
bool verify_libp2p(const Point& public_key, ByteView message, ByteView der);

}  // namespace kms::crypto
