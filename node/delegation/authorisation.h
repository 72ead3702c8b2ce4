// Who may ask for a delegation, checked by every responder for itself (docs/PROTOCOL.md, "Delegation"): the nox-kms v0
// authorisation, an EIP-712 signature over the two key strings exactly as they were sent.
#pragma once

#include <vector>

#include "crypto/ecdsa.h"
#include "crypto/rsa_oaep.h"

namespace kms::delegation {

// Longest string that an authorisation can carry: an RSA-4096 SPKI is 550 bytes, 1102 characters with 0x.
inline constexpr std::size_t kKeyStringBytesMax = 1200;

struct V0Authorisation {
  std::uint64_t chain_id = 0;
  std::string ephemeral_pub_key;  // as received, case and 0x included: the signature covers the text
  std::string target_pub_key;
  ByteArray<65> signature{};
};

enum class AuthorisationFault { unauthorised, bad_point, bad_target };

struct AuthorisationError {
  AuthorisationFault fault;
  std::string message;
};

// What a valid authorisation means.
struct Authorised {
  crypto::Point ephemeral;      // K
  crypto::RsaPublicKey target;  // where the answer goes
  Hash32 target_hash{};         // SHA-256 of the SPKI
  crypto::Address requester;
  Hash32 auth_digest{};  // the EIP-712 digest; never the signature, whose malleable forms would give many ids
};

// Checks in nox-kms's order: signature, then K, then the RSA key. `allowed` are the gateways of the chain.
boost::system::result<Authorised, AuthorisationError> check(const V0Authorisation& authorisation,
                                                            const std::vector<crypto::Address>& allowed);

// Needed by boost::system::result; never called, since nobody calls value() on these.
[[noreturn]] void throw_exception_from_error(const AuthorisationError& error, const boost::source_location&);

}  // namespace kms::delegation
