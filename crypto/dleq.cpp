#include "crypto/dleq.h"

#include "crypto/declassify.h"
#include "crypto/sha256.h"

namespace kms::crypto {
namespace {

Sha256 tagged_aux() {
  static const Sha256 start = Sha256::tagged("BIP0374/aux");
  return start;
}

Sha256 tagged_nonce() {
  static const Sha256 start = Sha256::tagged("BIP0374/nonce");
  return start;
}

Sha256 tagged_challenge() {
  static const Sha256 start = Sha256::tagged("BIP0374/challenge");
  return start;
}

// C may be a secret, and who knows R2 and the proof knows C.
Hash32 challenge_of(const DleqStatement& statement, const Point& r1, const Point& r2) {
  ByteArray<33> c = statement.c.bytes();
  ByteArray<33> r2_bytes = r2.bytes();
  const WipeAtExit wiped_c(c);
  const WipeAtExit wiped_r2(r2_bytes);
  return tagged_challenge()
      .update(statement.a.bytes())
      .update(statement.b.bytes())
      .update(c)
      .update(statement.generator.bytes())
      .update(r1.bytes())
      .update(r2_bytes)
      .update(statement.message)
      .finish();
}

SecretScalar nonce_of(const SecretScalar& a, const DleqStatement& statement, const Hash32& r) {
  Secret<32> masked(tagged_aux().update(r).finish());
  for (std::size_t i = 0; i < 32; ++i) {
    masked.expose_mutable()[i] = static_cast<std::uint8_t>(masked.expose()[i] ^ a.expose()[i]);
  }
  ByteArray<33> c = statement.c.bytes();
  const WipeAtExit wiped_c(c);
  return SecretScalar::reduce(
      tagged_nonce().update(masked.expose()).update(statement.a.bytes()).update(c).update(statement.message).finish());
}

// s * base - e * image.
Element commitment_of(const Scalar& s, const Point& base, const Scalar& minus_e, const Point& image) {
  if (base == Point::generator()) return multiply_add(s, minus_e, image);
  Element response = multiply(s, base);
  Element removed = multiply(minus_e, image);
  const WipeAtExit wiped_response(response);
  const WipeAtExit wiped_removed(removed);
  return response + removed;
}

}  // namespace

ByteArray<64> DleqProof::bytes() const {
  ByteArray<64> out;
  std::memcpy(out.data(), e.data(), 32);
  std::memcpy(out.data() + 32, s.bytes().data(), 32);
  return out;
}

Result<DleqProof> DleqProof::parse(ByteView bytes64) {
  if (bytes64.size() != 64) return error("a DLEQ proof has 64 bytes, not " + std::to_string(bytes64.size()));
  auto s = Scalar::parse(bytes64.last(32));
  if (!s) return s.error();
  return DleqProof{to_array<32>(bytes64), *s};
}

Result<DleqProof> prove_dleq(const SecretScalar& a, const Point& b, const Hash32& r, const Point& generator,
                             const Hash32& message, SelfCheck self_check) {
  if (a.is_zero()) return error("no DLEQ proof of a zero secret exists");
  DleqStatement statement{multiply(a, generator).point(), b, multiply(a, b).point(), generator, message};
  const WipeAtExit wiped(statement);
  return prove_dleq(a, statement, r, self_check);
}

Result<DleqProof> prove_dleq(const SecretScalar& a, const DleqStatement& statement, const Hash32& r,
                             SelfCheck self_check) {
  if (a.is_zero()) return error("no DLEQ proof of a zero secret exists");
  SecretScalar k = nonce_of(a, statement, r);
  if (k.is_zero()) return error("the nonce came out zero; draw other random bytes");
  Point r1 = multiply(k, statement.generator).point();
  Element r2_element = statement.b == statement.generator ? Element(r1) : multiply(k, statement.b);
  const WipeAtExit wiped(r2_element);
  const Point& r2 = r2_element.point();
  Hash32 e = challenge_of(statement, r1, r2);
  DleqProof proof{e, (k + a * Scalar::reduce(e)).publish()};
  if (self_check == SelfCheck::on && !verify_dleq(statement, proof)) {
    return error("the DLEQ proof just made does not verify: the statement is not of this secret, or a fault happened");
  }
  return proof;
}

bool verify_dleq(const DleqStatement& statement, const DleqProof& proof) {
  Scalar minus_e = -Scalar::reduce(proof.e);
  Element r1 = commitment_of(proof.s, statement.generator, minus_e, statement.a);
  if (r1.is_infinity()) return false;
  bool is_same = statement.b == statement.generator && statement.c == statement.a;
  Element r2 = is_same ? r1 : commitment_of(proof.s, statement.b, minus_e, statement.c);
  const WipeAtExit wiped(r2);
  if (r2.is_infinity()) return false;
  return challenge_of(statement, r1.point(), r2.point()) == proof.e;
}

bool verify_dleq(const Point& a, const Point& b, const Point& c, const DleqProof& proof, const Point& generator,
                 const Hash32& message) {
  return verify_dleq({a, b, c, generator, message}, proof);
}

}  // namespace kms::crypto
