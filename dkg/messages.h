// Every message of a ceremony (PROTOCOL.md 6) as a type that holds nothing malformed: points are on the curve, scalars
// reduced, lists sorted and bounded. `body` is the Protobuf body in field order (proto/kms.proto), `parse` accepts
// exactly the bytes that `body` gives (unknown, repeated, reordered or oversized fields are errors), `signing_digest`
// is the digest of TRANSCRIPTS.md 6, `type` the envelope's number. Whether a message is *true* is the business of
// header.h, dealing.h, certificate.h and the ceremony. The header of a ceremony is in header.h.
#pragma once

#include <optional>

#include "crypto/dleq.h"
#include "crypto/schnorr.h"
#include "dkg/message_type.h"
#include "dkg/quorum.h"
#include "dkg/signature.h"

namespace kms::dkg {

enum class Instance : std::uint8_t { slot = 1, fate = 2 };
enum class VoteKind : std::uint8_t { notarize = 1, nullify = 2, finalize = 3 };
enum class Series : std::uint8_t { ceremony = 0, repair = 1 };

// One published prekey B = bG: proof that b is known, and the node's signature over what B is for.
struct SignedPrekey {
  crypto::Point key;
  crypto::SchnorrProof pok;
  Signature psig;
};

// Eight prekeys, numbers first .. first + 7, of one node for one slot (series 0) or epoch (series 1).
struct PreKeyAnnounce {
  static constexpr MessageType kType = MessageType::prekey_announce;
  static constexpr std::size_t kWindow = 8;
  static constexpr std::size_t kBodyBytesMax = 2048;
  Series series = Series::ceremony;
  KeySetId key_set;
  std::uint32_t epoch = 0;
  std::uint32_t branch = 0;
  std::uint32_t first = 0;            // multiple of 8
  std::vector<SignedPrekey> prekeys;  // exactly 8
  Bytes body() const;
  static Result<PreKeyAnnounce> parse(ByteView body);
  // The epoch alone, without a look at the eight points; nothing if the body breaks off before it.
  static std::optional<std::uint32_t> epoch_of(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

enum class ApprovalPurpose : std::uint8_t { reshare = 1, voided = 2, repair = 3 };

// An operator's approval; the signature is in the body and covers only the fields of its purpose, the others are zero
// and absent on the wire. `index` is the signer's position in O (V).
struct Approval {
  static constexpr MessageType kType = MessageType::approval;
  ApprovalPurpose purpose = ApprovalPurpose::reshare;
  KeySetId key_set;
  std::uint32_t epoch = 0;      // RESHARE: e_new; VOID: of the slot; REPAIR: the epoch repaired
  std::uint32_t branch = 0;     // not in REPAIR
  Root root;                    // RESHARE: root_e
  CommitteeHash members;        // RESHARE: H(N)
  std::uint16_t threshold = 0;  // RESHARE: t'
  FileHash file;                // RESHARE
  Sid sid;                      // VOID
  TranscriptHash transcript;    // VOID, REPAIR
  Position subject = 0;         // REPAIR: i
  std::uint64_t not_after = 0;  // Unix seconds; not in VOID
  Position index = 0;
  Signature signature;
  Bytes body() const;
  static Result<Approval> parse(ByteView body);
  // H_"KMS1/sig/approve", "void" or "approve-repair".
  Hash32 approval_digest(const NetworkId& network) const;
  Hash32 signing_digest(const NetworkId& network, const NodeId&) const { return approval_digest(network); }
};

// What one Deal says about one key.
struct DealKey {
  std::vector<crypto::Point> commitments;   // C_0 .. C_{t'-1}
  std::vector<crypto::Scalar> ciphertexts;  // c_1 .. c_n'; zero for an absent receiver
};

struct Deal {
  static constexpr MessageType kType = MessageType::deal;
  Sid sid;
  Position dealer = 0;
  crypto::Point ephemeral;    // E
  std::vector<DealKey> keys;  // m, all with the same t' and n'
  // AND-proof of every a_0 and of the ephemeral's logarithm.
  crypto::Scalar challenge;
  std::vector<crypto::Scalar> responses;  // m
  crypto::Scalar ephemeral_response;
  Bytes body() const;
  static Result<Deal> parse(ByteView body);
  Hash32 core() const;
  DealHash hash() const;  // dh: hashes the whole Deal, keep the result
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

struct HaveObjects {
  static constexpr MessageType kType = MessageType::have_objects;
  static constexpr std::size_t kHashesMax = 64;
  Hash32 scope{};  // slot or rid
  std::vector<ObjectId> hashes;
  Bytes body() const;
  static Result<HaveObjects> parse(ByteView body);
};

struct Fetch {
  static constexpr MessageType kType = MessageType::fetch;
  static constexpr std::size_t kHashesMax = 64;
  std::vector<ObjectId> hashes;  // at least one
  Bytes body() const;
  static Result<Fetch> parse(ByteView body);
};

// Objects are encoded envelopes, checked by the receiver as their type and against the hash it asked for.
struct FetchReply {
  static constexpr MessageType kType = MessageType::fetch_reply;
  static constexpr std::size_t kObjectsMax = 64;
  std::vector<Bytes> objects;
  Bytes body() const;
  static Result<FetchReply> parse(ByteView body);
};

// "The share of dealer for receiver under key kappa is wrong": opens one pad by Z = b_i E_j with a BIP-374 proof.
struct Complaint {
  static constexpr MessageType kType = MessageType::complaint;
  Sid sid;
  Position dealer = 0;
  Position receiver = 0;
  DealHash deal;
  std::uint32_t kappa = 0;  // from 1
  crypto::Point shared;     // Z
  crypto::DleqProof proof;
  Bytes body() const;
  static Result<Complaint> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

enum class EquivocationKind : std::uint8_t {
  deal = 1,
  proposal = 2,
  notarize = 3,
  nullify_finalize = 4,
  active = 5,
  confirm = 6,
  emergency = 7,
  emergency_finalize = 8,
  prekey = 9,
};

// Two encoded envelopes of one sender that contradict each other (PROTOCOL.md 4.9).
struct Equivocation {
  static constexpr MessageType kType = MessageType::equivocation;
  EquivocationKind kind = EquivocationKind::deal;
  Bytes signed_a;
  Bytes signed_b;
  Bytes body() const;
  static Result<Equivocation> parse(ByteView body);
};

struct Candidate {
  static constexpr MessageType kType = MessageType::candidate;
  SlotId slot;
  Sid sid;
  std::uint32_t view = 0;  // 0 in an emergency
  std::uint32_t round = 0;
  DealList list;
  Bytes body() const;
  static Result<Candidate> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

struct Ready {
  static constexpr MessageType kType = MessageType::ready;
  SlotId slot;
  Sid sid;
  TranscriptHash transcript;
  Position index = 0;
  Bytes body() const;
  static Result<Ready> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

// A value of instance 1, pulled by its h(x) or by T; carries no signature, since the hash asked for proves it.
struct Value {
  static constexpr MessageType kType = MessageType::value;
  SlotId slot;
  Sid sid;
  DealList list;
  Bytes body() const;
  static Result<Value> parse(ByteView body);
  TranscriptHash transcript() const { return transcript_hash(sid, list); }
  ValueHash hash() const { return value_hash(slot, sid, transcript(), list); }
};

// `fate` and an empty list in instance 2, no fate and a list in instance 1.
struct Proposal {
  static constexpr MessageType kType = MessageType::proposal;
  static constexpr std::size_t kNullCertsMax = 256;
  Instance instance = Instance::slot;
  SlotId slot;
  std::uint32_t view = 0;  // from 1
  Sid sid;
  TranscriptHash transcript;
  DealList list;
  std::optional<Fate> fate;
  CertificateId justification;    // CandidateCert, ActivationCert or VOID_APPROVALS
  std::uint32_t parent_view = 0;  // 0: no Notar named
  CertificateId parent_cert;
  std::vector<CertificateId> null_certs;
  Bytes body() const;
  static Result<Proposal> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
  ValueHash value() const;  // h(x)
};

struct Vote {
  static constexpr MessageType kType = MessageType::vote;
  Instance instance = Instance::slot;
  SlotId slot;
  std::uint32_t view = 0;  // from 1
  VoteKind kind = VoteKind::notarize;
  ValueHash value;  // zero in a NULLIFY, and only there
  Bytes body() const;
  static Result<Vote> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

// S_i of one key and the proof that it fits V_i (DKG) or S_i (reshare).
struct ActiveKey {
  crypto::Point share;
  crypto::DleqProof proof;
};

struct Active {
  static constexpr MessageType kType = MessageType::active;
  SlotId slot;
  TranscriptHash transcript;
  Position index = 0;
  std::vector<ActiveKey> keys;  // m
  Bytes body() const;
  static Result<Active> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

struct Confirm {
  static constexpr MessageType kType = MessageType::confirm;
  SlotId slot;
  TranscriptHash transcript;
  Root root;
  Position index = 0;
  Bytes body() const;
  static Result<Confirm> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

struct Emergency {
  static constexpr MessageType kType = MessageType::emergency;
  SlotId slot;
  Sid sid;
  TranscriptHash transcript;
  Position index = 0;
  Bytes body() const;
  static Result<Emergency> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

struct Erased {
  static constexpr MessageType kType = MessageType::erased;
  SlotId slot;
  TranscriptHash transcript;
  Bytes body() const;
  static Result<Erased> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

// What a node says about itself each 10 s; only for ranking and for the f+1 and q rules of attempts.
struct NodeStatus {
  static constexpr MessageType kType = MessageType::node_status;
  static constexpr std::size_t kEntriesMax = 64;
  struct Entry {
    KeySetId key_set;
    std::uint32_t epoch = 0;
    std::uint32_t branch = 0;
    TranscriptHash transcript;  // zero if none
    std::uint32_t state = 0;
    std::uint32_t view = 0;
    std::uint32_t attempt = 0;
    std::uint32_t prekey_next = 0;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  Bytes body() const;
  static Result<NodeStatus> parse(ByteView body);
};

}  // namespace kms::dkg
