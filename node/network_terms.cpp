#include "node/network_terms.h"

#include "base/assert.h"

namespace kms::node {

Result<NetworkTerms> network_terms(const registry::NetworkFile& file) {
  std::vector<crypto::Point> keys;
  for (const registry::Member& member : file.members()) keys.push_back(member.key);
  auto members = dkg::Committee::make(keys);
  if (!members) return members.error();
  auto threshold = dkg::Threshold::make(static_cast<std::uint32_t>(keys.size()), file.threshold());
  if (!threshold) return threshold.error();
  if (file.epoch() != 0) {
    return error("network file: epoch " + std::to_string(file.epoch()) +
                 " names a later committee; a new node joins with the file of epoch 0");
  }
  std::vector<dkg::Label> labels;
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways;
  for (const registry::Chain& chain : file.chains()) {
    labels.push_back({chain.id, chain.contract.bytes});
    gateways.emplace(chain.id, chain.gateways);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < file.members().size(); ++i) {
    const std::string& name = file.members()[i].name;
    names.push_back(name.empty() ? "member-" + std::to_string(i + 1) : name);
  }
  std::set<dkg::NodeId> entries;
  for (const Hash32& entry : file.registry().form_a_entries()) entries.insert(dkg::NodeId{entry});
  dkg::NetworkId network = dkg::network_id(file.name(), file.creation_nonce());
  dkg::KeySetId key_set = dkg::key_set_id(network, file.creation_nonce(), members->hash(), threshold->t(), labels);
  bool automatic = file.genesis() == registry::Genesis::automatic;
  // Operators start their nodes by hand, seconds apart; a member that misses the genesis has no share until repair. All
  // present, nobody waits.
  dkg::Timing timing;
  timing.prekey_wait = 10s;
  return NetworkTerms{file.name(),
                      network,
                      key_set,
                      std::move(labels),
                      *members,
                      std::move(names),
                      *threshold,
                      dkg::file_hash(file.bytes()),
                      std::move(gateways),
                      std::move(entries),
                      automatic ? dkg::Genesis::automatic : dkg::Genesis::on_order,
                      timing,
                      file.refresh_every()};
}

NetworkTerms solo_terms(const std::vector<SoloChain>& chains, const crypto::Point& node_key) {
  auto members = dkg::Committee::make({node_key});
  auto threshold = dkg::Threshold::make(1, 1);
  KMS_ASSERT(members && threshold);
  std::vector<dkg::Label> labels;
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways;
  for (const SoloChain& chain : chains) {
    labels.push_back({chain.id, chain.contract.bytes});
    gateways[chain.id] = {chain.gateway};
  }
  Hash32 nonce = crypto::node_id_of(node_key);
  dkg::NetworkId network = dkg::network_id("solo", nonce);
  dkg::KeySetId key_set = dkg::key_set_id(network, nonce, members->hash(), 1, labels);
  return NetworkTerms{"solo",     network, key_set,  std::move(labels),    *members, {"solo"},
                      *threshold, {},      gateways, {dkg::NodeId{nonce}}, {},       {}};
}

}  // namespace kms::node
