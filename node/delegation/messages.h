// Messages of form A (PROTOCOL.md 5 and 6, proto/delegation.proto). Bodies only: the envelope and the batch around
// them are dkg/envelope.h's. Parsing bounds every field before it copies anything and refuses unknown fields.
#pragma once

#include "dkg/envelope.h"
#include "node/delegation/v1_authorisation.h"

namespace kms::delegation {

// The number of form A in what is signed and proven (TRANSCRIPTS.md 5, 6).
inline constexpr std::uint8_t kFormA = 1;

using dkg::MessageType;
using dkg::Position;

// Who asks for partials, where they go, and of which epoch: signed by the entry node (TRANSCRIPTS.md 6, `entry`).
struct Entry {
  Hash32 rh{};
  dkg::NodeId entry;
  ByteArray<33> reply_key{};
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  std::uint64_t issued_at = 0;  // Unix seconds
  ByteArray<65> signature{};
  Hash32 signing_digest(const dkg::NetworkId& network) const;
};

using Authorisation = std::variant<V0Authorisation, V1Authorisation>;

// A request for form A. K, target and requester follow from the authorisation, so they are not sent a second time. A v1
// authorisation is of form A.
struct DelegateRequest {
  static constexpr MessageType kType = MessageType::delegate_request;
  static constexpr std::uint32_t kSpareMax = 2;
  dkg::KeyId key;
  std::uint32_t spare = 0;
  Authorisation authorisation;
  Entry entry;
  Bytes body() const;
  static Result<DelegateRequest> parse(ByteView body);
};

// One partial, sealed to the entry's reply key (PROTOCOL.md 5.2).
struct SealedA {
  static constexpr MessageType kType = MessageType::sealed_a;
  static constexpr std::size_t kSealedBytes = 33 + 64 + 16;
  Hash32 rh{};
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  Position index = 0;
  dkg::NodeId entry;
  ByteArray<33> u{};
  Hash32 salt{};
  ByteArray<kSealedBytes> sealed{};
  Bytes body() const;
  static Result<SealedA> parse(ByteView body);
};

// The entry lacks partials: members in neither list that rank among the next `want` answer at once (PROTOCOL.md 5.5).
struct Need {
  static constexpr MessageType kType = MessageType::need;
  Hash32 rh{};
  std::uint32_t epoch = 0;
  dkg::TranscriptHash transcript;
  std::uint32_t round = 0;
  std::vector<Position> good;  // strictly increasing
  std::vector<Position> bad;   // strictly increasing, disjoint from good
  std::uint32_t want = 0;
  Bytes body() const;
  static Result<Need> parse(ByteView body);
};

struct Done {
  static constexpr MessageType kType = MessageType::done;
  Hash32 rh{};
  Bytes body() const;
  static Result<Done> parse(ByteView body);
};

enum class RefusalCode : std::uint32_t {
  stale = 1,
  unauthorised = 2,
  entry = 3,
  form_off = 4,
  replay = 5,
  quota = 6,
  bad_point = 7,
  no_share = 8,
  busy = 9,
  clock = 10,
  expired = 11,
};
std::string_view name_of(RefusalCode code);

// A responder that cannot answer, so that the entry turns to others at once.
struct Refusal {
  static constexpr MessageType kType = MessageType::refusal;
  Hash32 rh{};
  Position index = 0;
  RefusalCode code = RefusalCode::busy;
  Bytes body() const;
  static Result<Refusal> parse(ByteView body);
};

}  // namespace kms::delegation
