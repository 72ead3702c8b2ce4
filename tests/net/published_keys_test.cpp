// Keys and signatures that others published: the vectors of the peer-id specification, the fixtures of go-libp2p, and
// RFC 6979. What our identities cannot own (RSA, ECDSA) is derived with OpenSSL.
#include <memory>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/proto_wire.h"
#include "fixtures.h"

namespace kms::net {
namespace {

struct KeyMessage {
  std::uint64_t type = 0;
  Bytes key;  // the Data field
};

KeyMessage read_key_message(ByteView encoded) {
  KeyMessage out;
  ProtoReader reader(encoded);
  while (auto field = reader.next()) {
    if (field->number == 1) out.type = field->value;
    if (field->number == 2) out.key = to_bytes(field->bytes);
  }
  EXPECT_FALSE(reader.is_malformed());
  return out;
}

// The SubjectPublicKeyInfo of a private key in PKCS#1 or SEC 1 DER.
Bytes spki_of_private(ByteView der) {
  const unsigned char* at = der.data();
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())), EVP_PKEY_free);
  unsigned char* out = nullptr;
  int size = key ? i2d_PUBKEY(key.get(), &out) : 0;
  Bytes spki(out, out + size);
  OPENSSL_free(out);
  return spki;
}

// Nothing for the kinds that we verify and never own.
std::optional<Identity> identity_of(const KeyMessage& secret) {
  ByteView key = secret.key;
  if (secret.type == 1) return Identity::from_ed25519(crypto::Secret<32>::copy_of(key.first(32)));
  if (secret.type == 2) return std::move(Identity::from_secp256k1(key).value());
  return std::nullopt;
}

void expect_pair(const boost::json::value& entry) {
  SCOPED_TRACE(text_field(entry, "kind"));
  KeyMessage secret = read_key_message(hex_field(entry, "privateKeyProtobuf"));
  Bytes encoded = hex_field(entry, "publicKeyProtobuf");
  auto key = PublicKey::parse(encoded);
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(to_bytes(key->encoded()), encoded);
  if (auto identity = identity_of(secret)) {
    EXPECT_EQ(to_bytes(identity->public_key().encoded()), encoded);
    EXPECT_EQ(PeerId::of(*key), identity->peer_id());
    EXPECT_EQ(PeerId::of(*key).public_key().value(), *key);
  } else {
    EXPECT_EQ(spki_of_private(secret.key), read_key_message(encoded).key);
    Bytes hashed = unhex("1220");
    append(hashed, sha256(encoded));
    EXPECT_EQ(to_bytes(PeerId::of(*key).bytes()), hashed);
    EXPECT_TRUE(PeerId::of(*key).text().starts_with("Qm"));
  }
  for (std::size_t size = 0; size < encoded.size(); size += 1 + size / 8) {
    EXPECT_FALSE(PublicKey::parse(ByteView(encoded).first(size))) << size;
  }
}

Bytes der_signature(const std::string& r, const std::string& s) {
  std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* r_number = nullptr;
  BIGNUM* s_number = nullptr;
  BN_hex2bn(&r_number, r.c_str());
  BN_hex2bn(&s_number, s.c_str());
  ECDSA_SIG_set0(signature.get(), r_number, s_number);
  unsigned char* der = nullptr;
  int size = i2d_ECDSA_SIG(signature.get(), &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

TEST(PublishedKeys, OfThePeerIdSpecificationBelongToTheirPrivateKeys) {
  const auto& keys = published_vectors().at("specKeys").at("keys").as_array();
  EXPECT_EQ(keys.size(), 4u);
  for (const auto& entry : keys) expect_pair(entry);
}

TEST(PublishedKeys, OfGoVerifyTheSignaturesOfGo) {
  const auto& section = published_vectors().at("goKeys");
  std::string message = text_field(section, "messageUtf8");
  EXPECT_EQ(section.at("keys").as_array().size(), 3u);
  for (const auto& entry : section.at("keys").as_array()) {
    expect_pair(entry);
    SCOPED_TRACE(text_field(entry, "kind"));
    PublicKey key = PublicKey::parse(hex_field(entry, "publicKeyProtobuf")).value();
    Bytes signature = hex_field(entry, "signature");
    EXPECT_TRUE(key.verify(as_bytes(message), signature));
    EXPECT_FALSE(key.verify(as_bytes(message + "!"), signature));
    for (std::size_t at = 0; at < signature.size(); ++at) {
      Bytes changed = signature;
      changed[at] ^= 1;
      EXPECT_FALSE(key.verify(as_bytes(message), changed)) << at;
      EXPECT_FALSE(key.verify(as_bytes(message), ByteView(signature).first(at))) << at;
    }
    if (auto identity = identity_of(read_key_message(hex_field(entry, "privateKeyProtobuf")))) {
      EXPECT_EQ(identity->sign(as_bytes(message)), signature) << "deterministic, so ours is go's";
    }
  }
}

TEST(PublishedKeys, EcdsaVerifiesTheSignaturesOfRfc6979) {
  const auto& section = published_vectors().at("ecdsaP256");
  Bytes encoded = unhex("0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004");
  append(encoded, hex_field(section, "x"));
  append(encoded, hex_field(section, "y"));
  auto key = PublicKey::parse(encoded);
  ASSERT_TRUE(key) << key.error().message;
  for (const auto& entry : section.at("signatures").as_array()) {
    std::string message = text_field(entry, "messageUtf8");
    Bytes signature = der_signature(text_field(entry, "r"), text_field(entry, "s"));
    EXPECT_TRUE(key->verify(as_bytes(message), signature));
    EXPECT_FALSE(key->verify(as_bytes(message + "."), signature));
    EXPECT_FALSE(key->verify(as_bytes(message), der_signature(text_field(entry, "s"), text_field(entry, "r"))));
  }
  encoded.back() ^= 1;
  EXPECT_FALSE(PublicKey::parse(encoded)) << "a point beside the curve";
}

}  // namespace
}  // namespace kms::net
