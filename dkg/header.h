// The header of one attempt: everything that the members of a ceremony have to agree on before any cryptography. Its
// hash is the sid (PROTOCOL.md 4.1, TRANSCRIPTS.md 3).
#pragma once

#include "dkg/committee.h"
#include "dkg/messages.h"

namespace kms::dkg {

enum class Kind : std::uint8_t { dkg = 1, reshare = 2, refresh = 3, import = 4 };
enum class Origin : std::uint8_t { generated = 1, imported = 2 };
enum class Decider : std::uint8_t { simplex = 1, contract = 2 };
enum class Base : std::uint8_t { g = 1, h = 2 };

// The generator that the commitments of a ceremony stand on: J.
const crypto::Point& generator_of(Base base);

// A member of the new committee; without a prekey it is absent (in an IMPORT: has none).
struct HeaderMember {
  Member member;
  std::optional<SignedPrekey> prekey;
};

// The epoch that a reshare starts from.
struct OldEpoch {
  CommitteeHash committee;  // H(O)
  Threshold threshold;      // n, t of O
  TranscriptHash transcript;
  Root root;
  bool operator==(const OldEpoch&) const = default;
};

// What never changes in the life of a key set.
struct KeySetTerms {
  Origin origin = Origin::generated;
  Decider decider = Decider::simplex;
  KeySetId key_set;
  std::vector<Label> labels;  // 1 to 16, their count is m
  bool operator==(const KeySetTerms&) const = default;
};

// Holds only what fits together: DKG and IMPORT at epoch 0, branch 0 and without `old`, RESHARE and REFRESH at epoch
// >= 1 with it; members strictly increasing by node id with node ids that belong to their keys; approvals strictly
// increasing; `void_cert` set iff branch > 0; base H for a DKG, else G; IMPORT: one member, no prekey, t' = 1.
struct CeremonyHeader {
  static constexpr MessageType kType = MessageType::ceremony_header;
  static constexpr std::size_t kRegistryRefBytesMax = 256;
  Kind kind = Kind::dkg;
  bool emergency = false;
  KeySetTerms terms;
  std::uint32_t epoch = 0;  // e_new
  std::uint32_t branch = 0;
  CertificateId void_cert;
  std::uint32_t attempt = 0;
  Position initiator = 1;
  std::optional<OldEpoch> old;
  std::vector<HeaderMember> members;  // n', in committee order
  Threshold threshold;                // n', t'
  FileHash file;
  std::uint64_t not_after = 0;
  std::vector<IndexedSignature> approvals;
  Bytes registry_ref;

  Base base() const { return kind == Kind::dkg ? Base::h : Base::g; }
  std::size_t keys() const { return terms.labels.size(); }
  SlotId slot() const { return slot_id(terms.key_set, epoch, branch); }
  Committee committee() const;           // N
  std::vector<Position> absent() const;  // empty in an IMPORT
  bool is_absent(Position position) const { return !members[position - 1u].prekey && kind != Kind::import; }
  KeyId key(std::uint32_t kappa) const { return key_id(terms.key_set, kappa, terms.labels[kappa - 1]); }
  // Hashes the whole header; keep the result.
  Sid sid() const;

  Bytes body() const;
  static Result<CeremonyHeader> parse(ByteView body);
  Hash32 signing_digest(const NetworkId& network, const NodeId& sender) const;
};

// Why a header is not joined. Numbers in the comments are the checks of PROTOCOL.md 4.1; check 1 (sender, live attempt,
// open slot) belongs to the ceremony, which knows them.
enum class HeaderFault : std::uint8_t {
  key_set_terms_differ,         // 2: ks_id, m, labels, decider or origin
  epoch_does_not_follow,        // 2: e_new is not the one after the epoch record, or kind does not fit it
  void_certificate_differs,     // 2: branch > 0 without the FinalCert(VOID) of the branch before it
  threshold_too_low,            // 3: t' < 2 outside a DKG or IMPORT of one member
  threshold_lowered,            // 3: t' < t without allow_lower_threshold
  refresh_changes_committee,    // 3: REFRESH with N != O or t' != t
  committee_differs_from_file,  // 4: DKG, IMPORT: own network file names others, another t or hash
  approvals_missing,            // 4: fewer than q (emergency: q_em; by clock: 0) by members of O
  approval_invalid,             // 4: one does not verify or is not by a member
  approvals_expired,            // 4: not_after has passed
  old_epoch_differs,            // 5: O, n, t, T_e or root_e are not the own record's
  prekey_invalid,               // 6: B, pok or psig of a member
  too_many_absent,              // 6: more than f'
  own_prekey_unknown,           // 6: the own entry holds a B whose private half this node does not have
};
std::string_view name_of(HeaderFault fault);
// Nothing: the check passes.
using HeaderVerdict = std::optional<HeaderFault>;

// Check 2. `last` is the epoch record's epoch, or nothing if no key exists; `void_cert` the id of the
// FinalCert(VOID) of branch - 1 as this node holds it (zero if none).
HeaderVerdict check_terms(const CeremonyHeader& header, const KeySetTerms& known,
                          std::optional<std::uint32_t> last_epoch, const CertificateId& void_cert);
// Check 3. `lower` is allow_lower_threshold of the approved file.
enum class LowerThreshold { refused, allowed };
HeaderVerdict check_threshold(const CeremonyHeader& header, LowerThreshold lower);
// Check 4 for epoch 0: the own network file is the approval.
HeaderVerdict check_genesis(const CeremonyHeader& header, const Committee& committee, const Threshold& threshold,
                            const FileHash& file);
// Check 4 for a reshare or refresh: signatures only, no clock (also what a decider asks). A REFRESH may have none.
HeaderVerdict check_approvals(const CeremonyHeader& header, const NetworkId& network, const Committee& old_committee);
// Check 4, the clock: only for the node that joins.
HeaderVerdict check_expiry(const CeremonyHeader& header, std::uint64_t unix_s);
// Check 5.
HeaderVerdict check_old_epoch(const CeremonyHeader& header, const OldEpoch& own_record);
// Check 6 without the own-prekey clause. Cost: one Schnorr and one ECDSA verification a member.
HeaderVerdict check_members(const CeremonyHeader& header, const NetworkId& network);
// Check 6, the own entry: the header's B at `position` is `own`. Absent passes.
HeaderVerdict check_own_prekey(const CeremonyHeader& header, Position position,
                               const std::optional<crypto::Point>& own);

}  // namespace kms::dkg
