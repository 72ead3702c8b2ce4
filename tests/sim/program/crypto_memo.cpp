// The linker sends the calls of the three functions here (--wrap).
#include "tests/sim/program/crypto_memo.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <unordered_map>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

namespace kms::sim {
namespace {

template <std::size_t N>
struct KeyHash {
  std::size_t operator()(const std::array<unsigned char, N>& key) const {
    std::uint64_t out = 0;
    for (std::size_t at = 0; at + 8 <= N; at += 8) {
      std::uint64_t word;
      std::memcpy(&word, key.data() + at, 8);
      out = (out ^ word) * 0x9e3779b97f4a7c15ULL;
      out ^= out >> 32;
    }
    return out;
  }
};

struct Answer {
  int result = 0;
  secp256k1_pubkey point{};
};

template <std::size_t N>
using Memo = std::unordered_map<std::array<unsigned char, N>, Answer, KeyHash<N>>;

constexpr std::size_t kAnswersMax = 400'000;  // about 90 MB a thread

thread_local Memo<40> points;  // 33 bytes
thread_local Memo<64 + 32> products;
thread_local Memo<72 + 32> recoveries;  // a recoverable signature is 65 bytes

thread_local bool remembers = true;

}  // namespace

void remember_crypto(Memory memory) {
  remembers = memory == Memory::on;
}

void forget_crypto() {
  points.clear();
  products.clear();
  recoveries.clear();
}

}  // namespace kms::sim

extern "C" {

int __real_secp256k1_ec_pubkey_parse(const secp256k1_context* context, secp256k1_pubkey* point,
                                     const unsigned char* bytes, std::size_t size);
int __wrap_secp256k1_ec_pubkey_parse(const secp256k1_context* context, secp256k1_pubkey* point,
                                     const unsigned char* bytes, std::size_t size) {
  if (size != 33 || !kms::sim::remembers) return __real_secp256k1_ec_pubkey_parse(context, point, bytes, size);
  std::array<unsigned char, 40> key{};
  std::memcpy(key.data(), bytes, size);
  auto& memo = kms::sim::points;
  if (memo.size() > kms::sim::kAnswersMax) memo.clear();
  const auto [known, is_new] = memo.try_emplace(key);
  if (is_new) known->second.result = __real_secp256k1_ec_pubkey_parse(context, &known->second.point, bytes, size);
  *point = known->second.point;
  return known->second.result;
}

int __real_secp256k1_ec_pubkey_tweak_mul(const secp256k1_context* context, secp256k1_pubkey* point,
                                         const unsigned char* scalar);
int __wrap_secp256k1_ec_pubkey_tweak_mul(const secp256k1_context* context, secp256k1_pubkey* point,
                                         const unsigned char* scalar) {
  if (!kms::sim::remembers) return __real_secp256k1_ec_pubkey_tweak_mul(context, point, scalar);
  std::array<unsigned char, 96> key;
  std::memcpy(key.data(), point->data, 64);
  std::memcpy(key.data() + 64, scalar, 32);
  auto& memo = kms::sim::products;
  if (memo.size() > kms::sim::kAnswersMax) memo.clear();
  const auto [known, is_new] = memo.try_emplace(key);
  if (is_new) {
    known->second.result = __real_secp256k1_ec_pubkey_tweak_mul(context, point, scalar);
    known->second.point = *point;
  }
  *point = known->second.point;
  return known->second.result;
}

int __real_secp256k1_ecdsa_recover(const secp256k1_context* context, secp256k1_pubkey* point,
                                   const secp256k1_ecdsa_recoverable_signature* signature, const unsigned char* digest);
int __wrap_secp256k1_ecdsa_recover(const secp256k1_context* context, secp256k1_pubkey* point,
                                   const secp256k1_ecdsa_recoverable_signature* signature,
                                   const unsigned char* digest) {
  if (!kms::sim::remembers) return __real_secp256k1_ecdsa_recover(context, point, signature, digest);
  std::array<unsigned char, 104> key{};
  std::memcpy(key.data(), signature->data, 65);
  std::memcpy(key.data() + 72, digest, 32);
  auto& memo = kms::sim::recoveries;
  if (memo.size() > kms::sim::kAnswersMax) memo.clear();
  const auto [known, is_new] = memo.try_emplace(key);
  if (is_new) {
    known->second.result = __real_secp256k1_ecdsa_recover(context, point, signature, digest);
    known->second.point = *point;
  }
  *point = known->second.point;
  return known->second.result;
}
}
