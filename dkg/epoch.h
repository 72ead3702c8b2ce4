// What a node keeps of an epoch: the public record that proves it to others, and the secret shares (PROTOCOL.md 3
// "epoch record", 4.7 "Link").
#pragma once

#include "dkg/certificate.h"
#include "dkg/key_table.h"

namespace kms::dkg {

constexpr std::uint32_t kVoidsMax = 16;  // branches of one epoch that are given up

// One step of a key set's history; proves itself to whoever trusts the step before it.
struct Link {
  CeremonyHeader header;  // its branch is the Link's branch
  DealList list;          // gives T; empty in an IMPORT
  Certificate final;
  Certificate activation;
  std::optional<Certificate> fate;               // RELEASE; none for epoch 0
  std::vector<Certificate> voids;                // FinalCert(VOID) of branches 0 .. branch - 1
  std::vector<KeyTable> tables;                  // m
  std::vector<crypto::DleqProof> import_proofs;  // m in an IMPORT, else none
  std::vector<Certificate> emergencies = {};     // EMERGENCY certificates that the voids name, in their order
  Bytes body() const;
  static Result<Link> parse(ByteView body);
};

struct EpochChain {
  static constexpr MessageType kType = MessageType::epoch_chain;
  static constexpr std::size_t kLinksMax = 64;
  static constexpr std::size_t kBytesMax = 640 * 1024;  // one Link always fits; a longer run goes in several messages
  std::vector<Link> links;
  Bytes body() const;
  static Result<EpochChain> parse(ByteView body);
};

// Everything public about one epoch as its members hold it, growing with the certificates.
struct EpochRecord {
  CeremonyHeader header;
  Sid sid;
  DealList list;
  TranscriptHash transcript;
  Certificate final;
  std::vector<KeyTable> tables;  // empty until known (DKG: t ACTIVEs)
  Root root;                     // zero until known
  std::optional<Certificate> activation;
  std::optional<Certificate> fate;
  std::vector<Certificate> voids;
  std::vector<crypto::DleqProof> import_proofs;  // IMPORT only
  std::vector<Certificate> emergencies = {};     // as in the Link

  EpochNames names() const { return epoch_names(header, transcript); }
  SlotId slot() const { return header.slot(); }
  // As the `old` of the next header; the root is known.
  OldEpoch as_old() const;
  // Nothing before activation (and, from epoch 1 on, before the fate).
  std::optional<Link> link() const;
  bool is_released() const { return activation && (header.epoch == 0 || fate); }
};

// Verifies one Link: `previous` is the record of the epoch before it (none for epoch 0, whose key set id the caller has
// pinned). Certificates, continuity, table degree, same S; not the header's approvals (check_approvals) nor its
// prekeys, which the deciders judged. `imported`: the public keys that the network file pins (Plan::imported). Epoch 0
// is an IMPORT of exactly those, or a DKG if there are none.
Result<EpochRecord> verify_link(const Link& link, const NetworkId& network, const EpochRecord* previous,
                                const std::vector<crypto::Point>& imported = {});

// A branch that the old committee gave up: FinalCert(VOID), and the EMERGENCY certificate if the fate names one.
struct VoidedBranch {
  Certificate fate;
  std::optional<Certificate> emergency;
};
// Whether it voids that slot, by signatures of the committee of `old`.
Result<void> verify_void(const VoidedBranch& voided, const SlotId& slot, const NetworkId& network,
                         const EpochRecord& old);

// The secret share of one key in one epoch.
struct KeyShare {
  KeyId key;
  std::uint32_t epoch = 0;
  TranscriptHash transcript;
  Position index = 0;
  crypto::SecretScalar share;
};
// One for every key, from s_i in the key set's order.
std::vector<KeyShare> key_shares(const EpochNames& names, Position index, std::vector<crypto::SecretScalar> shares);

}  // namespace kms::dkg
