#include "net/identity.h"

#include <memory>

#include <openssl/evp.h>

#include "base/assert.h"

namespace kms::net {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using PrivateKey = std::unique_ptr<EVP_PKEY, Free>;

PrivateKey ed25519_key(const crypto::Secret<32>& seed) {
  PrivateKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.expose().data(), seed.expose().size()));
  KMS_ASSERT(key);
  return key;
}

PublicKey ed25519_public_key(const crypto::Secret<32>& seed) {
  ByteArray<32> bytes{};
  std::size_t size = bytes.size();
  KMS_ASSERT(EVP_PKEY_get_raw_public_key(ed25519_key(seed).get(), bytes.data(), &size) == 1);
  auto key = PublicKey::from_ed25519(bytes);
  KMS_ASSERT(key);
  return *key;
}

Bytes sign_ed25519(const crypto::Secret<32>& seed, ByteView message) {
  PrivateKey key = ed25519_key(seed);
  std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  KMS_ASSERT(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  Bytes signature(64);
  std::size_t size = signature.size();
  KMS_ASSERT(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  return signature;
}

}  // namespace

Identity::Identity(Key key, PublicKey public_key)
    : key_(std::move(key)), public_key_(std::move(public_key)), peer_id_(PeerId::of(public_key_)) {}

Identity::Identity(crypto::NodeKey key)
    : key_(std::move(key)),
      public_key_(PublicKey::from_secp256k1(std::get<crypto::NodeKey>(key_).public_key())),
      peer_id_(PeerId::of(public_key_)) {}

Result<Identity> Identity::from_secp256k1(ByteView secret32) {
  auto secret = crypto::SecretScalar::parse(secret32);
  if (!secret) return secret.error();
  auto key = crypto::NodeKey::from_secret(std::move(*secret));
  if (!key) return key.error();
  return Identity(std::move(*key));
}

Identity Identity::from_ed25519(crypto::Secret<32> seed) {
  PublicKey public_key = ed25519_public_key(seed);
  return Identity(Key(std::move(seed)), std::move(public_key));
}

Identity Identity::generate(Entropy& entropy) {
  return Identity(crypto::NodeKey::generate(entropy));
}

Bytes Identity::sign(ByteView message) const {
  if (const auto* key = std::get_if<crypto::NodeKey>(&key_)) return key->sign_libp2p(message);
  return sign_ed25519(std::get<crypto::Secret<32>>(key_), message);
}

}  // namespace kms::net
