#include "crypto/rsa_oaep.h"

#include <atomic>
#include <thread>

#include "base/io/os_entropy.h"
#include "vector_file.h"

namespace kms::crypto {
namespace {
using test::hex_of;

TEST(RsaPublicKey, MatchesPlainPythonForEverySeedLabelAndSize) {
  const auto file = test::own_vectors("rsa_oaep.json");
  for (const auto& c : file.at("cases").as_array()) {
    auto key = RsaPublicKey::parse_spki(hex_of(c.at("spki")));
    ASSERT_TRUE(key) << key.error().message;
    EXPECT_EQ(key->modulus_bytes(), static_cast<std::size_t>(c.at("bits").as_int64() + 7) / 8);
    test::ScriptedEntropy entropy(hex_of(c.at("seed")));
    auto ciphertext = key->encrypt_oaep(hex_of(c.at("message")), hex_of(c.at("label")), entropy);
    ASSERT_TRUE(ciphertext);
    EXPECT_EQ(to_hex(*ciphertext), c.at("ciphertext").as_string());
    EXPECT_TRUE(entropy.is_used_up());
  }
}

TEST(RsaPublicKey, WhatItEncryptsOpenSslDecryptsWithTheLabel) {
  io::OsEntropy entropy;
  for (std::size_t bits : {2048u, 3072u}) {
    const auto owner = RsaPrivateKey::generate(bits);
    auto key = RsaPublicKey::parse_spki(owner.public_spki());
    ASSERT_TRUE(key);
    for (std::size_t size : {std::size_t(0), std::size_t(32), std::size_t(104), bits / 8 - 66}) {
      for (const Bytes& label : {Bytes(), Bytes(32, 7)}) {
        const Bytes plaintext(size, 0x42);
        auto ciphertext = key->encrypt_oaep(plaintext, label, entropy);
        ASSERT_TRUE(ciphertext);
        auto opened = owner.decrypt_oaep(*ciphertext, label);
        ASSERT_TRUE(opened);
        EXPECT_TRUE(equal(opened->expose(), plaintext));
        EXPECT_FALSE(owner.decrypt_oaep(*ciphertext, Bytes(31, 7)));
      }
    }
  }
}

TEST(RsaPublicKey, RefusesAPlaintextOneByteTooLong) {
  io::OsEntropy entropy;
  const auto file = test::own_vectors("rsa_oaep.json");
  auto key = RsaPublicKey::parse_spki(hex_of(file.at("cases").at(0).at("spki")));
  ASSERT_TRUE(key);
  EXPECT_TRUE(key->encrypt_oaep(Bytes(190), {}, entropy));
  EXPECT_FALSE(key->encrypt_oaep(Bytes(191), {}, entropy));
}

TEST(RsaPublicKey, EncryptsInSeveralThreadsAtOnce) {
  const auto owner = RsaPrivateKey::generate(2048);
  auto key = RsaPublicKey::parse_spki(owner.public_spki());
  ASSERT_TRUE(key);
  std::atomic<int> opened = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      io::OsEntropy entropy;
      for (int round = 0; round < 20; ++round) {
        auto ciphertext = key->encrypt_oaep(as_bytes("shared secret"), {}, entropy);
        auto back = owner.decrypt_oaep(*ciphertext, {});
        opened += back && as_text(back->expose()) == "shared secret";
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(opened, 80);
}

TEST(RsaPrivateKey, OpensEveryValidWycheproofCaseAndRefusesEveryInvalidOne) {
  const std::string folder = test::shared_folder();
  if (folder.empty()) GTEST_SKIP() << "KMS_SHARED does not name the folder of published vectors";
  const auto file = test::read_json(folder + "/vectors/wycheproof_rsa_oaep_2048_sha256_mgf1sha256.json");
  int valid = 0, invalid = 0;
  for (const auto& group : file.at("testGroups").as_array()) {
    auto key = RsaPrivateKey::parse_pkcs8(hex_of(group.at("privateKeyPkcs8")));
    ASSERT_TRUE(key) << key.error().message;
    for (const auto& c : group.at("tests").as_array()) {
      auto opened = key->decrypt_oaep(hex_of(c.at("ct")), hex_of(c.at("label")));
      const bool must_open = c.at("result").as_string() == "valid";
      EXPECT_EQ(opened.has_value(), must_open) << c.at("tcId");
      if (opened) {
        EXPECT_EQ(to_hex(opened->expose()), c.at("msg").as_string()) << c.at("tcId");
      } else {
        EXPECT_EQ(opened.error().message, "the RSA-OAEP ciphertext does not open: wrong key, wrong label or damaged");
      }
      (must_open ? valid : invalid) += 1;
    }
  }
  EXPECT_EQ(valid, 18);
  EXPECT_EQ(invalid, 19);
}

TEST(RsaPrivateKey, SurvivesItsOwnEncoding) {
  const auto key = RsaPrivateKey::generate(2048);
  auto again = RsaPrivateKey::parse_pkcs8(key.pkcs8().expose());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_spki(), key.public_spki());
}

TEST(RsaPrivateKey, RefusesWhatIsNoPkcs8RsaKeyOfItsSizes) {
  const auto key = RsaPrivateKey::generate(2048).pkcs8();
  Bytes trailing = to_bytes(key.expose());
  trailing.push_back(0);
  EXPECT_FALSE(RsaPrivateKey::parse_pkcs8(trailing));
  EXPECT_FALSE(RsaPrivateKey::parse_pkcs8(key.expose().first(100)));
  EXPECT_FALSE(RsaPrivateKey::parse_pkcs8({}));
  EXPECT_FALSE(RsaPrivateKey::parse_pkcs8(Bytes(9000, 0x30)));
}

}  // namespace
}  // namespace kms::crypto
