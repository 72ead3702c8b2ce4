// The v1 authorisation (docs/API.md, POST /v1/delegations; PROTOCOL.md 5.1): an EIP-712 signature over network, key,
// form, entry, K, target, nonce and deadline. Every member checks it for itself.
#pragma once

#include <variant>

#include "node/delegation/authorisation.h"
#include "node/delegation/serving.h"

namespace kms::delegation {

enum class Form : std::uint8_t { a = 1, b = 2, c = 3 };
char letter_of(Form form);  // 'A', 'B', 'C'

// How far ahead a deadline may lie; a nonce is remembered until kReplayMargin after it.
inline constexpr std::uint64_t kDeadlineMax_s = 3600;
inline constexpr std::uint64_t kReplayMargin_s = 60;
// SPKI DER of RSA-4096 with the longest exponent that is accepted.
inline constexpr std::size_t kTargetBytesMax = 600;

// Network and key are those of the ServingKey that it is checked against: under others the signature recovers to
// somebody else.
struct V1Authorisation {
  Form form = Form::c;
  crypto::Address entry;      // the entry node in A, zeros in B and C
  ByteArray<33> ephemeral{};  // K
  Bytes target;               // A and B: SPKI DER; C: P, 33 bytes
  Hash32 nonce{};
  std::uint64_t deadline = 0;  // Unix seconds
  ByteArray<65> signature{};
  bool operator==(const V1Authorisation&) const = default;
};

// That `requester` used `nonce` for the request `rh`.
struct NonceUse {
  crypto::Address requester;
  Hash32 nonce{};
  Hash32 rh{};
  std::uint64_t deadline = 0;
};

struct V1Authorised {
  crypto::Point ephemeral;                                   // K
  std::variant<crypto::Point, crypto::RsaPublicKey> target;  // P in C
  NonceUse use;
};

// Checks everything that does not change with time: the signature, then K, then the target. P is none of +-G, +-K, +-S,
// +-S_j (PROTOCOL.md 5.4). `allowed`: who may ask for this key.
boost::system::result<V1Authorised, AuthorisationError> check(const V1Authorisation& authorisation,
                                                              const ServingKey& key,
                                                              const std::vector<crypto::Address>& allowed);

// What names a request (TRANSCRIPTS.md 7, `req`), v0 and v1.
struct RequestTerms {
  Form form = Form::a;
  crypto::Point ephemeral;
  ByteView target;  // SHA-256 of the SPKI DER, or P
  crypto::Address requester;
  Hash32 auth_digest{};
  Hash32 nonce{};  // v0: zeros
  std::uint64_t deadline = 0;
};
Hash32 request_hash(const ServingKey& key, const RequestTerms& terms);

}  // namespace kms::delegation
