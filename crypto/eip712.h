// EIP-712 digests of the delegation API (docs/API.md): nox-kms v0 and our v1.
#pragma once

#include "crypto/ecdsa.h"

namespace kms::crypto {

// keccak256(0x1901 || domain separator || struct hash).
Hash32 eip712_digest(const Hash32& domain_separator, const Hash32& struct_hash);

// Domain {name "ProtocolDelegate", version "1", chainId}; struct DelegateAuthorization(string ephemeralPubKey,
// string targetPubKey) over the strings exactly as sent.
Hash32 delegate_authorization_digest(std::uint64_t chain_id, std::string_view ephemeral_pub_key,
                                     std::string_view target_pub_key);

// The same domain with a salt; struct DelegateResponseProof(string encryptedSharedSecret) over the string with its 0x.
Hash32 delegate_response_digest(std::uint64_t chain_id, const Hash32& salt, std::string_view encrypted_shared_secret);

// What the requester of a v1 delegation signs (docs/TRANSCRIPTS.md): domain {name "KmsDelegation", version "1", chainId
// of the key's label}.
struct DelegationAuthorization {
  Hash32 network_id{};
  Hash32 key_id{};
  std::uint8_t form = 0;         // 1 A, 2 B, 3 C
  Address entry;                 // zeros in B and C
  ByteArray<33> ephemeral{};     // K
  std::uint8_t target_kind = 0;  // 1 RSA, 2 secp256k1
  Bytes target;                  // SHA-256 of the SPKI DER, or the 33-byte point
  Hash32 nonce{};
  std::uint64_t deadline = 0;
};
Hash32 delegation_authorization_digest(std::uint64_t chain_id, const DelegationAuthorization& authorization);

}  // namespace kms::crypto
