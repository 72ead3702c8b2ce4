// One-time prekeys: shares travel under them and nothing else, and they are destroyed with their slot
// (PROTOCOL.md 4.1 "Prekeys", TRANSCRIPTS.md 4).
#pragma once

#include "dkg/committee.h"
#include "dkg/messages.h"

namespace kms::dkg {

// What one prekey is for. Series 0: epoch is e_new and number the attempt; series 1: the epoch repaired and a counter.
struct PrekeyScope {
  NetworkId network;
  Series series = Series::ceremony;
  KeySetId key_set;
  std::uint32_t epoch = 0;
  std::uint32_t branch = 0;
  bool operator==(const PrekeyScope&) const = default;
};

// A window as its owner holds it: what is announced and the private halves, secrets[i] for number first + i.
struct PrekeyWindow {
  PreKeyAnnounce announce;
  std::vector<crypto::SecretScalar> secrets;
};

// `first` is a multiple of 8.
PrekeyWindow make_prekeys(const crypto::NodeKey& node, const PrekeyScope& scope, std::uint32_t first, Entropy& entropy);
// The same from private halves that exist (after a restart the announcement bytes are re-sent instead).
SignedPrekey sign_prekey(const crypto::NodeKey& node, const PrekeyScope& scope, std::uint32_t number,
                         const crypto::SecretScalar& secret, Entropy& entropy);

// pok and psig of one prekey of `owner`.
bool verify_prekey(const SignedPrekey& prekey, const Member& owner, const PrekeyScope& scope, std::uint32_t number);
// All eight, and that the announcement is for this scope. Its envelope's signature is checked apart.
Result<void> verify_announce(const PreKeyAnnounce& announce, const Member& owner, const PrekeyScope& scope);

}  // namespace kms::dkg
