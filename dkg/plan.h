// What a ceremony is started with: the parameters of one slot, from the network file and the epoch before it, and who
// this node is.
#pragma once

#include <memory>

#include "base/time.h"
#include "crypto/secret.h"
#include "dkg/epoch.h"

namespace kms::dkg {

// PROTOCOL.md 3, last table.
struct Timing {
  Duration delta = 500ms;        // network delay guessed
  Duration prekey_wait = 2s;     // initiator: for announcements, from the opening of the slot
  Duration deal_wait = 2s;       // leader: for Deals, from joining the attempt
  Duration candidate_wait = 1s;  // leader: for READYs
  Duration attempt_long = 60s;   // times 2^min(k, 10)
  Duration view_max = 1h;
};

enum class Genesis : std::uint8_t {
  automatic,  // opens when q members (this one counted) are connected
  on_order,   // opens when the operator says so: Ceremony::order
};

// Whether a member that lost a share gets it back only with a quorum of approvals (PROTOCOL.md 4.8).
enum class RepairTicket : std::uint8_t { needed, waived };

// By its own clock a node lets epoch e be refreshed `every` seconds after `since`, and joins a refresh that somebody
// else starts after four fifths of that (PROTOCOL.md 4.1). Unix seconds.
struct RefreshClock {
  std::uint64_t since = 0;
  std::uint64_t every = 0;
  bool is_due(std::uint64_t unix_s) const { return unix_s >= since + every; }
  bool may_join(std::uint64_t unix_s) const { return unix_s >= since + every - every / 5; }
};

// Everything about a slot that its members must agree on beforehand, from the network file, plus the local timers.
struct Plan {
  NetworkId network_id;
  KeySetId key_set;
  std::vector<Label> labels;  // one key each, 1..kKeysMax
  Committee members;          // N; in a DKG also D and V
  Threshold threshold;        // of `members`
  FileHash file;
  std::uint64_t not_after = 0;  // of the header, Unix seconds; 0 = never
  Genesis genesis = Genesis::automatic;
  Timing timing;
  // The epoch before, released and verified; none: this is epoch 0.
  std::shared_ptr<const EpochRecord> old = nullptr;
  LowerThreshold lower = LowerThreshold::refused;      // allow_lower_threshold of `file`
  std::optional<RefreshClock> refresh = std::nullopt;  // REFRESH only; none: it takes approvals
  RepairTicket repair_ticket = RepairTicket::needed;
  // The branches of this epoch that were given up, verified; this slot is the branch after them.
  std::vector<VoidedBranch> voided = {};
  // Epoch 0 wraps keys that exist already (PROTOCOL.md 12): their public keys, one per label, as the network file pins
  // them. Empty: epoch 0 is a DKG. Later epochs do not look at it.
  std::vector<crypto::Point> imported = {};

  // A reshare that keeps members and threshold is a refresh.
  Kind kind() const {
    if (!old) return imported.empty() ? Kind::dkg : Kind::import;
    const bool is_same = old->header.threshold == threshold && old->header.committee() == members;
    return is_same ? Kind::refresh : Kind::reshare;
  }
};

// Who this node is. All of it outlives the machine; the shares may be wiped before it, then it deals no more.
struct Self {
  const crypto::NodeKey& key;
  const crypto::Secret<32>& node_secret;  // 32 random bytes made at first start, never sent (PROTOCOL.md 3)
  // Its shares of the plan's old epoch, one per key; nullptr if it has none, and then it does not deal.
  const std::vector<crypto::SecretScalar>* shares = nullptr;
};

}  // namespace kms::dkg
