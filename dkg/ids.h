// Identifiers of the protocol, one type each so that they cannot be mixed up, and the hashes that make them
// (TRANSCRIPTS.md 2).
#pragma once

#include <string_view>
#include <vector>

#include "crypto/polynomial.h"
#include "crypto/transcript.h"

namespace kms::dkg {

using crypto::Position;

constexpr std::size_t kMembersMax = 128;
constexpr std::size_t kKeysMax = 16;  // keys of one key set

using NetworkId = Id32<struct NetworkIdTag>;
using NodeId = Id32<struct NodeIdTag>;
using CommitteeHash = Id32<struct CommitteeHashTag>;  // H(N)
using KeySetId = Id32<struct KeySetIdTag>;
using KeyId = Id32<struct KeyIdTag>;
using SlotId = Id32<struct SlotIdTag>;
using Sid = Id32<struct SidTag>;                        // hash of a whole header
using DealHash = Id32<struct DealHashTag>;              // dh
using TranscriptHash = Id32<struct TranscriptHashTag>;  // T
using ValueHash = Id32<struct ValueHashTag>;            // h(x) that votes name; in ACTIVATION certificates the root
using Root = Id32<struct RootTag>;
using CertificateId = Id32<struct CertificateIdTag>;
using FileHash = Id32<struct FileHashTag>;
using ObjectId = Id32<struct ObjectIdTag>;  // what HaveObjects and Fetch name (TRANSCRIPTS.md 6)

template <class Id>
bool is_zero(const Id& id) {
  return id == Id{};
}

// The same bytes under another type, where the protocol says so (an object id is a dh, a sid, ..).
template <class To, class From>
To id_cast(const From& from) {
  return To{from.bytes};
}

// What a key is for: chain id and the contract it serves (zeros if none).
struct Label {
  std::uint64_t chain_id = 0;
  ByteArray<20> contract{};
  ByteArray<28> bytes() const;
  static Label parse(const ByteArray<28>& bytes);
  auto operator<=>(const Label&) const = default;
};

// One Deal of a list: dealer and dh.
struct DealRef {
  Position dealer = 0;
  DealHash hash;
  auto operator<=>(const DealRef&) const = default;
};
using DealList = std::vector<DealRef>;  // strictly increasing by dealer

enum class Fate : std::uint8_t { release = 1, voided = 2 };

NetworkId network_id(std::string_view name, const Hash32& creation_nonce);
FileHash file_hash(ByteView network_file);
// `genesis` and `threshold` are H(N_0) and t_0 of the network file of epoch 0.
KeySetId key_set_id(const NetworkId& network, const Hash32& creation_nonce, const CommitteeHash& genesis,
                    std::uint16_t threshold, const std::vector<Label>& labels);
// `kappa` counts the keys of a set from 1.
KeyId key_id(const KeySetId& key_set, std::uint32_t kappa, const Label& label);
SlotId slot_id(const KeySetId& key_set, std::uint32_t epoch, std::uint32_t branch);
TranscriptHash transcript_hash(const Sid& sid, const DealList& list);
// h(x) of instance 1 and of instance 2.
ValueHash value_hash(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript, const DealList& list);
ValueHash fate_hash(const SlotId& slot, const Sid& sid, const TranscriptHash& transcript, Fate fate);

// Position, 1..deciders, of the member that leads view or attempt `x` of a slot: (int(slot) + x) mod deciders + 1.
Position lead(const SlotId& slot, std::uint32_t x, std::size_t deciders);

// Appends a list of (dealer, dh): count, then the elements.
void append_list(crypto::Transcript& transcript, const DealList& list);

}  // namespace kms::dkg
