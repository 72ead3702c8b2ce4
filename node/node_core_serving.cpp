// The keys that this node serves, of the epoch in charge and of those beside it.
#include <algorithm>

#include "base/assert.h"
#include "node/node_core_impl.h"

namespace kms::node {

delegation::ServingKeyPtr NodeCore::Impl::serving_key(const dkg::Ceremony& epoch, std::size_t label) const {
  const dkg::EpochRecord& record = *epoch.record();
  const std::vector<crypto::SecretScalar>* shares = epoch.shares();
  std::optional<crypto::SecretScalar> share;
  // A share of zero cannot serve (PROTOCOL.md 4.3); the table shows infinity for it.
  if (shares != nullptr && !(*shares)[label].is_zero()) share = (*shares)[label].clone();
  const dkg::Committee members = record.header.committee();
  const dkg::Position place = members.position_of(self).value_or(0);
  return std::make_shared<const delegation::ServingKey>(
      delegation::ServingKey{terms.network, record.names().key(static_cast<std::uint32_t>(label + 1)),
                             terms.labels[label].chain_id, record.header.epoch, record.transcript,
                             record.header.threshold, members, record.tables[label], place, std::move(share)});
}

// Once an epoch is released its keys are served; the own share may come later than that. Beside it those epochs answer
// that an entry may still, or already, name.
void NodeCore::Impl::refresh_serving(NodeEffects& effects) {
  const dkg::Ceremony* current = ceremony();
  if (current == nullptr || !current->is_released()) return;
  const dkg::EpochRecord* record = current->record();
  if (record == nullptr || record->tables.size() != terms.labels.size()) return;
  for (std::size_t i = 0; i < terms.labels.size(); ++i) {
    std::uint64_t chain_id = terms.labels[i].chain_id;
    auto known = serving.find(chain_id);
    bool same = known != serving.end() && known->second->transcript == record->transcript;
    if (same && (known->second->share.has_value() || current->shares() == nullptr)) continue;
    serving[chain_id] = serving_key(*current, i);
    board.serve_with(serving[chain_id], gateways(chain_id));
    const bool is_imported = record->header.terms.origin == dkg::Origin::imported;
    if (is_imported && imported.insert(chain_id).second) {
      effects.log.push_back(
          {LogLevel::warn, "the key of chain " + std::to_string(chain_id) +
                               " was imported and is no threshold key: whoever ever held it can decrypt "
                               "all that is or will be encrypted to it, alone and unseen"});
    }
    effects.log.push_back({LogLevel::info, "serving chain " + std::to_string(chain_id) + " with public key " +
                                               to_0x(record->tables[i].public_key.bytes()) + ", epoch " +
                                               std::to_string(record->header.epoch) +
                                               (current->shares() == nullptr ? ", without an own share" : "")});
  }
  std::vector<delegation::ServingKeyPtr> others;
  for (const dkg::Ceremony* epoch : epochs->answering()) {
    if (epoch == current) continue;
    for (std::size_t i = 0; i < terms.labels.size(); ++i) {
      auto held = std::find_if(answering.begin(), answering.end(), [&](const delegation::ServingKeyPtr& key) {
        return key->transcript == epoch->record()->transcript && key->chain_id == terms.labels[i].chain_id;
      });
      others.push_back(held == answering.end() ? serving_key(*epoch, i) : *held);
    }
  }
  answering = std::move(others);
}

delegation::ServingKeyPtr NodeCore::Impl::find_serving(const dkg::KeyId& key,
                                                       const dkg::TranscriptHash& transcript) const {
  const auto current =
      std::find_if(serving.begin(), serving.end(), [&](const auto& entry) { return entry.second->key == key; });
  if (current == serving.end()) return nullptr;
  if (current->second->transcript == transcript) return current->second;
  for (const delegation::ServingKeyPtr& other : answering) {
    if (other->key == key && other->transcript == transcript) return other;
  }
  return current->second;
}

delegation::ServingKeyPtr NodeCore::Impl::find_serving(const dkg::TranscriptHash& transcript) const {
  for (const auto& [chain_id, key] : serving) {
    if (key->transcript == transcript) return key;
  }
  for (const delegation::ServingKeyPtr& key : answering) {
    if (key->transcript == transcript) return key;
  }
  return nullptr;
}

const std::vector<crypto::Address>& NodeCore::Impl::gateways(std::uint64_t chain_id) const {
  static const std::vector<crypto::Address> kNobody;
  auto found = terms.gateways.find(chain_id);
  return found == terms.gateways.end() ? kNobody : found->second;
}

const dkg::Label& NodeCore::Impl::label_of(std::uint64_t chain_id) const {
  auto found = std::find_if(terms.labels.begin(), terms.labels.end(),
                            [&](const dkg::Label& label) { return label.chain_id == chain_id; });
  KMS_ASSERT(found != terms.labels.end());
  return *found;
}

}  // namespace kms::node
