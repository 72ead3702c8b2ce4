#include "crypto/sealing.h"

#include <fstream>

#include "base/io/os_entropy.h"
#include "vector_file.h"

namespace kms::crypto {
namespace {

PassphraseParameters parameters(std::uint32_t memory_kib, std::uint32_t iterations) {
  PassphraseParameters out{{}, memory_kib, iterations};
  for (std::size_t i = 0; i < 16; ++i) out.salt[i] = static_cast<std::uint8_t>(i);
  return out;
}

// Expected values from @noble/hashes 1.8.0, argon2id('correct horse', 00..0f, {p: 1, dkLen: 32, ..}).
TEST(DeriveKey, MatchesAnIndependentArgon2id) {
  EXPECT_EQ(to_hex(derive_key(as_bytes("correct horse"), parameters(64 * 1024, 3)).expose()),
            "e3c889ca40ed01e6b6771fc8a5bf16e35ad60b41c9bd5d7e6d63adf51e50b0fd");
  EXPECT_EQ(to_hex(derive_key(as_bytes("correct horse"), parameters(64, 2)).expose()),
            "9c87c06898bc18516669b54a8b95d36e622946494d7a55c26f391a0406068c19");
}

long resident_kib() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

TEST(DeriveKey, GivesItsMemoryBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer holds freed memory back";
#endif
  derive_key(as_bytes("warm up"), parameters(64, 1));
  const long before = resident_kib();
  for (int i = 0; i < 2; ++i) derive_key(as_bytes("x"), parameters(64 * 1024, 1));
  EXPECT_LT(resident_kib() - before, 16 * 1024);
}

struct Sealed : testing::Test {
  io::OsEntropy entropy;
  Bytes box = seal_with_passphrase(as_bytes("the node key"), as_bytes("open sesame"), as_bytes("node.key"), entropy);
  static std::string refusal(const Result<SecretBytes>& opened) {
    return opened ? "it opened" : opened.error().message;
  }
};

TEST_F(Sealed, OpensWithItsPassphraseAndContext) {
  auto opened = open_with_passphrase(box, as_bytes("open sesame"), as_bytes("node.key"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->expose()), "the node key");
  EXPECT_EQ(as_text(box).find("the node key"), std::string_view::npos);
}

TEST_F(Sealed, RefusesAWrongPassphrase) {
  EXPECT_THAT(refusal(open_with_passphrase(box, as_bytes("open sesam"), as_bytes("node.key"))),
              testing::HasSubstr("wrong passphrase"));
}

TEST_F(Sealed, RefusesABoxMovedToAnotherContext) {
  EXPECT_FALSE(open_with_passphrase(box, as_bytes("open sesame"), as_bytes("store.key")));
}

TEST_F(Sealed, RefusesTruncation) {
  for (std::size_t size : {std::size_t(0), std::size_t(31), std::size_t(59), box.size() - 1}) {
    EXPECT_FALSE(open_with_passphrase(ByteView(box).first(size), as_bytes("open sesame"), as_bytes("node.key")))
        << size;
  }
}

TEST_F(Sealed, RefusesAnotherMagicByName) {
  box[7] = '2';
  EXPECT_THAT(refusal(open_with_passphrase(box, as_bytes("open sesame"), as_bytes("node.key"))),
              testing::HasSubstr("KMSSEAL1"));
}

TEST_F(Sealed, RefusesAbsurdParametersBeforeAllocatingForThem) {
  const auto with = [&](std::size_t at, std::uint32_t value) {
    Bytes changed = box;
    for (std::size_t i = 0; i < 4; ++i) changed[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    return refusal(open_with_passphrase(changed, as_bytes("open sesame"), as_bytes("node.key")));
  };
  for (std::uint32_t memory : {0u, 7u, 1024u * 1024 + 1, 0xffffffffu}) {
    EXPECT_THAT(with(8, memory), testing::HasSubstr("are accepted")) << memory;
  }
  for (std::uint32_t iterations : {0u, 17u, 0xffffffffu}) {
    EXPECT_THAT(with(12, iterations), testing::HasSubstr("are accepted")) << iterations;
  }
  EXPECT_THAT(with(8, 8), testing::HasSubstr("wrong passphrase"))
      << "weaker but acceptable parameters give another key";
}

TEST(SealingKey, OpensOnlyItsOwnBoxesInTheirContext) {
  io::OsEntropy entropy;
  const auto key = SealingKey::random(entropy);
  const Bytes box = key.seal(as_bytes("share"), as_bytes("epoch 1"), entropy);
  EXPECT_EQ(box.size(), 12u + 5 + 16);
  auto opened = key.open(box, as_bytes("epoch 1"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->expose()), "share");
  EXPECT_FALSE(key.open(box, as_bytes("epoch 2")));
  EXPECT_FALSE(SealingKey::random(entropy).open(box, as_bytes("epoch 1")));
  EXPECT_FALSE(key.open(ByteView(box).first(27), as_bytes("epoch 1")));
  EXPECT_FALSE(key.open(ByteView(box).first(box.size() - 1), as_bytes("epoch 1")));
}

}  // namespace
}  // namespace kms::crypto
