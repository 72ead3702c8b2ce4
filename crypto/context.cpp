#include "crypto/context.h"

#include "base/assert.h"
#include "crypto/secret.h"

namespace kms::crypto {
namespace {

secp256k1_context* mutable_context() {
  static secp256k1_context* const made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
  return made;
}

}  // namespace

void randomize_context(Entropy& entropy) {
  auto seed = Secret<32>::random(entropy);
  KMS_ASSERT(secp256k1_context_randomize(mutable_context(), seed.expose().data()) == 1);
}

const secp256k1_context* context() {
  return mutable_context();
}

}  // namespace kms::crypto
