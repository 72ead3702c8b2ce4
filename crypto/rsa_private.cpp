#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/assert.h"
#include "crypto/rsa_oaep.h"

namespace kms::crypto {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(PKCS8_PRIV_KEY_INFO* parsed) const { PKCS8_PRIV_KEY_INFO_free(parsed); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error refused() {
  ERR_clear_error();
  return error("the RSA-OAEP ciphertext does not open: wrong key, wrong label or damaged");
}

Error bad_key(const std::string& what) {
  ERR_clear_error();
  return error("RSA private key: " + what + "; give an unencrypted PKCS#8 DER key of 2048 to 4096 bits");
}

}  // namespace

struct RsaPrivateKey::Impl {
  Owned<EVP_PKEY> key;
};

RsaPrivateKey::RsaPrivateKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RsaPrivateKey::RsaPrivateKey(RsaPrivateKey&&) noexcept = default;
RsaPrivateKey& RsaPrivateKey::operator=(RsaPrivateKey&&) noexcept = default;
RsaPrivateKey::~RsaPrivateKey() = default;

RsaPrivateKey RsaPrivateKey::generate(std::size_t bits) {
  KMS_ASSERT(bits >= 2048 && bits <= 4096);
  Owned<EVP_PKEY> key(EVP_RSA_gen(static_cast<unsigned>(bits)));
  KMS_ASSERT(key != nullptr);
  return RsaPrivateKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Result<RsaPrivateKey> RsaPrivateKey::parse_pkcs8(ByteView der) {
  if (der.size() > 8192) return bad_key(std::to_string(der.size()) + " bytes are too long");
  const std::uint8_t* at = der.data();
  const Owned<PKCS8_PRIV_KEY_INFO> parsed(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!parsed || at != der.data() + der.size()) return bad_key("not one PKCS#8 structure");
  Owned<EVP_PKEY> key(EVP_PKCS82PKEY(parsed.get()));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return bad_key("not an RSA key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < 2048 || bits > 4096) return bad_key("it has " + std::to_string(bits) + " bits");
  return RsaPrivateKey(std::make_unique<Impl>(Impl{std::move(key)}));
}

Bytes RsaPrivateKey::public_spki() const {
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(impl_->key.get(), &der);
  KMS_ASSERT(size > 0);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

SecretBytes RsaPrivateKey::pkcs8() const {
  const Owned<PKCS8_PRIV_KEY_INFO> wrapped(EVP_PKEY2PKCS8(impl_->key.get()));
  KMS_ASSERT(wrapped != nullptr);
  std::uint8_t* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(wrapped.get(), &der);
  KMS_ASSERT(size > 0);
  auto out = SecretBytes::copy_of(ByteView(der, static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return out;
}

Result<SecretBytes> RsaPrivateKey::decrypt_oaep(ByteView ciphertext, ByteView label) const {
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(impl_->key.get(), nullptr));
  KMS_ASSERT(context != nullptr && EVP_PKEY_decrypt_init(context.get()) == 1);
  KMS_ASSERT(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1);
  KMS_ASSERT(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1);
  KMS_ASSERT(EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1);
  if (!label.empty()) {
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, const_cast<std::uint8_t*>(label.data()),
                                          label.size()),
        OSSL_PARAM_construct_end()};
    KMS_ASSERT(EVP_PKEY_CTX_set_params(context.get(), parameters) == 1);
  }
  const auto modulus_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(impl_->key.get()));
  if (ciphertext.size() != modulus_bytes) return refused();
  SecretBytes whole(modulus_bytes);
  std::size_t size = modulus_bytes;
  if (EVP_PKEY_decrypt(context.get(), whole.expose_mutable().data(), &size, ciphertext.data(), ciphertext.size()) !=
      1) {
    return refused();
  }
  return SecretBytes::copy_of(whole.expose().first(size));
}

}  // namespace kms::crypto
