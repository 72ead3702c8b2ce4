#include "crypto/eip712.h"

#include <gtest/gtest.h>

#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

// tests/vectors/eip712_viem.json was printed by a client of nox-kms built on viem.
TEST(Eip712, AgreesWithViemInBothDirectionsOfV0) {
  auto vectors = test::own_vectors("eip712_viem.json");
  auto chain_id = static_cast<std::uint64_t>(vectors.at("chainId").as_int64());
  NodeKey key = NodeKey::from_secret(test::secret(test::text_of(vectors, "key"))).value();

  const auto& authorization = vectors.at("authorization");
  Hash32 digest = delegate_authorization_digest(chain_id, test::text_of(authorization, "ephemeralPubKey"),
                                                test::text_of(authorization, "targetPubKey"));
  EXPECT_EQ(to_0x(digest), test::text_of(authorization, "digest"));
  EXPECT_EQ(to_0x(key.sign(digest).bytes), test::text_of(authorization, "signature"));

  const auto& proof = vectors.at("proof");
  digest = delegate_response_digest(chain_id, to_array<32>(test::hex(test::text_of(proof, "salt"))),
                                    test::text_of(proof, "encryptedSharedSecret"));
  EXPECT_EQ(to_0x(digest), test::text_of(proof, "digest"));
  EXPECT_EQ(to_0x(key.sign(digest).bytes), test::text_of(proof, "signature"));
}

TEST(Eip712, AgreesWithViemInV1) {
  boost::json::value vectors = test::own_vectors("eip712_viem_v1.json");
  for (const auto& each : vectors.as_array()) {
    const auto& message = each.at("message");
    auto bytes_of = [&](std::string_view field) { return test::hex(test::text_of(message, field)); };
    DelegationAuthorization authorization;
    authorization.network_id = to_array<32>(bytes_of("networkId"));
    authorization.key_id = to_array<32>(bytes_of("keyId"));
    authorization.form = static_cast<std::uint8_t>(message.at("form").as_int64());
    authorization.entry = Address::parse(test::text_of(message, "entry")).value();
    authorization.ephemeral = to_array<33>(bytes_of("K"));
    authorization.target_kind = static_cast<std::uint8_t>(message.at("targetKind").as_int64());
    authorization.target = bytes_of("target");
    authorization.nonce = to_array<32>(bytes_of("nonce"));
    authorization.deadline = static_cast<std::uint64_t>(message.at("deadline").as_int64());
    auto chain_id = static_cast<std::uint64_t>(each.at("chainId").as_int64());
    EXPECT_EQ(to_0x(delegation_authorization_digest(chain_id, authorization)), test::text_of(each, "digest"));
  }
}

TEST(Eip712, HashesTheTypesThatNoxKmsHashes) {
  EXPECT_EQ(to_hex(keccak256(as_bytes("EIP712Domain(string name,string version,uint256 chainId)"))),
            "c2f8787176b8ac6bf7215b4adcc1e069bf4ab82d9ab1df05a57a91d425935b6e");
  EXPECT_EQ(to_hex(keccak256(as_bytes("DelegateAuthorization(string ephemeralPubKey,string targetPubKey)"))),
            "49a1e1eaf70b3d754bba9bf8763124010c67c1e2352abd3901fe6e3eb3bc40e4");
  EXPECT_EQ(to_hex(keccak256(as_bytes("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"))),
            "a604fff5a27d5951f334ccda7abff3286a8af29caeeb196a6f2b40a1dce7612b");
  EXPECT_EQ(to_hex(keccak256(as_bytes("DelegateResponseProof(string encryptedSharedSecret)"))),
            "d6e647a028af1512fb0d9d53037bbf74f1adbacf0fd92f91e039e285544cd399");
}

TEST(Eip712, DependsOnTheStringsAsTheyWereSent) {
  EXPECT_NE(delegate_authorization_digest(1, "0xab", "0xcd"), delegate_authorization_digest(1, "0xAB", "0xcd"));
  EXPECT_NE(delegate_authorization_digest(1, "0xab", "0xcd"), delegate_authorization_digest(1, "ab", "0xcd"));
  EXPECT_NE(delegate_authorization_digest(1, "0xab", "0xcd"), delegate_authorization_digest(2, "0xab", "0xcd"));
  EXPECT_NE(delegate_response_digest(1, Hash32{}, "0xab"), delegate_response_digest(1, Hash32{1}, "0xab"));
}

}  // namespace
}  // namespace kms::crypto
