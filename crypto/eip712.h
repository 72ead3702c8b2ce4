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

// Domain with salt; struct DelegateResponseProof(string encryptedSharedSecret) over the string with its 0x.
Hash32 delegate_response_digest(std::uint64_t chain_id, const Hash32& salt, std::string_view encrypted_shared_secret);

}  // namespace kms::crypto
