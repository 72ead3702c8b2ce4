// Node signatures of protocol messages (TRANSCRIPTS.md 6): recoverable ECDSA, low s, wire r || s || v with v 27 or 28.
#pragma once

#include "crypto/ecdsa.h"
#include "dkg/ids.h"

namespace kms::dkg {

using Signature = crypto::RecoverableSignature;

// A signature and the position of its maker in the committee meant.
struct IndexedSignature {
  Position index = 0;
  Signature signature;
};

// Starts H_"KMS1/sig/<type>"(network_id; sender; ..): the caller appends the fields and takes the hash.
crypto::Transcript signing_transcript(std::string_view type, const NetworkId& network, const NodeId& sender);

}  // namespace kms::dkg
