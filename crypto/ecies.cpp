#include "crypto/ecies.h"

#include "crypto/aead.h"
#include "crypto/hkdf.h"

namespace kms::crypto {
namespace {

SecretBytes content_key(ByteView shared_x32) {
  return hkdf_sha256(shared_x32, {}, as_bytes("ECIES:AES_GCM:v1"), 32);
}

}  // namespace

EciesCiphertext ecies_encrypt(const Point& public_key, ByteView plaintext, Entropy& entropy) {
  const SecretScalar k = SecretScalar::random(entropy);
  const Secret<32> shared = ecdh_x(k, public_key);
  const SecretBytes key = content_key(shared.expose());
  EciesCiphertext out;
  out.ephemeral = multiply_generator(k).bytes();
  out.nonce = entropy.array<12>();
  out.sealed = aead_seal(key.expose(), out.nonce, {}, plaintext);
  return out;
}

Result<SecretBytes> ecies_decrypt(ByteView shared_x32, const EciesCiphertext& ciphertext) {
  const SecretBytes key = content_key(shared_x32);
  return aead_open(key.expose(), ciphertext.nonce, {}, ciphertext.sealed);
}

}  // namespace kms::crypto
