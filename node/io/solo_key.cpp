#include "node/io/solo_key.h"

#include <algorithm>

#include "crypto/point.h"
#include "node/io/log.h"

namespace kms::node::io {
namespace {

std::string name_of(std::uint64_t chain_id) {
  return "solo/" + std::to_string(chain_id) + "/key";
}

Result<std::optional<crypto::SecretScalar>> stored_key(std::uint64_t chain_id, const Store& store) {
  const std::string name = name_of(chain_id);
  const std::vector<std::string> known = store.list(name);
  if (std::find(known.begin(), known.end(), name) == known.end()) return std::optional<crypto::SecretScalar>();
  auto sealed = store.open(name);
  if (!sealed) return error("the key of chain " + std::to_string(chain_id) + ": " + sealed.error().message);
  auto secret = crypto::SecretScalar::parse(sealed->expose());
  if (!secret) return error("the stored key of chain " + std::to_string(chain_id) + " is damaged");
  return std::optional<crypto::SecretScalar>(std::move(*secret));
}

crypto::SecretScalar made_key(std::uint64_t chain_id, Store& store, Entropy& entropy) {
  crypto::SecretScalar secret = crypto::SecretScalar::random(entropy);
  const std::string name = name_of(chain_id);
  dkg::Checkpoint checkpoint;
  checkpoint.writes.push_back(dkg::Seal{name, name + "/kek", crypto::SecretBytes::copy_of(secret.expose())});
  store.commit(checkpoint);
  return secret;
}

void keep_on_record(const SoloKey& key, Store& store) {
  const std::string name = "solo/" + std::to_string(key.chain_id) + "/served";
  const auto encoded = crypto::multiply_generator(key.secret).point().bytes();
  const Bytes served(encoded.begin(), encoded.end());
  const auto before = store.find(name);
  if (before == served) return;
  if (before) {
    log(LogLevel::warn, "chain " + std::to_string(key.chain_id) + " has another key than at the last start: now " +
                            to_0x(served) + " (" + (key.imported ? "imported" : "generated") + "), before " +
                            to_0x(*before) + ". What was encrypted to that one cannot be read with this one");
  }
  dkg::Checkpoint checkpoint;
  checkpoint.writes.push_back(dkg::Put{name, served});
  store.commit(checkpoint);
}

}  // namespace

Result<SoloKey> solo_key(const SoloChain& chain, Store* store, Entropy& entropy) {
  SoloKey key;
  key.chain_id = chain.id;
  key.imported = chain.imported_key.has_value();
  if (chain.imported_key) {
    key.secret = chain.imported_key->clone();
  } else {
    auto stored = stored_key(chain.id, *store);
    if (!stored) return stored.error();
    key.secret = *stored ? std::move(**stored) : made_key(chain.id, *store, entropy);
  }
  if (store != nullptr) keep_on_record(key, *store);
  return key;
}

}  // namespace kms::node::io
