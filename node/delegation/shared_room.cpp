#include "node/delegation/shared_room.h"

#include "base/assert.h"

namespace kms::delegation {

bool SharedRoom::take(const dkg::NodeId& holder) {
  const auto found = by_holder_.find(holder);
  const std::size_t own = found == by_holder_.end() ? 0 : found->second;
  if (own >= places_ - held_) return false;
  ++by_holder_[holder];
  ++held_;
  return true;
}

void SharedRoom::give_back(const dkg::NodeId& holder) {
  const auto found = by_holder_.find(holder);
  KMS_ASSERT(found != by_holder_.end());
  --held_;
  if (--found->second == 0) by_holder_.erase(found);
}

}  // namespace kms::delegation
