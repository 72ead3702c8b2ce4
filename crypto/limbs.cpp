#include "crypto/limbs.h"

#include <memory>

#include <openssl/bn.h>

#include "base/assert.h"

namespace kms::crypto {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Limbs kOrder = {0xBFD25E8CD0364141, 0xBAAEDCE6AF48A03B, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF};
// 2^256 - q, of 129 bits.
constexpr std::array<std::uint64_t, 3> kFold = {0x402DA1732FC9BEBF, 0x4551231950B75FC4, 1};

constexpr std::uint64_t low(Wide value) {
  return static_cast<std::uint64_t>(value);
}

// out = a + (2^256 - q); the carry is 1 exactly if a >= q, and then out = a - q.
std::uint64_t add_fold(const Limbs& a, Limbs& out) {
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += a[i];
    carry += i < 3 ? kFold[i] : 0;
    out[i] = low(carry);
    carry >>= 64;
  }
  return low(carry);
}

// The wide number modulo q: everything above 2^256 is worth 2^256 - q times as much below it.
template <std::size_t N>
Limbs reduce_wide(std::array<std::uint64_t, N> wide) {
  static_assert(N >= 5 && N <= 8);
  for (;;) {
    std::array<std::uint64_t, N> high{};
    bool is_short = true;
    for (std::size_t i = 4; i < N; ++i) {
      high[i - 4] = wide[i];
      is_short = is_short && wide[i] == 0;
      wide[i] = 0;
    }
    if (is_short) return reduce_once({wide[0], wide[1], wide[2], wide[3]});
    for (std::size_t i = 0; i + 4 < N; ++i) {
      Wide carry = 0;
      for (std::size_t j = 0; i + j < N; ++j) {
        carry += wide[i + j];
        if (j < kFold.size()) carry += Wide{high[i]} * kFold[j];
        wide[i + j] = low(carry);
        carry >>= 64;
      }
    }
  }
}

struct BnFree {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* scratch) const { BN_CTX_free(scratch); }
};
using Bn = std::unique_ptr<BIGNUM, BnFree>;

Bn bn_of(const Hash32& bytes) {
  return Bn(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

}  // namespace

Limbs limbs_of(const Hash32& big_endian) {
  Limbs out;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t limb;
    std::memcpy(&limb, big_endian.data() + 24 - 8 * i, 8);
    out[i] = __builtin_bswap64(limb);
  }
  return out;
}

Hash32 bytes_of(const Limbs& limbs) {
  Hash32 out;
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t limb = __builtin_bswap64(limbs[i]);
    std::memcpy(out.data() + 24 - 8 * i, &limb, 8);
  }
  return out;
}

bool is_below_order(const Limbs& limbs) {
  Limbs ignored;
  return add_fold(limbs, ignored) == 0;
}

Limbs reduce_once(const Limbs& limbs) {
  Limbs less;
  std::uint64_t mask = 0 - add_fold(limbs, less);
  Limbs out;
  for (std::size_t i = 0; i < 4; ++i) out[i] = (less[i] & mask) | (limbs[i] & ~mask);
  return out;
}

Limbs add_mod_q(const Limbs& a, const Limbs& b) {
  std::array<std::uint64_t, 5> sum{};
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a[i]} + b[i];
    sum[i] = low(carry);
    carry >>= 64;
  }
  sum[4] = low(carry);
  return reduce_wide(sum);
}

Limbs negate_mod_q(const Limbs& a) {
  if (a == Limbs{}) return a;
  Limbs out;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    Wide difference = Wide{kOrder[i]} - a[i] - borrow;
    out[i] = low(difference);
    borrow = low(difference >> 64) & 1;
  }
  return out;
}

Limbs multiply_mod_q(const Limbs& a, const Limbs& b) {
  std::array<std::uint64_t, 8> product{};
  for (std::size_t i = 0; i < 4; ++i) {
    Wide carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      carry += Wide{a[i]} * b[j];
      carry += product[i + j];
      product[i + j] = low(carry);
      carry >>= 64;
    }
    product[i + 4] = low(carry);
  }
  return reduce_wide(product);
}

Limbs multiply_mod_q(const Limbs& a, std::uint64_t b) {
  std::array<std::uint64_t, 5> product{};
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a[i]} * b;
    product[i] = low(carry);
    carry >>= 64;
  }
  product[4] = low(carry);
  return reduce_wide(product);
}

Limbs invert_mod_q(const Limbs& a) {
  KMS_ASSERT(a != Limbs{});
  std::unique_ptr<BN_CTX, BnFree> scratch(BN_CTX_new());
  Bn number = bn_of(bytes_of(a));
  Bn order = bn_of(bytes_of(kOrder));
  KMS_ASSERT(BN_mod_inverse(number.get(), number.get(), order.get(), scratch.get()) != nullptr);
  Hash32 out;
  KMS_ASSERT(BN_bn2binpad(number.get(), out.data(), static_cast<int>(out.size())) == 32);
  return limbs_of(out);
}

}  // namespace kms::crypto
