#include "net/noise_cipher.h"

#include <limits>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/assert.h"
#include "crypto/hkdf.h"

namespace kms::net {
namespace {

// 32 bytes, so it is the first hash and chaining key itself.
constexpr std::string_view kName = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(kName.size() == 32);

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

KeyHandle private_key(const crypto::Secret<32>& secret) {
  KeyHandle key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.expose().data(), secret.expose().size()));
  KMS_ASSERT(key);
  return key;
}

int size_of(ByteView bytes) {
  KMS_ASSERT(bytes.size() <= 65535);
  return static_cast<int>(bytes.size());
}

}  // namespace

void NoiseCipher::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);  // cleanses the key
}

NoiseCipher::NoiseCipher(const crypto::Secret<32>& key, Direction direction) : context_(EVP_CIPHER_CTX_new()) {
  int encrypt = direction == Direction::encrypt ? 1 : 0;
  KMS_ASSERT(context_ && EVP_CipherInit_ex(context_.get(), EVP_chacha20_poly1305(), nullptr, key.expose().data(),
                                           nullptr, encrypt) == 1);
}

Result<void> NoiseCipher::start_message(ByteView associated) {
  if (counter_ == std::numeric_limits<std::uint64_t>::max()) return error("noise: the key is used up");
  ByteArray<12> nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] = static_cast<std::uint8_t>(counter_ >> (8 * i));
  ++counter_;
  KMS_ASSERT(EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), -1) == 1);
  int written = 0;
  if (!associated.empty()) {
    KMS_ASSERT(EVP_CipherUpdate(context_.get(), nullptr, &written, associated.data(), size_of(associated)) == 1);
  }
  return {};
}

Result<void> NoiseCipher::seal(ByteView associated, ByteView plaintext, Bytes& out) {
  auto started = start_message(associated);
  if (!started) return started;
  std::size_t begin = out.size();
  out.resize(begin + plaintext.size() + kNoiseTagBytes);
  std::uint8_t* at = out.data() + begin;
  int written = 0;
  if (!plaintext.empty()) {
    KMS_ASSERT(EVP_CipherUpdate(context_.get(), at, &written, plaintext.data(), size_of(plaintext)) == 1);
    KMS_ASSERT(static_cast<std::size_t>(written) == plaintext.size());
  }
  KMS_ASSERT(EVP_CipherFinal_ex(context_.get(), at + plaintext.size(), &written) == 1 && written == 0);
  KMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kNoiseTagBytes, at + plaintext.size()) == 1);
  return {};
}

Result<void> NoiseCipher::open(ByteView associated, ByteView sealed, Bytes& out) {
  if (sealed.size() < kNoiseTagBytes) return error("noise: message of " + std::to_string(sealed.size()) + " bytes");
  auto started = start_message(associated);
  if (!started) return started;
  ByteView ciphertext = sealed.first(sealed.size() - kNoiseTagBytes);
  ByteArray<kNoiseTagBytes> tag = to_array<kNoiseTagBytes>(sealed.last(kNoiseTagBytes));
  KMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kNoiseTagBytes, tag.data()) == 1);
  std::size_t begin = out.size();
  out.resize(begin + ciphertext.size());
  int written = 0;
  if (!ciphertext.empty()) {
    KMS_ASSERT(EVP_CipherUpdate(context_.get(), out.data() + begin, &written, ciphertext.data(), size_of(ciphertext)) ==
               1);
  }
  std::uint8_t none = 0;
  if (EVP_CipherFinal_ex(context_.get(), &none, &written) != 1) {
    crypto::wipe(MutableByteView(out).subspan(begin));
    out.resize(begin);
    return error("noise: a message did not authenticate");
  }
  return {};
}

NoiseKeyPair::NoiseKeyPair(crypto::Secret<32> secret) : secret_(std::move(secret)) {
  std::size_t size = public_key_.size();
  KMS_ASSERT(EVP_PKEY_get_raw_public_key(private_key(secret_).get(), public_key_.data(), &size) == 1);
}

Result<crypto::Secret<32>> NoiseKeyPair::agree(ByteView public_key32) const {
  KMS_ASSERT(public_key32.size() == 32);
  KeyHandle ours = private_key(secret_);
  KeyHandle theirs(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, public_key32.data(), public_key32.size()));
  std::unique_ptr<EVP_PKEY_CTX, FreeKey> context(EVP_PKEY_CTX_new(ours.get(), nullptr));
  KMS_ASSERT(theirs && context && EVP_PKEY_derive_init(context.get()) == 1);
  crypto::Secret<32> shared;
  std::size_t size = shared.expose().size();
  bool derived = EVP_PKEY_derive_set_peer(context.get(), theirs.get()) == 1 &&
                 EVP_PKEY_derive(context.get(), shared.expose_mutable().data(), &size) == 1;
  if (!derived) return error("noise: the other end's X25519 key has small order");
  return shared;
}

NoiseSymmetric::NoiseSymmetric(ByteView prologue)
    : hash_(to_array<32>(as_bytes(kName))), chaining_key_(crypto::Secret<32>::copy_of(as_bytes(kName))) {
  mix_hash(prologue);
}

void NoiseSymmetric::mix_hash(ByteView bytes) {
  Bytes both = to_bytes(hash_);
  append(both, bytes);
  SHA256(both.data(), both.size(), hash_.data());
}

std::pair<crypto::Secret<32>, crypto::Secret<32>> NoiseSymmetric::derive(ByteView input) {
  crypto::SecretBytes both = crypto::hkdf_sha256(input, chaining_key_.expose(), {}, 64);
  return {crypto::Secret<32>::copy_of(both.expose().first(32)), crypto::Secret<32>::copy_of(both.expose().last(32))};
}

void NoiseSymmetric::mix_key(const crypto::Secret<32>& shared) {
  auto [chaining_key, key] = derive(shared.expose());
  chaining_key_ = std::move(chaining_key);
  encrypt_.emplace(key, NoiseCipher::Direction::encrypt);
  decrypt_.emplace(key, NoiseCipher::Direction::decrypt);
}

void NoiseSymmetric::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  std::size_t begin = out.size();
  if (encrypt_) {
    KMS_ASSERT(encrypt_->seal(hash_, plaintext, out));
    decrypt_->skip_message();
  } else {
    append(out, plaintext);
  }
  mix_hash(ByteView(out).subspan(begin));
}

Result<Bytes> NoiseSymmetric::decrypt_and_hash(ByteView sealed) {
  Bytes plaintext;
  if (decrypt_) {
    auto opened = decrypt_->open(hash_, sealed, plaintext);
    if (!opened) return opened.error();
    encrypt_->skip_message();
  } else {
    append(plaintext, sealed);
  }
  mix_hash(sealed);
  return plaintext;
}

std::pair<crypto::Secret<32>, crypto::Secret<32>> NoiseSymmetric::split() {
  encrypt_.reset();
  decrypt_.reset();
  return derive({});
}

}  // namespace kms::net
