#include "tests/sim/disk.h"

namespace kms::sim {

void Disk::apply(const dkg::Checkpoint& checkpoint) {
  for (const auto& write : checkpoint.writes) {
    if (const auto* put = std::get_if<dkg::Put>(&write)) {
      plain_[put->key] = put->value;
    } else if (const auto* seal = std::get_if<dkg::Seal>(&write)) {
      sealed_[seal->key] = {seal->kek, to_bytes(seal->value.expose())};
    } else if (const auto* erase = std::get_if<dkg::Erase>(&write)) {
      plain_.erase(erase->key);
      sealed_.erase(erase->key);
    } else if (const auto* destroy = std::get_if<dkg::DestroyKek>(&write)) {
      destroyed_.insert(destroy->kek);
      std::erase_if(sealed_, [&](const auto& entry) { return entry.second.kek == destroy->kek; });
    }
  }
}

std::optional<Bytes> Disk::find(std::string_view key) const {
  const auto found = plain_.find(std::string(key));
  if (found == plain_.end()) return std::nullopt;
  return found->second;
}

Result<crypto::SecretBytes> Disk::open(std::string_view key) const {
  const auto found = sealed_.find(std::string(key));
  if (found == sealed_.end()) return error("no sealed record " + std::string(key));
  return crypto::SecretBytes::copy_of(found->second.content);
}

std::vector<std::string> Disk::list(std::string_view prefix) const {
  std::set<std::string> keys;
  for (const auto& [key, value] : plain_) {
    if (key.starts_with(prefix)) keys.insert(key);
  }
  for (const auto& [key, box] : sealed_) {
    if (key.starts_with(prefix)) keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

std::size_t Disk::readable_secrets() const {
  return sealed_.size();
}

}  // namespace kms::sim
