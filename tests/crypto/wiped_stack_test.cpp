// What operations on secret points leave on the stack below their caller: no encoding of the secret.
#include <array>

#include <gtest/gtest.h>

#include "crypto/dleq.h"
#include "tests/crypto/fixtures.h"

namespace kms::crypto {
namespace {

constexpr std::size_t kLookedAt = 48 * 1024;

// Where the pattern stands in what earlier calls left behind.
[[gnu::noinline, gnu::no_sanitize("address")]] std::size_t left_of(ByteView pattern) {
  std::uint8_t below[kLookedAt];
  asm volatile("" : : "r"(below) : "memory");
  std::size_t found = 0;
  for (std::size_t i = 0; i + pattern.size() <= kLookedAt; ++i) {
    std::size_t same = 0;
    while (same < pattern.size() && below[i + same] == pattern[same]) ++same;
    if (same == pattern.size()) ++found;
  }
  return found;
}

// So that nothing older is found.
[[gnu::noinline]] void clear_stack() {
  std::uint8_t below[kLookedAt];
  wipe(below);
  asm volatile("" : : "r"(below) : "memory");
}

struct WipedStack : testing::Test {
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    GTEST_SKIP() << "the address sanitizer keeps locals elsewhere";
#endif
    const SecretScalar s = scalar_of(7001);
    const SecretScalar k = scalar_of(7002);
    base = multiply_generator(k).point();
    product = multiply(s, base).point();
    ByteArray<33> encoded = product.bytes();
    std::copy(encoded.begin() + 1, encoded.end(), pattern.begin());
    clear_stack();
  }
  static SecretScalar scalar_of(std::uint32_t number) {
    ByteArray<32> bytes{};
    for (std::size_t i = 0; i < 32; ++i) bytes[i] = static_cast<std::uint8_t>(number * (i + 3) >> (i % 5));
    bytes[0] = 1;
    return SecretScalar::reduce(std::move(bytes));
  }
  Point base = Point::generator();
  Point product = Point::generator();
  std::array<std::uint8_t, 32> pattern{};
};

// So deep that the frames of what is called lie where `left_of` looks.
template <class Call>
[[gnu::noinline]] void deep(Call call) {
  std::uint8_t room[2048];
  asm volatile("" : : "r"(room) : "memory");
  call();
  asm volatile("" : : "r"(room) : "memory");
}

[[gnu::noinline]] void take_x(const Point& point) {
  Hash32 x = point.x();
  wipe(x);
}
[[gnu::noinline]] void leave_x(const Point& point) {
  Hash32 x = point.x();
  asm volatile("" : : "r"(x.data()) : "memory");
}
[[gnu::noinline]] void take_proof(const SecretScalar& scalar, const DleqStatement& statement) {
  auto proof = prove_dleq(scalar, statement, Hash32{9});
  EXPECT_TRUE(proof.has_value());  // with the self-check, which verifies
}

TEST_F(WipedStack, IsLookedAtWhereASecretWouldBe) {
  deep([&] { leave_x(product); });
  EXPECT_GE(left_of(pattern), 1u);
}

TEST_F(WipedStack, HasNothingOfAnXCoordinate) {
  deep([&] { take_x(product); });
  EXPECT_EQ(left_of(pattern), 0u);
}

TEST_F(WipedStack, HasNothingOfThePointThatAProofIsAbout) {
  const SecretScalar scalar = scalar_of(7001);
  const DleqStatement statement{multiply_generator(scalar).point(), base, product, Point::generator(), Hash32{1}};
  clear_stack();
  deep([&] { take_proof(scalar, statement); });
  EXPECT_EQ(left_of(pattern), 0u);
}

}  // namespace
}  // namespace kms::crypto
