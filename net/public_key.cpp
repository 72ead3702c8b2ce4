#include "net/public_key.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/assert.h"
#include "base/proto_wire.h"
#include "crypto/ecdsa.h"

namespace kms::net {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

bool is_p256(const EVP_PKEY* key) {
  char name[32] = {};
  std::size_t size = 0;
  return EVP_PKEY_get_group_name(key, name, sizeof name, &size) == 1 && std::string_view(name, size) == "prime256v1";
}

bool verify_evp(EVP_PKEY* key, const EVP_MD* digest, ByteView message, ByteView signature) {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  KMS_ASSERT(context);
  if (EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) != 1) return false;
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

}  // namespace

PublicKey::PublicKey(KeyType type, std::variant<crypto::Point, SharedKey> key, ByteView key_bytes)
    : type_(type), key_(std::move(key)) {
  ProtoWriter writer;
  writer.varint(1, static_cast<std::uint64_t>(type));
  writer.bytes(2, key_bytes);
  encoded_ = writer.take();
}

Result<PublicKey> PublicKey::parse(ByteView protobuf) {
  if (protobuf.size() > kEncodedBytesMax) {
    return error("public key of " + std::to_string(protobuf.size()) + " bytes, at most " +
                 std::to_string(kEncodedBytesMax) + " are read");
  }
  std::optional<std::uint64_t> type;
  std::optional<ByteView> key_bytes;
  ProtoReader reader(protobuf);
  while (auto field = reader.next()) {
    if (field->number == 1 && field->type == ProtoReader::Type::varint) type = field->value;
    if (field->number == 2 && field->type == ProtoReader::Type::bytes) key_bytes = field->bytes;
  }
  if (reader.is_malformed() || !type || !key_bytes) return error("public key is not a libp2p PublicKey message");
  switch (*type) {
    case 0:
      return from_spki(KeyType::rsa, *key_bytes);
    case 1:
      return from_ed25519(*key_bytes);
    case 2: {
      auto point = crypto::Point::parse(*key_bytes);
      if (!point) return point.error();
      return from_secp256k1(*point);
    }
    case 3:
      return from_spki(KeyType::ecdsa, *key_bytes);
    default:
      return error("public key of unknown type " + std::to_string(*type));
  }
}

PublicKey PublicKey::from_secp256k1(const crypto::Point& point) {
  auto bytes = point.bytes();
  return PublicKey(KeyType::secp256k1, point, bytes);
}

Result<PublicKey> PublicKey::from_ed25519(ByteView key32) {
  if (key32.size() != 32) return error("ed25519 key of " + std::to_string(key32.size()) + " bytes, expected 32");
  SharedKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key32.data(), key32.size()), EVP_PKEY_free);
  KMS_ASSERT(key);
  return PublicKey(KeyType::ed25519, std::move(key), key32);
}

Result<PublicKey> PublicKey::from_spki(KeyType type, ByteView der) {
  const unsigned char* at = der.data();
  SharedKey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  if (!key) return error("public key is not a SubjectPublicKeyInfo");
  if (type == KeyType::rsa) {
    int bits = EVP_PKEY_get_bits(key.get());
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return error("public key of type RSA holds another key");
    if (bits < kRsaBitsMin || bits > kRsaBitsMax) {
      return error("RSA key of " + std::to_string(bits) + " bits, expected 2048 to 8192");
    }
  } else {
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC || !is_p256(key.get())) {
      return error("ECDSA key is not on P-256");
    }
  }
  // One key has one encoding, so that it has one PeerId.
  unsigned char* again = nullptr;
  int size = i2d_PUBKEY(key.get(), &again);
  bool canonical = size > 0 && equal(der, ByteView(again, static_cast<std::size_t>(size)));
  OPENSSL_free(again);
  if (!canonical) return error("public key's SubjectPublicKeyInfo is not in canonical DER");
  return PublicKey(type, std::move(key), der);
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  if (const auto* point = secp256k1()) return crypto::verify_libp2p(*point, message, signature);
  EVP_PKEY* key = std::get<SharedKey>(key_).get();
  return verify_evp(key, type_ == KeyType::ed25519 ? nullptr : EVP_sha256(), message, signature);
}

}  // namespace kms::net
