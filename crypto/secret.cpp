#include "crypto/secret.h"

#include <openssl/crypto.h>

#include "crypto/declassify.h"

namespace kms::crypto {

void wipe(MutableByteView bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    wipe(bytes_);
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  int difference = CRYPTO_memcmp(a.data(), b.data(), a.size());
  declassify(&difference, sizeof difference);
  return difference == 0;
}

}  // namespace kms::crypto
