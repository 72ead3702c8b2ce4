// Keys that exist already become epoch 0 of a key set (PROTOCOL.md 12). The committee is this node alone, so the
// ceremony has no messages: it is one checkpoint. From then on a Ceremony is restored from it as from any other, and a
// reshare brings the key to more nodes.
#pragma once

#include "dkg/effects.h"
#include "dkg/plan.h"

namespace kms::dkg {

// `keys`: one per label of the plan, which pins their public keys. Gives what makes them epoch 0, released: the Link,
// and the keys as shares under the key-encryption key of the epoch, all in one checkpoint; nothing is sent.
//
// An error, and then nothing was made: the plan pins no keys, is of a later epoch or of more than one member; this node
// is not that member; a key is zero or not the one that is pinned; `records` hold this slot already, whether it is in
// charge or over: a second import for a key is refused, also one of the same key.
//
// Fresh randomness for the import proofs only. Constant time in the keys.
Result<Effects> import_keys(const Plan& plan, Self self, const std::vector<crypto::SecretScalar>& keys,
                            const Records& records, Entropy& entropy);

}  // namespace kms::dkg
