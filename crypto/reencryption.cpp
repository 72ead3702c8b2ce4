#include "crypto/reencryption.h"

#include "base/assert.h"
#include "crypto/secret_point.h"

namespace kms::crypto {
namespace {

using Append = std::function<void(Transcript&)>;

// Not zero: a zero is made again with a counter behind the fields (docs/TRANSCRIPTS.md, section 1).
SecretScalar derived(std::string_view tag, const Append& fields) {
  for (std::uint32_t counter = 0;; ++counter) {
    Transcript transcript(tag);
    fields(transcript);
    if (counter > 0) transcript.u32(counter);
    SecretScalar out = transcript.secret_scalar();
    if (!out.is_zero()) return out;
  }
}

SecretScalar mask_of(const SecretScalar& share, const ReencryptionStatement& statement, Entropy& entropy) {
  const auto fresh = Secret<32>::random(entropy);
  return derived("KMS1/reencr", [&](Transcript& transcript) {
    transcript.secret(share).secret(fresh.expose());
    statement.context(transcript);
    transcript.point(statement.k).point(statement.recipient);
  });
}

SecretScalar nonce_of(std::string_view tag, const SecretScalar& share, const SecretScalar& mask,
                      const ReencryptionStatement& statement, const Point& u, const Point& w, Entropy& entropy) {
  const auto fresh = Secret<32>::random(entropy);
  return derived(tag, [&](Transcript& transcript) {
    transcript.secret(share).secret(mask).secret(fresh.expose());
    statement.context(transcript);
    transcript.point(statement.k).point(statement.recipient).point(u).point(w);
  });
}

Scalar challenge_of(const ReencryptionStatement& statement, const Point& u, const Point& w, const Point& a1,
                    const Point& a2, const Point& a3) {
  Transcript transcript("KMS1/reenc");
  statement.context(transcript);
  transcript.point(statement.k).point(statement.recipient).point(statement.s).point(u).point(w);
  return transcript.point(a1).point(a2).point(a3).scalar_hash();
}

// a * K + b * P, of which only the sum may be seen.
Element masked(const SecretScalar& a, const ReencryptionStatement& statement, const SecretScalar& b) {
  return SecretPoint::product(a, statement.k).publish_sum(SecretPoint::product(b, statement.recipient));
}

}  // namespace

ByteArray<96> ReencryptionProof::bytes() const {
  ByteArray<96> out;
  std::memcpy(out.data(), c.bytes().data(), 32);
  std::memcpy(out.data() + 32, z_s.bytes().data(), 32);
  std::memcpy(out.data() + 64, z_r.bytes().data(), 32);
  return out;
}

Result<ReencryptionProof> ReencryptionProof::parse(ByteView bytes96) {
  if (bytes96.size() != 96) return error("a re-encryption proof has 96 bytes, not " + std::to_string(bytes96.size()));
  auto c = Scalar::parse(bytes96.first(32));
  if (!c) return c.error();
  auto z_s = Scalar::parse(bytes96.subspan(32, 32));
  if (!z_s) return z_s.error();
  auto z_r = Scalar::parse(bytes96.last(32));
  if (!z_r) return z_r.error();
  return ReencryptionProof{*c, *z_s, *z_r};
}

Reencryption reencrypt(const SecretScalar& share, const ReencryptionStatement& statement, Entropy& entropy) {
  KMS_ASSERT(!share.is_zero());
  for (;;) {
    const SecretScalar mask = mask_of(share, statement, entropy);
    const Element w = masked(share, statement, mask);
    if (w.is_infinity()) continue;
    const Point u = multiply_generator(mask).point();
    const SecretScalar a = nonce_of("KMS1/reenca", share, mask, statement, u, w.point(), entropy);
    const SecretScalar b = nonce_of("KMS1/reencb", share, mask, statement, u, w.point(), entropy);
    const Element a3 = masked(a, statement, b);
    if (a3.is_infinity()) continue;
    const Scalar c =
        challenge_of(statement, u, w.point(), multiply_generator(a).point(), multiply_generator(b).point(), a3.point());
    // No one will see a zero challenge; the verifier refuses it.
    if (c.is_zero()) continue;
    return {u, w.point(), {c, (a + share * c).publish(), (b + mask * c).publish()}};
  }
}

bool verify_reencryption(const ReencryptionStatement& statement, const Reencryption& reencryption) {
  const auto& [u, w, proof] = reencryption;
  if (proof.c.is_zero()) return false;
  const Scalar minus_c = -proof.c;
  const Element a1 = multiply_add(proof.z_s, minus_c, statement.s);
  const Element a2 = multiply_add(proof.z_r, minus_c, u);
  const Element a3 =
      sum({multiply(proof.z_s, statement.k), multiply(proof.z_r, statement.recipient), multiply(minus_c, w)});
  if (a1.is_infinity() || a2.is_infinity() || a3.is_infinity()) return false;
  return challenge_of(statement, u, w, a1.point(), a2.point(), a3.point()) == proof.c;
}

Result<Secret<32>> open_reencryption(const Point& u, const Point& w, const SecretScalar& recipient_secret) {
  KMS_ASSERT(!recipient_secret.is_zero());
  auto x = SecretPoint::copy_of(w).x_of_sum(-SecretPoint::product(recipient_secret, u));
  if (!x) return error("U and W belong to no ciphertext: W - pU is infinity");
  return x;
}

bool is_plus_or_minus(const Point& a, const Point& b) {
  return a.x() == b.x();
}

}  // namespace kms::crypto
