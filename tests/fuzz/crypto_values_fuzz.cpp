// crypto/: scalars, points, elements, proofs and signatures; what parses is canonical.
#include "crypto/dleq.h"
#include "crypto/ecdsa.h"
#include "crypto/schnorr.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::crypto;

namespace {

void check_points(ByteView input) {
  if (auto point = Point::parse(input)) {
    KMS_ASSERT(equal(point->bytes(), input));
    auto uncompressed = Point::parse_sec1(point->uncompressed());
    KMS_ASSERT(uncompressed && *uncompressed == *point);
    KMS_ASSERT((Element(*point) + Element(-*point)).is_infinity());
    KMS_ASSERT(multiply(Scalar(2), *point) == Element(*point) + Element(*point));
  }
  if (auto point = Point::parse_sec1(input)) {
    bool same = input.size() == 33 ? equal(point->bytes(), input) : equal(point->uncompressed(), input);
    KMS_ASSERT(same);
  }
  if (auto element = Element::parse(input)) KMS_ASSERT(equal(element->bytes(), input));
}

void check_scalars(ByteView input) {
  auto scalar = Scalar::parse(input);
  auto secret = SecretScalar::parse(input);
  KMS_ASSERT(scalar.has_value() == secret.has_value());
  if (!scalar) return;
  KMS_ASSERT(equal(scalar->bytes(), input) && Scalar::reduce(to_array<32>(input)) == *scalar);
  KMS_ASSERT(secret->publish() == *scalar && secret->is_zero() == scalar->is_zero());
  KMS_ASSERT(multiply_generator(*scalar) == multiply_generator(*secret));
  KMS_ASSERT((*scalar + -*scalar).is_zero());
  if (!scalar->is_zero()) KMS_ASSERT(*scalar * scalar->inverse() == Scalar(1));
}

void check_signatures(ByteView input) {
  Hash32 digest = sha256(input);
  auto strict = RecoverableSignature::parse(input);
  auto ethereum = RecoverableSignature::parse_ethereum(input);
  if (strict) {
    KMS_ASSERT(equal(strict->bytes, input) && ethereum && *ethereum == *strict);
    if (auto key = recover(*strict, digest)) {
      KMS_ASSERT(verify(*key, *strict, digest));
      KMS_ASSERT(!verify(-*key, *strict, digest));
    }
  }
  if (ethereum) {
    std::uint8_t v = ethereum->bytes[64];
    KMS_ASSERT(v == 27 || v == 28);
    if (auto key = recover(*ethereum, digest)) KMS_ASSERT(verify(*key, *ethereum, digest));
  }
  if (auto proof = DleqProof::parse(input)) KMS_ASSERT(equal(proof->bytes(), input));
  if (auto proof = SchnorrProof::parse(input)) KMS_ASSERT(equal(proof->bytes(), input));
  if (auto address = Address::parse(as_text(input))) KMS_ASSERT(Address::parse(address->hex()).value() == *address);
  KMS_ASSERT(!verify_libp2p(Point::generator(), as_bytes("message"), input));
}

}  // namespace

KMS_FUZZER(crypto_values) {
  check_points(input);
  check_scalars(input);
  check_signatures(input);
}
