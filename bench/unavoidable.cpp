#include "bench/unavoidable.h"

#include <ctime>
#include <memory>
#include <optional>
#include <thread>

#include "base/io/os_entropy.h"
#include "bench/child.h"
#include "bench/stopwatch.h"
#include "crypto/dleq.h"
#include "crypto/ecdsa.h"
#include "crypto/polynomial.h"
#include "crypto/rsa_oaep.h"

namespace kms::bench {
namespace {

constexpr double kSecondsEach = 0.3;

// The mean, not the best: what nodes use is a mean, too.
template <class Call>
double microseconds_of(Call call) {
  const double began = processor_seconds();
  std::size_t calls = 0;
  double used = 0;
  while (used < kSecondsEach) {
    for (int i = 0; i < 64; ++i) call();
    calls += 64;
    used = processor_seconds() - began;
  }
  return used * 1e6 / static_cast<double>(calls);
}

Operations time_here(std::size_t threshold) {
  using namespace crypto;
  kms::io::OsEntropy entropy;
  Operations out;
  const auto secret = SecretScalar::random(entropy);
  const Point point = multiply_generator(SecretScalar::random(entropy)).point();
  const Hash32 message{1};
  const Hash32 random = entropy.array<32>();
  const NodeKey key = NodeKey::generate(entropy);
  const RecoverableSignature signature = key.sign(message);
  const DleqStatement statement{multiply_generator(secret).point(), point, multiply(secret, point).point(),
                                Point::generator(), message};
  const auto proof = prove_dleq(secret, statement, random).value();
  const auto rsa = RsaPublicKey::parse_spki(RsaPrivateKey::generate(2048).public_spki()).value();
  const Bytes plaintext(32, 7);
  std::vector<Position> positions;
  std::vector<Element> partials;
  for (std::size_t i = 1; i <= threshold; ++i) {
    positions.push_back(static_cast<Position>(i));
    partials.push_back(multiply_generator(SecretScalar::random(entropy)));
  }
  const auto weights = lagrange_coefficients(positions);
  out["recover"] = microseconds_of([&] { keep(recover(signature, message)); });
  out["multiply"] = microseconds_of([&] { keep(multiply_secretly(secret, point)); });
  out["prove"] = microseconds_of([&] { keep(prove_dleq(secret, statement, random, SelfCheck::off)); });
  out["verify"] = microseconds_of([&] { keep(verify_dleq(statement, proof)); });
  out["combine"] = threshold > 1 ? microseconds_of([&] { keep(combine(weights, partials)); }) : 0;
  out["rsa"] = microseconds_of([&] { keep(rsa.encrypt_oaep(plaintext, {}, entropy)); });
  out["sign"] = microseconds_of([&] { keep(key.sign(message)); });
  return out;
}

}  // namespace

Operations time_operations(std::size_t threshold) {
  std::vector<std::unique_ptr<Child>> others;
  for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    others.push_back(std::make_unique<Child>([&](Lines&) { time_here(threshold); }));
  }
  return time_here(threshold);
}

std::map<std::string, std::size_t> calls_of(std::size_t threshold) {
  return {{"recover", threshold},
          {"multiply", threshold},
          {"prove", threshold - 1},
          {"verify", threshold - 1},
          {"combine", threshold > 1 ? 1 : 0},
          {"rsa", 1},
          {"sign", 1}};
}

double unavoidable_microseconds(const Operations& operations, std::size_t threshold) {
  double sum = 0;
  for (const auto& [name, calls] : calls_of(threshold)) sum += static_cast<double>(calls) * operations.at(name);
  return sum;
}

}  // namespace kms::bench
