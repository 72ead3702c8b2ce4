#include "crypto/rsa_spki.h"

#include "vector_file.h"

namespace kms::crypto {
namespace {

Bytes element(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() >= 0x100) {
    append(out, Bytes{0x82, static_cast<std::uint8_t>(content.size() >> 8)});
  } else if (content.size() >= 0x80) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
  return out;
}

Bytes operator+(Bytes a, ByteView b) {
  append(a, b);
  return a;
}

// A key whose every part can be replaced; what is not replaced is valid.
struct Spki {
  Bytes modulus = Bytes{0} + Bytes(256, 0xc3);
  Bytes exponent{1, 0, 1};
  Bytes algorithm = test::hex("300d06092a864886f70d0101010500");
  Bytes behind_exponent{}, behind_sequence{}, behind_bits{}, behind_all{};
  Bytes unused_bits{0};

  Bytes der() const {
    const Bytes numbers = element(0x30, element(2, modulus) + element(2, exponent) + behind_exponent);
    const Bytes bits = element(3, unused_bits + numbers + behind_sequence);
    return element(0x30, algorithm + bits + behind_bits) + behind_all;
  }
};

std::string refusal(const Spki& spki) {
  auto parsed = parse_rsa_spki(spki.der());
  return parsed ? "accepted" : parsed.error().message;
}

TEST(RsaSpki, AcceptsTheBoundsOfModulusAndExponent) {
  for (std::size_t bytes : {256u, 257u, 384u, 512u}) {
    Bytes modulus(bytes, 0x7f);
    if (bytes != 257) modulus = Bytes{0} + Bytes(bytes, 0xff);
    EXPECT_EQ(refusal({.modulus = modulus}), "accepted") << bytes;
  }
  EXPECT_EQ(refusal({.exponent = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}), "accepted");
  auto parsed = parse_rsa_spki(Spki{.exponent = {1, 0, 3}}.der());
  EXPECT_FALSE(parsed && parsed->exponent != 65539);
}

TEST(RsaSpki, ReadsModulusAndExponent) {
  const Bytes der = Spki{}.der();
  auto parsed = parse_rsa_spki(der);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->exponent, 65537u);
  EXPECT_TRUE(equal(parsed->modulus, Bytes(256, 0xc3)));
}

TEST(RsaSpki, RefusesModuliOutsideTheBounds) {
  EXPECT_THAT(refusal({.modulus = Bytes{0x7f} + Bytes(255, 0xff)}), testing::HasSubstr("2047 bits"));
  EXPECT_THAT(refusal({.modulus = Bytes{1} + Bytes(512, 0xff)}), testing::HasSubstr("4097 bits"));
  EXPECT_THAT(refusal({.modulus = Bytes{0} + Bytes(255, 0xc3) + Bytes{0xc2}}), testing::HasSubstr("even"));
}

TEST(RsaSpki, RefusesExponentsOutsideTheBounds) {
  EXPECT_THAT(refusal({.exponent = {3}}), testing::HasSubstr("exponent is 3,"));
  EXPECT_THAT(refusal({.exponent = {0, 0xff, 0xff}}), testing::HasSubstr("exponent is 65535"));
  EXPECT_THAT(refusal({.exponent = {1, 0, 2}}), testing::HasSubstr("odd"));
  EXPECT_THAT(refusal({.exponent = {1, 0, 0, 0, 0, 0, 0, 0, 1}}), testing::HasSubstr("64 bits"));
}

TEST(RsaSpki, RefusesNegativePaddedEmptyAndZeroIntegers) {
  const auto modulus = testing::HasSubstr("modulus is not a canonical positive integer");
  EXPECT_THAT(refusal({.modulus = Bytes(256, 0xc3)}), modulus);
  EXPECT_THAT(refusal({.modulus = Bytes{0, 0} + Bytes(256, 0xc3)}), modulus);
  EXPECT_THAT(refusal({.modulus = Bytes{0, 0x41} + Bytes(256, 0xc3)}), modulus);
  EXPECT_THAT(refusal({.modulus = {}}), modulus);
  EXPECT_THAT(refusal({.modulus = {0}}), modulus);
  const auto exponent = testing::HasSubstr("exponent is not a canonical positive integer");
  EXPECT_THAT(refusal({.exponent = {0x81, 0, 1}}), exponent);
  EXPECT_THAT(refusal({.exponent = {0, 1, 0, 1}}), exponent);
  EXPECT_THAT(refusal({.exponent = {}}), exponent);
  EXPECT_THAT(refusal({.exponent = {0}}), exponent);
}

TEST(RsaSpki, RefusesTrailingBytesAtEveryLevel) {
  EXPECT_NE(refusal({.behind_exponent = {5, 0}}), "accepted");
  EXPECT_NE(refusal({.behind_sequence = {0}}), "accepted");
  EXPECT_NE(refusal({.behind_bits = {5, 0}}), "accepted");
  EXPECT_NE(refusal({.behind_all = {0}}), "accepted");
}

TEST(RsaSpki, RefusesOtherAlgorithmsAndParameters) {
  const auto algorithm = testing::HasSubstr("rsaEncryption with NULL parameters");
  for (const char* other : {
           "300b06092a864886f70d010101",                  // parameters absent
           "300d06092a864886f70d01010a0500",              // RSASSA-PSS
           "300d06092a864886f70d0101070500",              // RSAES-OAEP
           "300f06092a864886f70d01010105003000",          // something behind NULL
           "300d06092a864886f70d0101013000",              // an empty sequence in place of NULL
           "30810d06092a864886f70d0101010500",            // a length that is not minimal
           "301306072a8648ce3d020106082a8648ce3d030107",  // an elliptic curve
       }) {
    EXPECT_THAT(refusal({.algorithm = test::hex(other)}), algorithm) << other;
  }
}

TEST(RsaSpki, RefusesBitStringsWithUnusedBitsOrNothingInThem) {
  EXPECT_THAT(refusal({.unused_bits = {1}}), testing::HasSubstr("bit string"));
  EXPECT_THAT(refusal({.unused_bits = {}}), testing::HasSubstr("bit string"));
}

TEST(RsaSpki, RefusesLengthsThatAreNotMinimalOrIndefinite) {
  const Bytes der = Spki{}.der();  // 30 82 01 22 ...
  ASSERT_EQ(to_hex(ByteView(der).first(2)), "3082");
  const ByteView content = ByteView(der).subspan(4);
  EXPECT_TRUE(parse_rsa_spki(Bytes{0x30, 0x82, der[2], der[3]} + content));
  EXPECT_FALSE(parse_rsa_spki(Bytes{0x30, 0x83, 0, der[2], der[3]} + content));
  EXPECT_FALSE(parse_rsa_spki(Bytes{0x30, 0x84, 0, 0, der[2], der[3]} + content));
  EXPECT_FALSE(parse_rsa_spki(Bytes{0x30, 0x80} + content + Bytes{0, 0}));
  EXPECT_FALSE(parse_rsa_spki(Bytes{0x31, 0x82, der[2], der[3]} + content));
  const auto outer = [](const Bytes& bytes) {
    auto parsed = parse_rsa_spki(bytes);
    return parsed ? "accepted" : parsed.error().message;
  };
  EXPECT_THAT(outer(Bytes{0x30, 0x81, 0x7f} + Bytes(0x7f)), testing::HasSubstr("not one canonical DER sequence"));
  EXPECT_THAT(outer(Bytes{0x30, 0x82, 0, 0xff} + Bytes(0xff)), testing::HasSubstr("not one canonical DER sequence"));
  EXPECT_THAT(outer(Bytes{0x30, 0x81, 0x80} + Bytes(0x80)), testing::HasSubstr("the algorithm"));
  // The exponent's length in long form.
  const Bytes exponent = test::hex("0203010001");
  const Bytes numbers = element(0x30, element(2, Spki{}.modulus) + test::hex("028103010001"));
  EXPECT_TRUE(parse_rsa_spki(
      element(0x30, Spki{}.algorithm + element(3, Bytes{0} + element(0x30, element(2, Spki{}.modulus) + exponent)))));
  EXPECT_FALSE(parse_rsa_spki(element(0x30, Spki{}.algorithm + element(3, Bytes{0} + numbers))));
}

TEST(RsaSpki, RefusesEveryTruncation) {
  const Bytes der = Spki{}.der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(parse_rsa_spki(ByteView(der).first(size))) << size;
  }
}

}  // namespace
}  // namespace kms::crypto
