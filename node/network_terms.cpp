#include "node/network_terms.h"

#include "base/assert.h"

namespace kms::node {

namespace {

// Everything but the key set's id, which follows from the file of epoch 0.
Result<NetworkTerms> read_terms(const registry::NetworkFile& file) {
  std::vector<crypto::Point> keys;
  for (const registry::Member& member : file.members()) keys.push_back(member.key);
  auto members = dkg::Committee::make(keys);
  if (!members) return members.error();
  auto threshold = dkg::Threshold::make(static_cast<std::uint32_t>(keys.size()), file.threshold());
  if (!threshold) return threshold.error();
  std::vector<dkg::Label> labels;
  std::map<std::uint64_t, std::vector<crypto::Address>> gateways;
  for (const registry::Chain& chain : file.chains()) {
    labels.push_back({chain.id, chain.contract.bytes});
    gateways.emplace(chain.id, chain.gateways);
  }
  std::vector<std::string> names;
  std::map<dkg::NodeId, std::vector<std::string>> addresses;
  for (std::size_t i = 0; i < file.members().size(); ++i) {
    const registry::Member& member = file.members()[i];
    names.push_back(member.name.empty() ? "member-" + std::to_string(i + 1) : member.name);
    if (!member.addresses.empty()) addresses.emplace(dkg::NodeId{member.node_id}, member.addresses);
  }
  std::set<dkg::NodeId> entries;
  for (const Hash32& entry : file.registry().form_a_entries()) entries.insert(dkg::NodeId{entry});
  // Operators start their nodes by hand, seconds apart; a member that misses the genesis has no share until repair. All
  // present, nobody waits.
  dkg::Timing timing;
  timing.prekey_wait = 10s;
  NetworkTerms out{file.name(),
                   dkg::network_id(file.name(), file.creation_nonce()),
                   {},
                   std::move(labels),
                   *members,
                   std::move(names),
                   *threshold,
                   dkg::file_hash(file.bytes()),
                   std::move(gateways),
                   std::move(entries),
                   file.genesis() == registry::Genesis::manual ? dkg::Genesis::on_order : dkg::Genesis::automatic,
                   timing,
                   file.refresh_every()};
  out.epoch = file.epoch();
  out.lower = file.allows_lower_threshold() ? dkg::LowerThreshold::allowed : dkg::LowerThreshold::refused;
  out.repair_ticket = file.needs_repair_approval() ? dkg::RepairTicket::needed : dkg::RepairTicket::waived;
  out.addresses = std::move(addresses);
  if (file.genesis() == registry::Genesis::import) {
    for (const registry::Chain& chain : file.chains()) out.imported.push_back(*chain.public_key);
  }
  return out;
}

}  // namespace

Result<NetworkTerms> network_terms(const registry::NetworkFile& file) {
  if (file.epoch() != 0) {
    return error("network file: epoch " + std::to_string(file.epoch()) +
                 " names a later committee. Every node starts with the file of epoch 0, which names the key set, and "
                 "learns later committees by kmsctl approve");
  }
  auto terms = read_terms(file);
  if (!terms) return terms.error();
  terms->key_set = dkg::key_set_id(terms->network, file.creation_nonce(), terms->members.hash(), terms->threshold.t(),
                                   terms->labels);
  return terms;
}

Result<NetworkTerms> later_terms(const NetworkTerms& genesis, std::string_view file) {
  auto parsed = registry::NetworkFile::parse(file, "the network file");
  if (!parsed) return parsed.error();
  auto terms = read_terms(*parsed);
  if (!terms) return terms.error();
  if (terms->network != genesis.network) {
    return error("the file is for another network: name and creation_nonce must stay those of network " + genesis.name);
  }
  if (terms->labels != genesis.labels) {
    return error("the file names other chains or contracts: the keys of a network never change");
  }
  if (!terms->imported.empty() && terms->imported != genesis.imported) {
    return error("the file names other imported keys: the keys of a network never change");
  }
  if (terms->epoch == 0) {
    return error("the file has epoch = 0, the epoch in which the key was made; write the number of the next epoch");
  }
  terms->key_set = genesis.key_set;
  terms->imported = genesis.imported;
  return terms;
}

dkg::Plan first_plan(const NetworkTerms& genesis) {
  dkg::Plan plan{genesis.network, genesis.key_set, genesis.labels, genesis.members, genesis.threshold, genesis.file, 0,
                 genesis.genesis, genesis.timing};
  plan.lower = genesis.lower;
  plan.repair_ticket = genesis.repair_ticket;
  plan.imported = genesis.imported;
  return plan;
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
