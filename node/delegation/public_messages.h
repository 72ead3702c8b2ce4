// Messages of forms B and C (PROTOCOL.md 5.3 to 5.5, proto/delegation.proto), which everybody may read: only the
// requester's key opens what they carry. Bodies only, as in messages.h.
#pragma once

#include "node/delegation/fields.h"
#include "node/delegation/messages.h"
#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

// A v1 request for form B or C. Who asks is the author of the batch: any node may, and learns nothing by it.
struct PublicRequest {
  static constexpr MessageType kType = MessageType::public_request;
  dkg::KeyId key;
  std::uint32_t spare = 0;
  V1Authorisation authorisation;  // form B or C, no entry
  Hash32 rh{};                    // follows from the rest; said so that members can rank themselves before they verify
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  std::uint64_t issued_at = 0;  // Unix seconds
  Bytes body() const;
  static Result<PublicRequest> parse(ByteView body);
};

// Form B: 0x01 || i || e || D_i || proof under the requester's RSA key. Its envelope carries the member's signature,
// since it ends at a client.
struct PartialB {
  static constexpr MessageType kType = MessageType::partial_b;
  static constexpr std::size_t kCiphertextBytesMin = 256;
  static constexpr std::size_t kCiphertextBytesMax = 512;
  static constexpr std::size_t kPlaintextBytes = 1 + 2 + 4 + 33 + 64;
  Hash32 rh{};
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  Position index = 0;
  Bytes ciphertext;
  dkg::Signature signature;  // in the envelope, not in the body
  Hash32 signing_digest() const;
  Bytes body() const;
  static Result<PartialB> parse(ByteView body);
};

// Form C: U_i, W_i and the proof. Proves itself.
struct PartialC {
  static constexpr MessageType kType = MessageType::partial_c;
  Hash32 rh{};
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  Position index = 0;
  ByteArray<33> u{};
  ByteArray<33> w{};
  ByteArray<96> proof{};
  Bytes body() const;
  static Result<PartialC> parse(ByteView body);
};

using PublicPartial = std::variant<PartialB, PartialC>;

// v1 authorisations inside other messages.
ProtoWriter v1_authorisation_body(const V1Authorisation& authorisation);
bool parse_v1_authorisation(ByteView body, V1Authorisation& out);
inline constexpr std::size_t kV1AuthorisationBytesMax = kTargetBytesMax + 256;

}  // namespace kms::delegation
