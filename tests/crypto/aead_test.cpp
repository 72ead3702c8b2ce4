#include "crypto/aead.h"

#include <atomic>
#include <thread>

#include "vector_file.h"

namespace kms::crypto {
namespace {
using test::hex;

struct KnownAnswer {
  const char *key, *nonce, *aad, *plaintext, *sealed;
};

// The AES-256 cases 13 to 16 of the GCM specification (McGrew and Viega), which NIST took over.
constexpr char kKey[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
constexpr char kZeroKey[] = "0000000000000000000000000000000000000000000000000000000000000000";
const KnownAnswer kKnownAnswers[] = {
    {kZeroKey, "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {kZeroKey, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {kKey, "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a63"
     "7b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9"
     "f662898015adb094dac5d93471bdec1a502270e3cc6c"},
    {kKey, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657b"
     "a63"
     "7b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab"
     "cc9"
     "f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(Aead, MatchesThePublishedCasesBothWays) {
  for (const auto& c : kKnownAnswers) {
    EXPECT_EQ(to_hex(aead_seal(hex(c.key), hex(c.nonce), hex(c.aad), hex(c.plaintext))), c.sealed);
    auto opened = aead_open(hex(c.key), hex(c.nonce), hex(c.aad), hex(c.sealed));
    ASSERT_TRUE(opened);
    EXPECT_EQ(to_hex(opened->expose()), c.plaintext);
  }
}

TEST(Aead, RefusesEveryFlippedByteOfKeyNonceAadTagAndCiphertext) {
  const auto& c = kKnownAnswers[3];
  const Bytes inputs[] = {hex(c.key), hex(c.nonce), hex(c.aad), hex(c.sealed)};
  for (std::size_t which = 0; which < 4; ++which) {
    for (std::size_t at = 0; at < inputs[which].size(); ++at) {
      Bytes changed[] = {inputs[0], inputs[1], inputs[2], inputs[3]};
      changed[which][at] ^= 1;
      auto opened = aead_open(changed[0], changed[1], changed[2], changed[3]);
      ASSERT_FALSE(opened) << which << " " << at;
      EXPECT_EQ(opened.error().message, "the ciphertext does not open: wrong key or damaged");
    }
  }
}

TEST(Aead, RefusesEveryTruncation) {
  const auto& c = kKnownAnswers[3];
  const Bytes sealed = hex(c.sealed);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(aead_open(hex(c.key), hex(c.nonce), hex(c.aad), ByteView(sealed).first(size))) << size;
  }
}

TEST(Aead, WorksInSeveralThreadsAtOnceAndAfterARefusal) {
  const auto& c = kKnownAnswers[2];
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        wrong += to_hex(aead_seal(hex(c.key), hex(c.nonce), {}, hex(c.plaintext))) != c.sealed;
        wrong += aead_open(hex(kZeroKey), hex(c.nonce), {}, hex(c.sealed)).has_value();
        wrong += !aead_open(hex(c.key), hex(c.nonce), {}, hex(c.sealed)).has_value();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace kms::crypto
