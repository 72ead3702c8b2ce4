// What a ceremony is started with: the parameters of one slot, from the network file, and who this node is.
#pragma once

#include "base/time.h"
#include "crypto/secret.h"
#include "dkg/committee.h"
#include "dkg/quorum.h"

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

// Everything about a slot that its members must agree on beforehand, from the network file, plus the local timers.
struct Plan {
  NetworkId network_id;
  KeySetId key_set;
  std::vector<Label> labels;  // one key each, 1..kKeysMax
  Committee members;          // D = N = V in a DKG
  Threshold threshold;        // of `members`
  FileHash file;
  std::uint64_t not_after = 0;  // of the header, Unix seconds; 0 = never
  Genesis genesis = Genesis::automatic;
  Timing timing;
};

// Who this node is. Both outlive the machine.
struct Self {
  const crypto::NodeKey& key;
  const crypto::Secret<32>& node_secret;  // 32 random bytes made at first start, never sent (PROTOCOL.md 3)
};

}  // namespace kms::dkg
