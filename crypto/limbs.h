// 256-bit integers modulo the order q of secp256k1 as four 64-bit limbs, least first. Internal to crypto/. Variable
// time except where said.
#pragma once

#include <array>

#include "base/bytes.h"

namespace kms::crypto {

using Limbs = std::array<std::uint64_t, 4>;

Limbs limbs_of(const Hash32& big_endian);
Hash32 bytes_of(const Limbs& limbs);
// Is the number below q? Constant time.
bool is_below_order(const Limbs& limbs);
// The number modulo q, given any below 2^256. Constant time.
Limbs reduce_once(const Limbs& limbs);
// Both below q, and so is the result.
Limbs add_mod_q(const Limbs& a, const Limbs& b);
Limbs negate_mod_q(const Limbs& a);
Limbs multiply_mod_q(const Limbs& a, const Limbs& b);
// With a factor of one limb, about four times as fast.
Limbs multiply_mod_q(const Limbs& a, std::uint64_t b);
// Not zero.
Limbs invert_mod_q(const Limbs& a);

}  // namespace kms::crypto
