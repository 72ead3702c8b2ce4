// libp2p public keys: the protobuf they travel in and what their signatures mean (libp2p peer-ids specification).
#pragma once

#include <memory>
#include <variant>

#include "crypto/point.h"

struct evp_pkey_st;

namespace kms::net {

enum class KeyType : std::uint8_t { rsa = 0, ed25519 = 1, secp256k1 = 2, ecdsa = 3 };

// A key that decoded and is usable: on the curve, RSA of 2048 to 8192 bits, ECDSA on P-256. A value; cheap to copy.
class PublicKey {
 public:
  static constexpr std::size_t kEncodedBytesMax = 2048;

  // PublicKey{ KeyType Type=1; bytes Data=2 }, at most 2048 bytes; unknown fields are skipped. secp256k1: 33 bytes
  // only; ed25519: 32; RSA and ECDSA: SPKI in the one DER form that OpenSSL writes.
  static Result<PublicKey> parse(ByteView protobuf);
  static PublicKey from_secp256k1(const crypto::Point& point);
  // 32 bytes.
  static Result<PublicKey> from_ed25519(ByteView key32);

  KeyType type() const { return type_; }
  // Our own encoding, whatever was received: what PeerIds are derived from.
  ByteView encoded() const { return encoded_; }
  // The key as a point, if it is one of secp256k1: node address and member id follow from it.
  const crypto::Point* secp256k1() const { return std::get_if<crypto::Point>(&key_); }

  // secp256k1, ECDSA: DER over SHA-256(message), high s accepted. ed25519: RFC 8032. RSA: PKCS#1 v1.5 with SHA-256.
  // Malformed signatures are just false.
  bool verify(ByteView message, ByteView signature) const;

  bool operator==(const PublicKey& other) const { return encoded_ == other.encoded_; }

 private:
  using SharedKey = std::shared_ptr<evp_pkey_st>;  // never changed after parsing
  PublicKey(KeyType type, std::variant<crypto::Point, SharedKey> key, ByteView key_bytes);
  static Result<PublicKey> from_spki(KeyType type, ByteView der);

  KeyType type_;
  std::variant<crypto::Point, SharedKey> key_;
  Bytes encoded_;
};

}  // namespace kms::net
