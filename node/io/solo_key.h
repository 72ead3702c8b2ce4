// The key of one chain of a solo node, over restarts.
#pragma once

#include "base/entropy.h"
#include "node/node_core.h"
#include "node/solo_settings.h"
#include "node/store.h"

namespace kms::node::io {

// As imported, as made at an earlier start, or a new one, sealed before it is used. `store` is nullptr for a node that
// keeps nothing; then the key is imported. The last key served stays on record: a warning says that it is another now,
// since what was encrypted to the former one cannot be read any more.
Result<SoloKey> solo_key(const SoloChain& chain, Store* store, Entropy& entropy);

}  // namespace kms::node::io
