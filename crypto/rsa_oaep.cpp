#include "crypto/rsa_oaep.h"

#include <algorithm>
#include <bit>

#include <openssl/bn.h>

#include "base/assert.h"
#include "crypto/rsa_spki.h"
#include "crypto/sha256.h"

namespace kms::crypto {
namespace {

struct BnFree {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }  // clears its pool
  void operator()(BN_MONT_CTX* context) const { BN_MONT_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, BnFree>;

template <class T>
Owned<T> owned(T* made) {
  KMS_ASSERT(made != nullptr);  // out of memory
  return Owned<T>(made);
}

void xor_into(MutableByteView bytes, ByteView mask) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= mask[i];
}

// RFC 8017 B.2.1: bytes ^= MGF1-SHA256(seed).
void mask(MutableByteView bytes, ByteView seed) {
  for (std::uint32_t counter = 0; !bytes.empty(); ++counter) {
    const std::uint8_t octets[] = {0, 0, static_cast<std::uint8_t>(counter >> 8), static_cast<std::uint8_t>(counter)};
    const Secret<32> block(sha256_of({seed, octets}));
    const std::size_t size = std::min<std::size_t>(32, bytes.size());
    xor_into(bytes.first(size), block.expose());
    bytes = bytes.subspan(size);
  }
}

// RFC 8017 7.1.1 step 2: 00 || maskedSeed || maskedDB.
SecretBytes encode(ByteView plaintext, ByteView label, std::size_t size, Entropy& entropy) {
  SecretBytes encoded(size);
  const MutableByteView seed = encoded.expose_mutable().subspan(1, 32);
  const MutableByteView block = encoded.expose_mutable().subspan(33);
  entropy.fill(seed);
  const Hash32 label_hash = sha256_of({label});
  std::copy(label_hash.begin(), label_hash.end(), block.begin());
  block[block.size() - plaintext.size() - 1] = 1;
  std::copy(plaintext.begin(), plaintext.end(), block.end() - static_cast<std::ptrdiff_t>(plaintext.size()));
  mask(block, seed);
  mask(seed, block);
  return encoded;
}

}  // namespace

// A chain of Montgomery products over a cached context: on OpenSSL 3.0 a tenth to a sixth faster than
// RSA_public_encrypt and BN_mod_exp_mont, which use a window that a short public exponent does not pay for.
struct RsaPublicKey::Impl {
  Owned<BIGNUM> modulus;
  Owned<BN_MONT_CTX> montgomery;
  std::uint64_t exponent;
  std::size_t size;

  explicit Impl(const RsaNumbers& numbers)
      : modulus(owned(BN_bin2bn(numbers.modulus.data(), static_cast<int>(numbers.modulus.size()), nullptr))),
        montgomery(owned(BN_MONT_CTX_new())),
        exponent(numbers.exponent),
        size(numbers.modulus.size()) {
    const auto context = owned(BN_CTX_new());
    KMS_ASSERT(BN_MONT_CTX_set(montgomery.get(), modulus.get(), context.get()) == 1);
  }

  Bytes raise(ByteView encoded) const {
    const auto context = owned(BN_CTX_new());
    const auto base = owned(BN_bin2bn(encoded.data(), static_cast<int>(encoded.size()), nullptr));
    // EM has as many bytes as the modulus and starts with a zero byte, the modulus does not.
    KMS_ASSERT(BN_ucmp(base.get(), modulus.get()) < 0);
    const auto factor = owned(BN_new());
    const auto power = owned(BN_new());
    KMS_ASSERT(BN_to_montgomery(factor.get(), base.get(), montgomery.get(), context.get()) == 1);
    KMS_ASSERT(BN_copy(power.get(), factor.get()) != nullptr);
    const auto multiply_by = [&](const BIGNUM* by) {
      KMS_ASSERT(BN_mod_mul_montgomery(power.get(), power.get(), by, montgomery.get(), context.get()) == 1);
    };
    for (int bit = 62 - std::countl_zero(exponent); bit > 0; --bit) {
      multiply_by(power.get());
      if (exponent >> bit & 1) multiply_by(factor.get());
    }
    // The exponent is odd: its last factor, left out of Montgomery form, takes the result out of it.
    multiply_by(power.get());
    multiply_by(base.get());
    Bytes out(size);
    KMS_ASSERT(BN_bn2binpad(power.get(), out.data(), static_cast<int>(size)) == static_cast<int>(size));
    return out;
  }
};

RsaPublicKey::RsaPublicKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<RsaPublicKey> RsaPublicKey::parse_spki(ByteView der) {
  auto numbers = parse_rsa_spki(der);
  if (!numbers) return numbers.error();
  return RsaPublicKey(std::make_shared<const Impl>(*numbers));
}

std::size_t RsaPublicKey::modulus_bytes() const {
  return impl_->size;
}

Result<Bytes> RsaPublicKey::encrypt_oaep(ByteView plaintext, ByteView label, Entropy& entropy) const {
  if (plaintext.size() > impl_->size - 66) {
    return error("RSA-OAEP takes at most " + std::to_string(impl_->size - 66) + " bytes under this key, got " +
                 std::to_string(plaintext.size()));
  }
  return impl_->raise(encode(plaintext, label, impl_->size, entropy).expose());
}

}  // namespace kms::crypto
