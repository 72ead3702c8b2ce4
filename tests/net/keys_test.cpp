#include <memory>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/base58.h"
#include "base/proto_wire.h"
#include "crypto/keccak.h"
#include "fixtures.h"
#include "net/base32.h"

namespace kms::net {
namespace {

Bytes encoded_key(std::uint64_t type, ByteView key_bytes) {
  ProtoWriter writer;
  writer.varint(1, type);
  writer.bytes(2, key_bytes);
  return writer.take();
}

using EvpKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bytes spki_of(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  int size = i2d_PUBKEY(key, &der);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes evp_signature(EVP_PKEY* key, ByteView message) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
  std::size_t size = 0;
  EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size());
  Bytes signature(size);
  EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size());
  signature.resize(size);
  return signature;
}

TEST(Base58, MatchesKnownTexts) {
  EXPECT_EQ(encode_base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
  EXPECT_EQ(encode_base58(unhex("0000287fb4cd")), "11233QC4");
  EXPECT_EQ(decode_base58("11233QC4").value(), unhex("0000287fb4cd"));
  EXPECT_EQ(encode_base58({}), "");
  EXPECT_TRUE(decode_base58("").value().empty());
}

TEST(Base58, RefusesOtherCharactersAndLongTexts) {
  for (std::string_view text : {"0", "O", "I", "l", "a b", "\x80"}) EXPECT_FALSE(decode_base58(text)) << text;
  EXPECT_TRUE(decode_base58(std::string(128, '2')));
  EXPECT_FALSE(decode_base58(std::string(129, '2')));
}

TEST(Base32, MatchesRfc4648AndRoundTrips) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                 {"f", "my"},
                                                                 {"fo", "mzxq"},
                                                                 {"foo", "mzxw6"},
                                                                 {"foob", "mzxw6yq"},
                                                                 {"fooba", "mzxw6ytb"},
                                                                 {"foobar", "mzxw6ytboi"}};
  for (auto [plain, text] : cases) {
    EXPECT_EQ(encode_base32(as_bytes(plain)), text);
    EXPECT_EQ(decode_base32(text).value(), to_bytes(as_bytes(plain)));
  }
}

TEST(Base32, RefusesWhatIsNotTheOneTextOfItsValue) {
  for (std::string_view text : {"MY", "my======", "m", "a", "aaa", "mzx", "mz", "mzxw61", "mzxw6yqa1"}) {
    EXPECT_FALSE(decode_base32(text)) << text;
  }
}

TEST(Multihash, RefusesOtherCodesAndLengths) {
  EXPECT_TRUE(parse_multihash(unhex("000101")));
  EXPECT_FALSE(parse_multihash({}));
  EXPECT_FALSE(parse_multihash(unhex("00")));
  EXPECT_FALSE(parse_multihash(unhex("0000")));
  EXPECT_FALSE(parse_multihash(unhex("000201")));
  EXPECT_FALSE(parse_multihash(unhex("00010101")));
  EXPECT_FALSE(parse_multihash(unhex("110101")));
  EXPECT_FALSE(parse_multihash(unhex("120101")));
  Bytes longest(44, 1);
  longest[0] = 0;
  longest[1] = 42;
  EXPECT_TRUE(parse_multihash(longest));
  longest.push_back(1);
  longest[1] = 43;
  EXPECT_FALSE(parse_multihash(longest));
  Bytes hashed = unhex("1220");
  hashed.resize(34, 7);
  EXPECT_TRUE(parse_multihash(hashed));
  hashed.pop_back();
  EXPECT_FALSE(parse_multihash(hashed));
}

TEST(PeerId, MatchesJsForEveryIdentity) {
  for (const auto& identity : vectors().at("identities").as_array()) {
    SCOPED_TRACE(text_field(identity, "name"));
    auto key = PublicKey::parse(hex_field(identity, "publicKeyProtobuf"));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_bytes(key->encoded()), hex_field(identity, "publicKeyProtobuf"));
    PeerId peer = PeerId::of(*key);
    EXPECT_EQ(to_bytes(peer.bytes()), hex_field(identity, "peerIdBytes"));
    EXPECT_EQ(peer.text(), text_field(identity, "peerId"));
    EXPECT_EQ(peer.cid(), text_field(identity, "peerIdCid"));
    EXPECT_EQ(PeerId::parse_text(peer.text()).value(), peer);
    EXPECT_EQ(PeerId::parse_text(peer.cid()).value(), peer);
    EXPECT_EQ(PeerId::parse(peer.bytes()).value(), peer);
    EXPECT_EQ(peer.public_key().value(), *key);
    EXPECT_TRUE(peer.matches(*key));
  }
}

TEST(Identity, HasTheKeyAndPeerIdOfJs) {
  for (const auto& entry : vectors().at("identities").as_array()) {
    SCOPED_TRACE(text_field(entry, "name"));
    Bytes private_key = hex_field(entry, "privateKeyProtobuf");
    ByteView secret = ByteView(private_key).subspan(4, 32);  // ed25519 keeps seed || public key there
    bool is_ed25519 = private_key[1] == 1;
    Identity identity = is_ed25519 ? Identity::from_ed25519(crypto::Secret<32>::copy_of(secret))
                                   : std::move(Identity::from_secp256k1(secret).value());
    EXPECT_EQ(identity.peer_id().text(), text_field(entry, "peerId"));
    EXPECT_EQ(to_bytes(identity.public_key().encoded()), hex_field(entry, "publicKeyProtobuf"));
    if (const auto* point = identity.public_key().secp256k1()) {
      EXPECT_EQ(to_hex(crypto::address_of(*point).bytes), text_field(entry, "ethAddress"));
    }
    Bytes signature = identity.sign(as_bytes("message"));
    EXPECT_TRUE(identity.public_key().verify(as_bytes("message"), signature));
    EXPECT_FALSE(identity.public_key().verify(as_bytes("messagf"), signature));
  }
}

TEST(Identity, SignsByteForByteAsJs) {
  Identity alice = identity_named("alice");
  for (const auto& entry : vectors().at("signatures").as_array()) {
    std::string message = text_field(entry, "messageUtf8");
    EXPECT_EQ(alice.sign(as_bytes(message)), hex_field(entry, "der"));
    EXPECT_TRUE(alice.public_key().verify(as_bytes(message), hex_field(entry, "der")));
    EXPECT_FALSE(identity_named("bob").public_key().verify(as_bytes(message), hex_field(entry, "der")));
  }
}

TEST(Identity, RefusesSecretsOutsideTheGroup) {
  EXPECT_FALSE(Identity::from_secp256k1(Bytes(32, 0)));
  EXPECT_FALSE(Identity::from_secp256k1(Bytes(32, 0xff)));
  EXPECT_FALSE(Identity::from_secp256k1(Bytes(31, 1)));
}

TEST(PublicKey, AcceptsHighSOfSecp256k1) {
  // The second signature of the vectors with s replaced by q - s.
  Identity alice = identity_named("alice");
  const std::string high =
      "3046022100aa268d2e95cdd3b3e4b6658b244b138c93a65fd834fa5f74af31b7f61975595f"
      "022100adf887243fc1d97cc63f2001a1830b55e6bfe2c3ffa3112b117cc7e6098771a3";
  EXPECT_TRUE(alice.public_key().verify(as_bytes("hello"), unhex(high)));
}

TEST(PublicKey, VerifiesEd25519OfRfc8032) {
  auto key =
      PublicKey::parse(encoded_key(1, unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")));
  ASSERT_TRUE(key);
  Bytes signature = unhex(
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
      "655141438e7a100b");
  EXPECT_TRUE(key->verify({}, signature));
  EXPECT_FALSE(key->verify(as_bytes("x"), signature));
  signature[63] ^= 1;
  EXPECT_FALSE(key->verify({}, signature));
  EXPECT_FALSE(key->verify({}, ByteView(signature).first(63)));
}

TEST(PublicKey, VerifiesRsaAndNamesItByItsHash) {
  EvpKey key(EVP_RSA_gen(2048), EVP_PKEY_free);
  auto parsed = PublicKey::parse(encoded_key(0, spki_of(key.get())));
  ASSERT_TRUE(parsed);
  Bytes signature = evp_signature(key.get(), as_bytes("message"));
  EXPECT_TRUE(parsed->verify(as_bytes("message"), signature));
  EXPECT_FALSE(parsed->verify(as_bytes("messagf"), signature));
  PeerId peer = PeerId::of(*parsed);
  EXPECT_TRUE(peer.text().starts_with("Qm"));
  EXPECT_EQ(to_bytes(peer.bytes().subspan(2)), to_bytes(sha256(parsed->encoded())));
  EXPECT_EQ(PeerId::parse_text(peer.text()).value(), peer);
  EXPECT_EQ(PeerId::parse_text(peer.cid()).value(), peer);
  EXPECT_FALSE(peer.public_key());
  EXPECT_TRUE(peer.matches(*parsed));
  EXPECT_FALSE(PublicKey::parse(encoded_key(3, spki_of(key.get())))) << "an RSA key called ECDSA";
}

TEST(PublicKey, RefusesRsaUnder2048Bits) {
  EvpKey key(EVP_RSA_gen(1024), EVP_PKEY_free);
  auto parsed = PublicKey::parse(encoded_key(0, spki_of(key.get())));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message, "RSA key of 1024 bits, expected 2048 to 8192");
}

TEST(PublicKey, VerifiesEcdsaOnP256Only) {
  EvpKey key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Bytes encoded = encoded_key(3, spki_of(key.get()));
  EXPECT_EQ(encoded.size(), 95u);
  auto parsed = PublicKey::parse(encoded);
  ASSERT_TRUE(parsed);
  Bytes signature = evp_signature(key.get(), as_bytes("message"));
  EXPECT_TRUE(parsed->verify(as_bytes("message"), signature));
  EXPECT_FALSE(parsed->verify(as_bytes("messagf"), signature));
  EvpKey other(EVP_EC_gen("P-384"), EVP_PKEY_free);
  EXPECT_FALSE(PublicKey::parse(encoded_key(3, spki_of(other.get()))));
  EXPECT_FALSE(PublicKey::parse(encoded_key(0, spki_of(key.get())))) << "an ECDSA key called RSA";
}

TEST(PublicKey, RefusesWhatIsNoKey) {
  Bytes point = hex_field(vectors().at("identities").at(1), "publicKeyRaw");
  EXPECT_TRUE(PublicKey::parse(encoded_key(2, point)));
  EXPECT_FALSE(PublicKey::parse(encoded_key(4, point)));
  EXPECT_FALSE(PublicKey::parse(encoded_key(1, point)));
  EXPECT_FALSE(PublicKey::parse({}));
  EXPECT_FALSE(PublicKey::parse(unhex("0802")));
  EXPECT_FALSE(PublicKey::parse(encoded_key(3, as_bytes("not DER"))));
  Bytes cut = encoded_key(2, point);
  cut.pop_back();
  EXPECT_FALSE(PublicKey::parse(cut));
  point[0] = 4;
  EXPECT_FALSE(PublicKey::parse(encoded_key(2, point)));
  auto uncompressed = identity_named("alice").public_key().secp256k1()->uncompressed();
  EXPECT_FALSE(PublicKey::parse(encoded_key(2, uncompressed)));
}

TEST(PublicKey, IsNamedByItsOwnEncodingWhateverWasReceived) {
  Bytes point = hex_field(vectors().at("identities").at(1), "publicKeyRaw");
  ProtoWriter swapped;
  swapped.bytes(2, point);
  swapped.varint(1, 2);
  swapped.varint(9, 1);
  auto key = PublicKey::parse(swapped.view());
  ASSERT_TRUE(key);
  EXPECT_EQ(PeerId::of(*key).text(), text_field(vectors().at("identities").at(1), "peerId"));
}

TEST(PublicKey, RefusesSpkiWithBytesBehindIt) {
  EvpKey key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Bytes der = spki_of(key.get());
  der.push_back(0);
  EXPECT_FALSE(PublicKey::parse(encoded_key(3, der)));
}

TEST(PeerId, RefusesAKeyInAnEncodingThatIsNotItsOwn) {
  Bytes raw = hex_field(vectors().at("identities").at(3), "publicKeyRaw");
  ProtoWriter swapped;
  swapped.bytes(2, raw);
  swapped.varint(1, 1);
  Bytes multihash{0, static_cast<std::uint8_t>(swapped.view().size())};
  append(multihash, swapped.view());
  auto peer = PeerId::parse(multihash);
  ASSERT_TRUE(peer);
  EXPECT_FALSE(peer->public_key());
}

TEST(PeerId, RefusesOtherTexts) {
  std::string good = text_field(vectors().at("identities").at(1), "peerId");
  EXPECT_TRUE(PeerId::parse_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"));
  for (const std::string& text :
       {std::string(), std::string("x"), good + "0", good.substr(1), good + good, std::string("b"), std::string("bafz"),
        std::string("bafybeigdyrzt5"), std::string("zb2rhe5P4gXftAwvA4eXQ5HJwsER2owDyS9sKaQRRVQPn93bA")}) {
    EXPECT_FALSE(PeerId::parse_text(text)) << text;
  }
}

}  // namespace
}  // namespace kms::net
