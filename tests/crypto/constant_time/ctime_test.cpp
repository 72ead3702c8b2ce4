// Calls every path that computes with secrets while valgrind takes the secrets for undefined memory: a branch or an
// address that depends on one is then a report. Run by tests/crypto/constant_time/CMakeLists.txt under valgrind; exit
// status 1 if a path is reported, or if a negative control is not.
#include <cstdio>
#include <valgrind/memcheck.h>

#include <secp256k1.h>

#include "crypto/aead.h"
#include "crypto/context.h"
#include "crypto/declassify.h"
#include "crypto/dleq.h"
#include "crypto/ecdsa.h"
#include "crypto/hkdf.h"
#include "crypto/polynomial.h"
#include "crypto/reencryption.h"
#include "crypto/schnorr.h"
#include "crypto/sealing.h"

namespace kms::crypto {
namespace {

class CountingEntropy final : public Entropy {
 public:
  void fill(MutableByteView out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(next_ = next_ * 29 + 7);
  }

 private:
  std::uint32_t next_ = 1;
};

CountingEntropy& entropy() {
  static CountingEntropy source;
  return source;
}

void mark_secret(const void* begin, std::size_t size) {
  (void)VALGRIND_MAKE_MEM_UNDEFINED(begin, size);
}

SecretScalar secret_scalar() {
  SecretScalar out = SecretScalar::random(entropy());
  mark_secret(out.expose().data(), 32);
  return out;
}

template <std::size_t N>
Secret<N> secret_bytes() {
  auto out = Secret<N>::random(entropy());
  mark_secret(out.expose().data(), N);
  return out;
}

Statement statement() {
  return {"KMS1/test", [](Transcript& transcript) { transcript.u32(1); }};
}

// Signing asks whether the nonce is in range and whether the signature came out (once in 2^127 not). Both answers are
// public, and libsecp256k1 says so to valgrind in its own test builds, but not in Debian's: exactly these two reports.
enum class Expected { silence, two_of_signing, report };

bool agrees(Expected expected, unsigned long reports) {
  switch (expected) {
    case Expected::silence:
      return reports == 0;
    case Expected::two_of_signing:
      return reports == 2;
    case Expected::report:
      return reports > 0;
  }
  return false;
}

class Paths {
 public:
  template <class Path>
  void run(const char* name, Expected expected, Path path) {
    auto before = VALGRIND_COUNT_ERRORS;
    path();
    auto reports = VALGRIND_COUNT_ERRORS - before;
    bool is_right = agrees(expected, reports);
    std::printf("%-4s %-52s %u reports\n", is_right ? "ok" : "FAIL", name, static_cast<unsigned>(reports));
    if (!is_right) failed_ = true;
  }
  bool failed() const { return failed_; }

 private:
  bool failed_ = false;
};

void run_scalars(Paths& paths) {
  paths.run("scalar: add, subtract, multiply, negate", Expected::silence, [] {
    SecretScalar a = secret_scalar();
    SecretScalar b = secret_scalar();
    SecretScalar out = (a + b) * a - b * Scalar(7) + Scalar(3);
    (void)(-out).clone();
  });
  paths.run("scalar: the same with zero", Expected::silence, [] {
    SecretScalar zero;
    mark_secret(zero.expose().data(), 32);
    SecretScalar a = secret_scalar();
    (void)((zero + a) * zero - (a + -a));
  });
  paths.run("scalar: parse", Expected::silence, [] {
    auto bytes = secret_bytes<32>();
    bytes.expose_mutable()[0] = 0;
    (void)SecretScalar::parse(bytes.expose());
  });
  paths.run("scalar: reduce", Expected::silence, [] {
    Hash32 hash = secret_bytes<32>().expose();
    (void)SecretScalar::reduce(std::move(hash));
  });
  paths.run("scalar: from a transcript of secrets", Expected::silence, [] {
    auto seed = secret_bytes<32>();
    (void)Transcript("KMS1/test").secret(seed.expose()).secret_scalar();
  });
  paths.run("equal_constant_time", Expected::silence,
            [] { (void)equal_constant_time(secret_bytes<32>().expose(), secret_bytes<32>().expose()); });
}

void run_points(Paths& paths) {
  static const Point other = multiply_generator(Scalar(5)).point();
  paths.run("point: secret * point", Expected::silence, [] { (void)multiply(secret_scalar(), other); });
  paths.run("point: secret * H", Expected::silence, [] { (void)multiply(secret_scalar(), Point::second_generator()); });
  paths.run("point: secret * G", Expected::silence, [] { (void)multiply_generator(secret_scalar()); });
  paths.run("point: secret product", Expected::silence, [] { (void)multiply_secretly(secret_scalar(), other); });
  paths.run("point: x of a secret product", Expected::silence, [] { (void)ecdh_x(secret_scalar(), other); });
}

void run_polynomials(Paths& paths) {
  static const auto polynomial = [] {
    std::vector<SecretScalar> coefficients;
    for (int k = 0; k < 4; ++k) coefficients.push_back(secret_scalar());
    return SecretPolynomial(std::move(coefficients));
  };
  paths.run("polynomial: evaluate", Expected::silence, [] { (void)polynomial().evaluate(3); });
  paths.run("polynomial: commit over G", Expected::silence, [] { (void)polynomial().commit(Point::generator()); });
  paths.run("polynomial: commit over H", Expected::silence,
            [] { (void)polynomial().commit(Point::second_generator()); });
  paths.run("polynomial: interpolate shares", Expected::silence, [] {
    std::vector<SecretScalar> shares;
    for (int i = 0; i < 3; ++i) shares.push_back(secret_scalar());
    (void)interpolate({1, 4, 5}, shares);
  });
}

void run_proofs(Paths& paths) {
  paths.run("schnorr: prove", Expected::silence, [] { (void)prove_schnorr(secret_scalar(), statement(), entropy()); });
  paths.run("dleq: prove with G", Expected::silence, [] {
    (void)prove_dleq(secret_scalar(), multiply_generator(Scalar(9)).point(), entropy().array<32>(), Point::generator(),
                     entropy().array<32>());
  });
  paths.run("dleq: prove with H", Expected::silence, [] {
    (void)prove_dleq(secret_scalar(), Point::generator(), entropy().array<32>(), Point::second_generator(),
                     entropy().array<32>());
  });
  static const Point base = multiply_generator(Scalar(9)).point();
  static const Point recipient = multiply_generator(Scalar(11)).point();
  paths.run("reencryption: make", Expected::silence, [] {
    const ReencryptionStatement statement{[](Transcript& transcript) { transcript.u32(1); }, base, recipient, base};
    (void)reencrypt(secret_scalar(), statement, entropy());
  });
  paths.run("reencryption: open", Expected::silence, [] { (void)open_reencryption(base, recipient, secret_scalar()); });
  paths.run("ecdsa: node key from secret", Expected::silence, [] { (void)NodeKey::from_secret(secret_scalar()); });
  paths.run("ecdsa: sign", Expected::two_of_signing,
            [] { (void)sign_recoverable(secret_scalar(), entropy().array<32>()); });
  paths.run("ecdsa: sign for libp2p", Expected::two_of_signing,
            [] { (void)NodeKey::from_secret(secret_scalar()).value().sign_libp2p(as_bytes("message")); });
}

void run_symmetric(Paths& paths) {
  paths.run("hkdf", Expected::silence,
            [] { (void)hkdf_sha256(secret_bytes<32>().expose(), {}, as_bytes("info"), 44); });
  paths.run("aead: seal", Expected::silence, [] {
    (void)aead_seal(secret_bytes<32>().expose(), entropy().array<12>(), as_bytes("aad"), secret_bytes<97>().expose());
  });
  paths.run("sealing: seal", Expected::silence, [] {
    (void)SealingKey(secret_bytes<32>()).seal(secret_bytes<32>().expose(), as_bytes("context"), entropy());
  });
}

// What must be reported, or the reports above would prove nothing.
void run_controls(Paths& paths) {
  paths.run("control: a branch on a secret", Expected::report, [] {
    auto bytes = secret_bytes<1>();
    volatile int sink = 0;
    if (bytes.expose()[0] == 3) sink = 1;
    (void)sink;
  });
  paths.run("control: a table looked up by a secret", Expected::report, [] {
    static const std::uint8_t table[256] = {1, 2, 3};
    auto bytes = secret_bytes<1>();
    volatile std::uint8_t sink = *static_cast<const volatile std::uint8_t*>(table + bytes.expose()[0]);
    (void)sink;
  });
  paths.run("control: secp256k1_ec_pubkey_tweak_mul", Expected::report, [] {
    SecretScalar scalar = secret_scalar();
    secp256k1_pubkey product;
    std::memcpy(&product, Point::generator().raw().data(), sizeof product);
    int made = secp256k1_ec_pubkey_tweak_mul(context(), &product, scalar.expose().data());
    declassify(&made, sizeof made);
  });
}

int run() {
  if (!RUNNING_ON_VALGRIND) {
    std::fprintf(stderr, "run this under valgrind: valgrind --error-limit=no ctime_test\n");
    return 2;
  }
  randomize_context(entropy());
  Paths paths;
  run_scalars(paths);
  run_points(paths);
  run_polynomials(paths);
  run_proofs(paths);
  run_symmetric(paths);
  run_controls(paths);
  return paths.failed() ? 1 : 0;
}

}  // namespace
}  // namespace kms::crypto

int main() {
  return kms::crypto::run();
}
