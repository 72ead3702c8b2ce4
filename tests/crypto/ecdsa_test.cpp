#include "crypto/ecdsa.h"

#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

using test::SeededEntropy;

NodeKey key_of(std::string_view text) {
  return NodeKey::from_secret(test::secret(text)).value();
}

RecoverableSignature with_v(RecoverableSignature signature, int v) {
  signature.bytes[64] = static_cast<std::uint8_t>(v);
  return signature;
}

// (r, q - s) with the other parity: the same key recovers from it.
RecoverableSignature high_s(RecoverableSignature signature) {
  Scalar s = -Scalar::parse(ByteView(signature.bytes).subspan(32, 32)).value();
  std::memcpy(signature.bytes.data() + 32, s.bytes().data(), 32);
  return with_v(signature, 55 - signature.bytes[64]);
}

TEST(Address, OfTheKeysOfTheLocalStack) {
  EXPECT_EQ(key_of("0x0bb3d9bb5be6d9c62ff1f519db4ae37ec8234bae14ef98b50d438e9bc3f9bb5b").address().hex(),
            "0xd986f153ddfc363beecd4049bd58bb3d6ebe4f5a");
  NodeKey gateway = key_of("0x7d9d57f334cbf385b4a5ec1be108f25fc1668b0eae639249bb51aaae85e61022");
  EXPECT_EQ(gateway.address().hex(), "0xe1a6b1de3abf04e7fa5355373880350dc3004d0e");
  Hash32 id = gateway.node_id();
  EXPECT_EQ(to_0x(ByteView(id).last(20)), gateway.address().hex());
  EXPECT_EQ(to_0x(key_of("0xc43d85348f58410c27ddf71808e440ea70bc64af3f7d488be9171dbab2ce042a").public_key().bytes()),
            "0x03902284a6bd5198b4a32ef2319fc3ae37ea166aff0320eaa8addb0182ee80381e");
}

TEST(Ecdsa, GivesPublishedSignaturesOfRfc6979) {
  // Sighash of a type 2 transaction and its signature by a public test key.
  NodeKey key = key_of("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
  Hash32 digest = to_array<32>(test::hex("6dfd19ee2c9441f0f6d0754043972732fb0f96157ae3bbbc66d242648706049a"));
  RecoverableSignature signature = key.sign(digest);
  EXPECT_EQ(to_hex(signature.bytes),
            "d251896303a42226816a1ca2550a80d66a636e9ed4e1616a6901d1542c9dc3e7"
            "12181abe3c9731baf49084df3d1dea26e5b9d2e52805fa86afc3a11fb355767b1c");
  EXPECT_EQ(recover(signature, digest).value(), key.public_key());
}

TEST(Ecdsa, RecoversWhatItSigns) {
  SeededEntropy entropy(13);
  bool seen[2] = {false, false};
  for (int i = 0; i < 20; ++i) {
    NodeKey key = NodeKey::generate(entropy);
    Hash32 digest = entropy.array<32>();
    RecoverableSignature signature = key.sign(digest);
    EXPECT_EQ(RecoverableSignature::parse(signature.bytes).value(), signature);
    EXPECT_EQ(recover(signature, digest).value(), key.public_key());
    EXPECT_TRUE(verify(key.public_key(), signature, digest));
    seen[signature.bytes[64] - 27] = true;
  }
  EXPECT_TRUE(seen[0] && seen[1]);
}

TEST(Ecdsa, VerifiesThisKeyDigestAndParityOnly) {
  SeededEntropy entropy(14);
  NodeKey key = NodeKey::generate(entropy);
  Hash32 digest = entropy.array<32>();
  RecoverableSignature signature = key.sign(digest);
  EXPECT_FALSE(verify(NodeKey::generate(entropy).public_key(), signature, digest));
  EXPECT_FALSE(verify(key.public_key(), with_v(signature, 55 - signature.bytes[64]), digest));
  EXPECT_FALSE(verify(key.public_key(), RecoverableSignature{}, digest));
  Hash32 other = digest;
  other[0] ^= 1;
  EXPECT_FALSE(verify(key.public_key(), signature, other));
}

TEST(RecoverableSignature, OfOurMessagesHasOneForm) {
  SeededEntropy entropy(15);
  Hash32 digest = entropy.array<32>();
  RecoverableSignature signature = NodeKey::generate(entropy).sign(digest);
  for (int v : {0, 1, 26, 29, 30, 35, 36, 255}) EXPECT_FALSE(RecoverableSignature::parse(with_v(signature, v).bytes));
  EXPECT_FALSE(RecoverableSignature::parse(high_s(signature).bytes));
  EXPECT_FALSE(RecoverableSignature::parse(ByteView(signature.bytes).first(64)));
  EXPECT_FALSE(RecoverableSignature::parse(Bytes(66, 27)));
  Hash32 order = to_array<32>(test::hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"));
  for (std::size_t half : {0U, 32U}) {
    for (const Hash32& value : {Hash32{}, order}) {
      RecoverableSignature bad = signature;
      std::memcpy(bad.bytes.data() + half, value.data(), 32);
      EXPECT_FALSE(RecoverableSignature::parse(bad.bytes));
      EXPECT_FALSE(RecoverableSignature::parse_ethereum(bad.bytes));
      EXPECT_FALSE(recover(bad, digest));
    }
  }
}

TEST(RecoverableSignature, OfWalletsComesInManyForms) {
  SeededEntropy entropy(16);
  NodeKey key = NodeKey::generate(entropy);
  Hash32 digest = entropy.array<32>();
  RecoverableSignature signature = key.sign(digest);
  for (const RecoverableSignature& form : {signature, high_s(signature)}) {
    int parity = form.bytes[64] - 27;
    for (int v : {parity, 27 + parity, 35 + parity, 37 + parity, 253 + parity}) {
      auto parsed = RecoverableSignature::parse_ethereum(with_v(form, v).bytes);
      ASSERT_TRUE(parsed) << v;
      EXPECT_EQ(*parsed, form);
      EXPECT_EQ(recover(*parsed, digest).value(), key.public_key());
    }
  }
  for (int v : {2, 3, 26, 29, 34}) EXPECT_FALSE(RecoverableSignature::parse_ethereum(with_v(signature, v).bytes));
  EXPECT_FALSE(RecoverableSignature::parse_ethereum(Bytes(64)));
}

TEST(NodeKey, IsNotZero) {
  EXPECT_FALSE(NodeKey::from_secret(SecretScalar()));
}

TEST(NodeKey, SignsForLibp2pAsJsLibp2pDoes) {
  NodeKey alice = NodeKey::from_secret(SecretScalar::parse(sha256(as_bytes("alice"))).value()).value();
  EXPECT_EQ(to_hex(alice.public_key().bytes()), "039997a497d964fc1a62885b05a51166a65a90df00492c8d7cf61d6accf54803be");
  EXPECT_EQ(to_hex(alice.sign_libp2p({})),
            "3045022100ee552005d52dc502215103c62736aae14da833f6c1a83926c6ccd4f33847555402207dd22492cb16b95892c3cc5a64"
            "5940069abf28525e22a32712172240b374f588");
  EXPECT_EQ(to_hex(alice.sign_libp2p(as_bytes("hello"))),
            "3045022100aa268d2e95cdd3b3e4b6658b244b138c93a65fd834fa5f74af31b7f61975595f0220520778dbc03e268339c0dffe5e"
            "7cf4a8d3eefa22afa58f10ae5596a6c6aecf9e");
  auto text = test::read_shared("interop-js/vectors.json");
  if (!text) GTEST_SKIP() << "set KMS_SHARED to the folder with interop-js/vectors.json for the rest of the signatures";
  boost::json::value vectors = boost::json::parse(*text);
  for (const auto& each : vectors.at("signatures").as_array()) {
    ASSERT_EQ(test::text_of(each, "key"), "alice");
    std::string message = test::text_of(each, "messageUtf8");
    EXPECT_EQ(to_hex(alice.sign_libp2p(as_bytes(message))), test::text_of(each, "der"));
    EXPECT_TRUE(verify_libp2p(alice.public_key(), as_bytes(message), test::hex(test::text_of(each, "der"))));
  }
}

TEST(NodeKey, RefusesLibp2pSignaturesThatAreNotItsOwn) {
  SeededEntropy entropy(17);
  NodeKey key = NodeKey::generate(entropy);
  Bytes der = key.sign_libp2p(as_bytes("m"));
  EXPECT_TRUE(verify_libp2p(key.public_key(), as_bytes("m"), der));
  EXPECT_FALSE(verify_libp2p(key.public_key(), as_bytes("n"), der));
  EXPECT_FALSE(verify_libp2p(-key.public_key(), as_bytes("m"), der));
  EXPECT_FALSE(verify_libp2p(key.public_key(), as_bytes("m"), {}));
  EXPECT_FALSE(verify_libp2p(key.public_key(), as_bytes("m"), ByteView(der).first(der.size() - 1)));
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(verify_libp2p(key.public_key(), as_bytes("m"), longer));
}

TEST(NodeKey, AcceptsLibp2pSignaturesWithHighS) {
  SeededEntropy entropy(18);
  NodeKey key = NodeKey::generate(entropy);
  RecoverableSignature high = high_s(key.sign(sha256(as_bytes("m"))));
  Bytes der = {0x30, 0, 0x02};
  for (std::size_t half : {0U, 32U}) {
    Bytes integer(1);
    append(integer, ByteView(high.bytes).subspan(half, 32));
    while (integer.size() > 1 && integer[0] == 0 && integer[1] < 0x80) integer.erase(integer.begin());
    if (half == 32) der.push_back(0x02);
    der.push_back(static_cast<std::uint8_t>(integer.size()));
    append(der, integer);
  }
  der[1] = static_cast<std::uint8_t>(der.size() - 2);
  EXPECT_TRUE(verify_libp2p(key.public_key(), as_bytes("m"), der));
}

}  // namespace
}  // namespace kms::crypto
