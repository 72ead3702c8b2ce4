#include <gtest/gtest.h>

#include "base/io/os_entropy.h"
#include "crypto/pem.h"
#include "crypto/rsa_oaep.h"
#include "crypto/secret_hex.h"

namespace kms::crypto {
namespace {

TEST(SecretHex, ReadsWhatItWrites) {
  io::OsEntropy entropy;
  for (int i = 0; i < 50; ++i) {
    auto secret = Secret<32>::random(entropy);
    auto line = secret_hex_line(secret);
    EXPECT_EQ(as_text(line.expose()), to_0x(secret.expose()) + "\n");
    auto read = parse_secret_hex(line.expose());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->expose(), secret.expose());
  }
}

TEST(SecretHex, AcceptsAnyCaseNoPrefixAndBlanksAround) {
  const std::string upper = " \t" + std::string(31, 'A') + "f" + std::string(31, '0') + "9\r\n";
  auto read = parse_secret_hex(as_bytes(upper));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->expose()[0], 0xaa);
  EXPECT_EQ(read->expose()[15], 0xaf);
  EXPECT_EQ(read->expose()[31], 0x09);
}

TEST(SecretHex, RefusesOtherLengthsAndCharactersWithoutQuotingThem) {
  for (const std::string& bad : {std::string(), std::string("0x"), std::string(63, 'a'), std::string(65, 'a'),
                                 std::string(66, 'a'), "0x" + std::string(63, 'a')}) {
    EXPECT_FALSE(parse_secret_hex(as_bytes(bad))) << bad;
  }
  for (int c = 0; c < 256; ++c) {
    std::string text(64, 'a');
    text[33] = static_cast<char>(c);
    const bool is_hex = std::isxdigit(c) != 0;
    auto read = parse_secret_hex(as_bytes(text));
    EXPECT_EQ(read.has_value(), is_hex) << c;
    if (!is_hex) {
      EXPECT_EQ(read.error().message.find("aaa"), std::string::npos);
    }
  }
}

TEST(Pem, ReadsWhatItWritesAtEveryLength) {
  io::OsEntropy entropy;
  for (std::size_t size = 1; size < 200; ++size) {
    Bytes der(size);
    entropy.fill(der);
    auto pem = pkcs8_to_pem(der);
    auto read = pkcs8_in(pem.expose());
    ASSERT_TRUE(read) << size << ": " << read.error().message;
    EXPECT_TRUE(equal(read->expose(), der)) << size;
  }
}

TEST(Pem, TakesDerAndTextAroundTheBlock) {
  const auto key = RsaPrivateKey::generate(2048);
  const auto der = key.pkcs8();
  EXPECT_TRUE(equal(pkcs8_in(der.expose())->expose(), der.expose()));
  const auto pem = pkcs8_to_pem(der.expose());
  const std::string around = "a comment\r\n" + std::string(as_text(pem.expose())) + "more\n";
  auto read = pkcs8_in(as_bytes(around));
  ASSERT_TRUE(read);
  EXPECT_TRUE(equal(read->expose(), der.expose()));
}

TEST(Pem, SaysWhatElseAFileIsAndHowToConvertIt) {
  auto complaint = [](const std::string& text) {
    auto read = pkcs8_in(as_bytes(text));
    return read ? std::string("accepted") : read.error().message;
  };
  EXPECT_NE(complaint("-----BEGIN ENCRYPTED PRIVATE KEY-----\n").find("openssl pkey"), std::string::npos);
  EXPECT_NE(complaint("-----BEGIN RSA PRIVATE KEY-----\n").find("openssl pkcs8"), std::string::npos);
  EXPECT_NE(complaint("-----BEGIN PUBLIC KEY-----\n").find("public key"), std::string::npos);
  EXPECT_NE(complaint("").find("kmsctl keygen rsa"), std::string::npos);
  EXPECT_NE(complaint("-----BEGIN PRIVATE KEY-----\nMIIE").find("cut short"), std::string::npos);
  EXPECT_NE(complaint("-----BEGIN PRIVATE KEY-----\nMIIE=\n-----END PRIVATE KEY-----").find("cut short"),
            std::string::npos);
  EXPECT_NE(complaint("-----BEGIN PRIVATE KEY-----\nMI*E\n-----END PRIVATE KEY-----").find("damaged"),
            std::string::npos);
  EXPECT_NE(complaint(std::string(20'000, '0')).find("20000 bytes"), std::string::npos);
}

}  // namespace
}  // namespace kms::crypto
