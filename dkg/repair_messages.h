// The messages that give one member its share again (PROTOCOL.md 4.8, TRANSCRIPTS.md 8). Members that give are called
// givers here ("helpers" in the protocol).
#pragma once

#include "dkg/messages.h"

namespace kms::dkg {

using Rid = Id32<struct RidTag>;              // hash of a whole request: one session
using DeltaHash = Id32<struct DeltaHashTag>;  // dhash
using SigmaHash = Id32<struct SigmaHashTag>;  // shash

// A giver as the request names it, with the prekey that the parts for it are encrypted to.
struct RepairGiver {
  Position position = 0;
  std::uint32_t number = 0;  // of the prekey, series 1
  crypto::Point key;         // B
};

struct RepairRequest {
  static constexpr MessageType kType = MessageType::repair_request;
  KeySetId key_set;
  std::uint32_t epoch = 0;
  std::uint32_t branch = 0;
  TranscriptHash transcript;
  Position index = 0;
  crypto::Point target;             // Y, fresh
  crypto::SchnorrProof pok;         // of log_G Y
  std::vector<RepairGiver> givers;  // strictly increasing by position, at least one
  Hash32 nonce{};                   // not zero
  std::uint64_t expiry = 0;         // Unix seconds
  std::vector<Approval> ticket;     // purpose REPAIR, strictly increasing by index
  Bytes body() const;
  static Result<RepairRequest> parse(ByteView body);
  Rid rid() const;  // hashes everything: keep the result
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
  // The place of a member among the givers.
  std::optional<std::size_t> place_of(Position position) const;
};

// Giver k's share times lambda_k(i), split into one part a giver: `commitments` are d G, `ciphertexts` d + pad, both
// in the request's order of givers.
struct RepairDelta {
  static constexpr MessageType kType = MessageType::repair_delta;
  Rid rid;
  Position giver = 0;
  std::vector<DealKey> keys;  // m
  crypto::Point ephemeral;    // E_k
  crypto::SchnorrProof pok;   // of its logarithm
  Bytes body() const;
  static Result<RepairDelta> parse(ByteView body);
  DeltaHash hash() const;
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

// The sum of giver l's column, encrypted to Y. `deltas` says which deltas it is the sum of, in the request's order of
// givers: whoever sent two of them must not make an honest giver's sum look wrong.
struct RepairSigma {
  static constexpr MessageType kType = MessageType::repair_sigma;
  Rid rid;
  Position giver = 0;
  crypto::Point ephemeral;                  // E'_l
  std::vector<crypto::Scalar> ciphertexts;  // m
  crypto::SchnorrProof pok;
  std::vector<DeltaHash> deltas;  // t
  Bytes body() const;
  static Result<RepairSigma> parse(ByteView body);
  SigmaHash hash() const;
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

enum class RepairFault : std::uint8_t { delta = 1, sigma = 2 };

// "What `giver` sent me does not fit its commitments": opens one pad by Z with a BIP-374 proof.
struct RepairComplaint {
  static constexpr MessageType kType = MessageType::repair_complaint;
  RepairFault kind = RepairFault::delta;
  Rid rid;
  Position giver = 0;
  Position accuser = 0;  // a giver, or the requester
  Hash32 object{};       // dhash or shash
  std::uint32_t kappa = 0;
  crypto::Point shared;  // Z
  crypto::DleqProof proof;
  Bytes body() const;
  static Result<RepairComplaint> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

}  // namespace kms::dkg
