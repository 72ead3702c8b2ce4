#include "registry/registry.h"

#include <algorithm>

#include "base/assert.h"

namespace kms::registry {

Registry::Registry(std::vector<Member> members, std::vector<Chain> chains, std::set<Hash32> form_a_entries)
    : members_(std::move(members)), chains_(std::move(chains)), form_a_entries_(std::move(form_a_entries)) {
  for (std::size_t i = 1; i < members_.size(); ++i) KMS_ASSERT(members_[i - 1].node_id < members_[i].node_id);
  for (std::size_t i = 1; i < chains_.size(); ++i) KMS_ASSERT(chains_[i - 1].id < chains_[i].id);
  for (const Hash32& entry : form_a_entries_) KMS_ASSERT(is_member(entry));
}

const Member* Registry::find(const Hash32& node_id) const {
  const auto at = std::lower_bound(members_.begin(), members_.end(), node_id,
                                   [](const Member& member, const Hash32& id) { return member.node_id < id; });
  return at != members_.end() && at->node_id == node_id ? &*at : nullptr;
}

const Chain* Registry::chain(std::uint64_t id) const {
  for (const Chain& chain : chains_) {
    if (chain.id == id) return &chain;
  }
  return nullptr;
}

std::set<std::uint64_t> Registry::chain_ids() const {
  std::set<std::uint64_t> out;
  for (const Chain& chain : chains_) out.insert(chain.id);
  return out;
}

std::vector<crypto::Address> Registry::gateways(std::uint64_t chain_id) const {
  const Chain* found = chain(chain_id);
  return found != nullptr ? found->gateways : std::vector<crypto::Address>();
}

}  // namespace kms::registry
