// What a node remembers: a durable ordered key-value store with atomic batches and erasable secrets. Key rules and
// write types are those of dkg/effects.h.
#pragma once

#include <stdexcept>

#include "dkg/effects.h"

namespace kms::node {

class Store : public dkg::Records {
 public:
  // All or nothing, in order; returns only when durable, so that what depends on it may be sent then. A store that
  // cannot keep that promise throws StoreFailure, and the process must stop without sending anything.
  virtual void commit(const dkg::Checkpoint& checkpoint) = 0;
  // Rises by one with every commit of at least one write and never falls: a lower value than one seen before means
  // that the store was rolled back.
  virtual std::uint64_t commits() const = 0;
};

// The disk or the store is broken; the message says what and what to do.
class StoreFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Keys and names of key-encryption keys: 1 to 200 printable ASCII characters without spaces. Values up to 1 MiB.
inline constexpr std::size_t kStoreKeyBytesMax = 200;
inline constexpr std::size_t kStoreValueBytesMax = 1024 * 1024;
bool is_store_key(std::string_view key);

}  // namespace kms::node
