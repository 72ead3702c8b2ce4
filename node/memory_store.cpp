#include "node/memory_store.h"

#include "base/assert.h"

namespace kms::node {

MemoryStore::Record MemoryStore::Record::clone() const {
  return {value, kek, secret.clone()};
}

MemoryStore::State MemoryStore::State::clone() const {
  State out;
  out.commits = commits;
  for (const auto& [key, record] : records) out.records.emplace(key, record.clone());
  return out;
}

std::optional<Bytes> MemoryStore::find(std::string_view key) const {
  const auto at = now_.records.find(key);
  if (at == now_.records.end() || at->second.kek) return std::nullopt;
  return at->second.value;
}

Result<crypto::SecretBytes> MemoryStore::open(std::string_view key) const {
  const auto at = now_.records.find(key);
  if (at == now_.records.end()) return error("the store has no record " + std::string(key));
  if (!at->second.kek) return error("the record " + std::string(key) + " is not a sealed one");
  return at->second.secret.clone();
}

std::vector<std::string> MemoryStore::list(std::string_view prefix) const {
  std::vector<std::string> out;
  for (auto at = now_.records.lower_bound(prefix); at != now_.records.end() && at->first.starts_with(prefix); ++at) {
    out.push_back(at->first);
  }
  return out;
}

void MemoryStore::commit(const dkg::Checkpoint& checkpoint) {
  if (std::exchange(fails_next_, false)) throw StoreFailure("the store was told to fail");
  if (checkpoint.empty()) return;
  for (const dkg::Write& write : checkpoint.writes) std::visit([this](const auto& one) { apply(one); }, write);
  ++now_.commits;
}

void MemoryStore::apply(const dkg::Put& put) {
  KMS_ASSERT(is_store_key(put.key) && put.value.size() <= kStoreValueBytesMax);
  now_.records.insert_or_assign(put.key, Record{put.value, std::nullopt, {}});
}

void MemoryStore::apply(const dkg::Seal& seal) {
  KMS_ASSERT(is_store_key(seal.key) && is_store_key(seal.kek) && seal.value.size() <= kStoreValueBytesMax);
  now_.records.insert_or_assign(seal.key, Record{{}, seal.kek, seal.value.clone()});
}

void MemoryStore::apply(const dkg::Erase& erase) {
  KMS_ASSERT(is_store_key(erase.key));
  now_.records.erase(erase.key);
}

void MemoryStore::apply(const dkg::DestroyKek& destroy) {
  KMS_ASSERT(is_store_key(destroy.kek));
  std::erase_if(now_.records, [&](const auto& entry) { return entry.second.kek == destroy.kek; });
}

void MemoryStore::hold_writes() {
  if (!durable_) durable_ = now_.clone();
}

void MemoryStore::sync() {
  durable_.reset();
}

void MemoryStore::crash() {
  if (durable_) now_ = std::move(*durable_);
  durable_.reset();
  fails_next_ = false;
}

}  // namespace kms::node
