#include "crypto/aead.h"

#include <limits>

#include <openssl/evp.h>

#include "base/assert.h"

namespace kms::crypto {
namespace {

const EVP_CIPHER* algorithm() {
  static EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  KMS_ASSERT(fetched != nullptr);
  return fetched;
}

// Lent for one operation; the reset frees the provider's state, which cleanses the key schedule and the last blocks.
class Context {
 public:
  Context() {
    static thread_local Owner owner;
    context_ = owner.context;
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { EVP_CIPHER_CTX_reset(context_); }
  EVP_CIPHER_CTX* operator*() const { return context_; }

 private:
  struct Owner {
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    Owner() { KMS_ASSERT(context != nullptr); }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    ~Owner() { EVP_CIPHER_CTX_free(context); }
  };
  EVP_CIPHER_CTX* context_;
};

int length(ByteView bytes) {
  KMS_ASSERT(bytes.size() <= std::numeric_limits<int>::max() - kAeadTagBytes);
  return static_cast<int>(bytes.size());
}

}  // namespace

Bytes aead_seal(ByteView key32, ByteView nonce12, ByteView aad, ByteView plaintext) {
  KMS_ASSERT(key32.size() == 32 && nonce12.size() == kAeadNonceBytes);
  Context context;
  Bytes out(plaintext.size() + kAeadTagBytes);
  int written = 0;
  KMS_ASSERT(EVP_EncryptInit_ex2(*context, algorithm(), key32.data(), nonce12.data(), nullptr) == 1);
  if (!aad.empty()) {
    KMS_ASSERT(EVP_EncryptUpdate(*context, nullptr, &written, aad.data(), length(aad)) == 1);
  }
  if (!plaintext.empty()) {
    KMS_ASSERT(EVP_EncryptUpdate(*context, out.data(), &written, plaintext.data(), length(plaintext)) == 1);
  }
  std::uint8_t* const tag = out.data() + plaintext.size();
  KMS_ASSERT(EVP_EncryptFinal_ex(*context, tag, &written) == 1);
  KMS_ASSERT(EVP_CIPHER_CTX_ctrl(*context, EVP_CTRL_AEAD_GET_TAG, kAeadTagBytes, tag) == 1);
  return out;
}

Result<SecretBytes> aead_open(ByteView key32, ByteView nonce12, ByteView aad, ByteView sealed) {
  KMS_ASSERT(key32.size() == 32 && nonce12.size() == kAeadNonceBytes);
  if (sealed.size() < kAeadTagBytes) return error("the ciphertext does not open: wrong key or damaged");
  const ByteView ciphertext = sealed.first(sealed.size() - kAeadTagBytes);
  auto tag = to_array<kAeadTagBytes>(sealed.subspan(ciphertext.size()));
  Context context;
  SecretBytes out(ciphertext.size());
  int written = 0;
  KMS_ASSERT(EVP_DecryptInit_ex2(*context, algorithm(), key32.data(), nonce12.data(), nullptr) == 1);
  if (!aad.empty()) {
    KMS_ASSERT(EVP_DecryptUpdate(*context, nullptr, &written, aad.data(), length(aad)) == 1);
  }
  if (!ciphertext.empty()) {
    KMS_ASSERT(
        EVP_DecryptUpdate(*context, out.expose_mutable().data(), &written, ciphertext.data(), length(ciphertext)) == 1);
  }
  KMS_ASSERT(EVP_CIPHER_CTX_ctrl(*context, EVP_CTRL_AEAD_SET_TAG, kAeadTagBytes, tag.data()) == 1);
  std::uint8_t unused[kAeadTagBytes];
  if (EVP_DecryptFinal_ex(*context, unused, &written) != 1) {
    return error("the ciphertext does not open: wrong key or damaged");
  }
  return out;
}

}  // namespace kms::crypto
