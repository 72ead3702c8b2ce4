#include "node/delegation/jobs.h"

#include "base/assert.h"
#include "crypto/aead.h"
#include "crypto/dleq.h"
#include "crypto/eip712.h"
#include "crypto/hkdf.h"
#include "crypto/polynomial.h"
#include "dkg/break.h"
#include "node/delegation/partial.h"

namespace kms::delegation {
namespace {

Hash32 seal_context(const ServingKey& key, const SealedA& sealed, const ByteArray<33>& reply_key) {
  crypto::Transcript transcript("KMS1/aadA");
  transcript.id(key.network).bytes(sealed.rh).u32(sealed.epoch).id(sealed.transcript).u16(sealed.index);
  transcript.id(sealed.entry).bytes(reply_key);
  return transcript.hash();
}

// key || iv of one sealed partial (PROTOCOL.md 5.2): 44 bytes.
crypto::SecretBytes seal_key(const crypto::Secret<32>& shared, const SealedA& sealed, const ByteArray<33>& reply_key) {
  ByteArray<32 + 33 + 33> salt;
  std::copy(sealed.salt.begin(), sealed.salt.end(), salt.begin());
  std::copy(sealed.u.begin(), sealed.u.end(), salt.begin() + 32);
  std::copy(reply_key.begin(), reply_key.end(), salt.begin() + 65);
  constexpr std::string_view kPrefix = "KMS1/partialA";
  ByteArray<kPrefix.size() + 32> purpose;
  std::copy(kPrefix.begin(), kPrefix.end(), purpose.begin());
  std::copy(sealed.rh.begin(), sealed.rh.end(), purpose.begin() + kPrefix.size());
  return crypto::hkdf_sha256(shared.expose(), salt, purpose, 44);
}

V0Answer make_answer(const AnswerTerms& terms, const Credentials& credentials, ByteView shared_x, Entropy& entropy) {
  auto encrypted = terms.target->encrypt_oaep(shared_x, {}, entropy);
  KMS_ASSERT(encrypted.has_value());  // 32 bytes fit every key that parses
  V0Answer answer;
  answer.encrypted_shared_secret = to_0x(*encrypted);
  Hash32 digest = crypto::delegate_response_digest(terms.chain_id, terms.salt, answer.encrypted_shared_secret);
  answer.proof = to_0x(crypto::sign_recoverable(credentials.response_wallet, digest).bytes);
  answer.entry = credentials.node_key.address();
  return answer;
}

// What form A needs of a valid authorisation, whatever its version.
struct FormAChecked {
  Hash32 rh{};
  crypto::Point ephemeral;
  crypto::RsaPublicKey target;
  std::optional<NonceUse> use;  // v1
};
using FormAResult = boost::system::result<FormAChecked, AuthorisationError>;

FormAResult check_form_a(const V0Authorisation& authorisation, const ServingKey& key,
                         const std::vector<crypto::Address>& allowed) {
  if (authorisation.chain_id != key.chain_id) {
    return AuthorisationError{AuthorisationFault::unauthorised, "the authorisation is for another chain"};
  }
  auto authorised = check(authorisation, allowed);
  if (!authorised) return authorised.error();
  const Hash32 rh = request_hash(key, *authorised);
  return FormAChecked{rh, authorised->ephemeral, std::move(authorised->target), std::nullopt};
}

FormAResult check_form_a(const V1Authorisation& authorisation, const ServingKey& key,
                         const std::vector<crypto::Address>& allowed) {
  auto authorised = check(authorisation, key, allowed);
  if (!authorised) return authorised.error();
  if (authorisation.form != Form::a) {
    return AuthorisationError{AuthorisationFault::unauthorised, "the authorisation is for another form"};
  }
  return FormAChecked{authorised->use.rh, authorised->ephemeral,
                      std::move(std::get<crypto::RsaPublicKey>(authorised->target)), authorised->use};
}

FormAResult check_form_a(const Authorisation& authorisation, const ServingKey& key,
                         const std::vector<crypto::Address>& allowed) {
  return std::visit([&](const auto& one) { return check_form_a(one, key, allowed); }, authorisation);
}

void run(AdmitJob& job, Entropy& entropy) {
  const ServingKey& key = *job.key;
  auto authorised = check_form_a(job.authorisation, key, job.allowed);
  if (!authorised) {
    job.result = authorised.error();
    return;
  }
  AdmitJob::Admitted out{authorised->rh, authorised->ephemeral, {}, std::nullopt, {}, std::nullopt, authorised->use};
  out.terms.chain_id = key.chain_id;
  out.terms.salt = authorised->use ? authorised->rh : job.salt;
  out.terms.target = std::make_shared<const crypto::RsaPublicKey>(std::move(authorised->target));
  if (key.share) out.own = crypto::multiply_secretly(*key.share, authorised->ephemeral);
  if (key.threshold.t() == 1 && out.own) {
    // A committee of one: the partial is s*K itself, x is what stands behind the prefix byte.
    ByteView shared_x = ByteView(out.own->expose()).subspan(1);
    out.answer = make_answer(out.terms, *job.credentials, shared_x, entropy);
  } else {
    out.entry.rh = out.rh;
    out.entry.entry = job.credentials->node_id();
    out.entry.reply_key = job.reply_key->key.bytes();
    out.entry.epoch = key.epoch;
    out.entry.transcript = key.transcript;
    out.entry.issued_at = job.issued_at;
    out.entry.signature = job.credentials->node_key.sign(out.entry.signing_digest(key.network)).bytes;
  }
  job.result = std::move(out);
}

SealingSecretPtr make_sealing_secret(const crypto::Point& reply_key, Entropy& entropy) {
  auto u = crypto::SecretScalar::random(entropy);
  auto out = std::make_shared<SealingSecret>();
  out->reply_key = reply_key.bytes();
  out->u = crypto::multiply_generator(u).bytes();
  out->shared = crypto::ecdh_x(u, reply_key);
  return out;
}

// D_i with its proof under this request, sealed to the reply key.
SealedA seal_partial(const AnswerJob& job, const crypto::Point& ephemeral, Entropy& entropy) {
  const ServingKey& key = *job.key;
  const Entry& entry = job.request.entry;
  SealedA out;
  out.rh = entry.rh;
  out.epoch = key.epoch;
  out.transcript = key.transcript;
  out.index = key.self;
  out.entry = entry.entry;
  out.u = job.sealing->u;

  crypto::Secret<33 + 64> plaintext;
  const Hash32 context = partial_context(key, key.self, entry.rh, Form::a, entry.entry, entry.reply_key);
  prove_partial(key, ephemeral, context, plaintext.expose_mutable(), entropy);

  crypto::Transcript salt("KMS1/sealsalt");
  salt.secret(job.credentials->node_secret.expose()).bytes(entropy.array<32>()).bytes(out.rh).u32(out.epoch);
  salt.id(out.transcript).u16(out.index).id(out.entry).bytes(entry.reply_key).secret(plaintext.expose());
  out.salt = salt.hash();
  crypto::SecretBytes key_and_iv = seal_key(job.sealing->shared, out, entry.reply_key);
  Hash32 aad = seal_context(key, out, entry.reply_key);
  Bytes sealed =
      crypto::aead_seal(key_and_iv.expose().first(32), key_and_iv.expose().subspan(32), aad, plaintext.expose());
  out.sealed = to_array<SealedA::kSealedBytes>(sealed);
  return out;
}

void run(AnswerJob& job, Entropy& entropy) {
  const Entry& entry = job.request.entry;
  auto signature = crypto::RecoverableSignature::parse(entry.signature);
  const bool is_checked = !dkg::is_broken("entries");
  if (!signature ||
      (is_checked && !crypto::verify(job.entry_key, *signature, entry.signing_digest(job.key->network)))) {
    job.result = RefusalCode::entry;
    return;
  }
  // Only the entry that the requester named may combine.
  const auto* v1 = std::get_if<V1Authorisation>(&job.request.authorisation);
  if (is_checked && v1 != nullptr && v1->entry != crypto::address_of(job.entry_key)) {
    job.result = RefusalCode::entry;
    return;
  }
  auto authorised = check_form_a(job.request.authorisation, *job.key, job.allowed);
  if (!authorised) {
    bool point = authorised.error().fault == AuthorisationFault::bad_point;
    job.result = point ? RefusalCode::bad_point : RefusalCode::unauthorised;
    return;
  }
  if (authorised->rh != entry.rh) {
    job.result = RefusalCode::unauthorised;
    return;
  }
  job.use = authorised->use;
  if (!job.sealing) {
    auto reply_key = crypto::Point::parse(entry.reply_key);
    if (!reply_key) {
      job.result = RefusalCode::bad_point;
      return;
    }
    job.sealing = make_sealing_secret(*reply_key, entropy);
  }
  job.result = seal_partial(job, authorised->ephemeral, entropy);
}

void run(OpenJob& job, Entropy&) {
  const SealedA& sealed = job.sealed;
  if (!job.opening) {
    auto u = crypto::Point::parse(sealed.u);
    if (!u) {
      job.fault = "U: " + u.error().message;
      return;
    }
    auto opening = std::make_shared<OpeningSecret>();
    opening->u = sealed.u;
    opening->shared = crypto::ecdh_x(job.reply_key->secret, *u);
    job.opening = std::move(opening);
  }
  ByteArray<33> reply_key = job.reply_key->key.bytes();
  crypto::SecretBytes key_and_iv = seal_key(job.opening->shared, sealed, reply_key);
  Hash32 aad = seal_context(*job.key, sealed, reply_key);
  auto plaintext =
      crypto::aead_open(key_and_iv.expose().first(32), key_and_iv.expose().subspan(32), aad, sealed.sealed);
  if (!plaintext) {
    job.fault = "the sealed partial does not open";
    return;
  }
  auto point = crypto::Point::parse(plaintext->expose().first(33));
  if (!point) {
    job.fault = "the partial holds no point";
    return;
  }
  const crypto::WipeAtExit wiped(*point);
  auto proof = crypto::DleqProof::parse(plaintext->expose().subspan(33));
  const crypto::Element& expected = job.key->table.share(sealed.index);
  if (!proof || expected.is_infinity()) {
    job.fault = "the partial holds no proof";
    return;
  }
  Hash32 context = partial_context(*job.key, sealed.index, sealed.rh, Form::a, sealed.entry, reply_key);
  crypto::DleqStatement statement{expected.point(), job.ephemeral, *point, crypto::Point::generator(), context};
  const crypto::WipeAtExit wiped_statement(statement);
  if (!crypto::verify_dleq(statement, *proof) && !dkg::is_broken("partials")) {
    job.fault = "the proof of the partial fails";
    return;
  }
  job.point = crypto::Secret<33>::copy_of(plaintext->expose().first(33));
}

void run(FinishJob& job, Entropy& entropy) {
  std::vector<crypto::Element> points(job.quorum->partials.size());
  const crypto::WipeAtExit wiped(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto point = crypto::Point::parse(job.quorum->partials[i].point.expose());
    KMS_ASSERT(point.has_value());  // it was verified or is our own
    const crypto::WipeAtExit parsed(*point);
    points[i] = *point;
  }
  crypto::Element combined = crypto::combine(job.quorum->weights, points);
  const crypto::WipeAtExit result(combined);
  if (combined.is_infinity()) return;
  crypto::Secret<32> shared_x(combined.point().x());
  job.answer = make_answer(job.terms, *job.credentials, shared_x.expose(), entropy);
}

}  // namespace

ReplyKeyPtr make_reply_key(Entropy& entropy) {
  auto secret = crypto::SecretScalar::random(entropy);
  crypto::Point key = crypto::multiply_generator(secret).point();
  return std::make_shared<const ReplyKey>(ReplyKey{std::move(secret), key});
}

Hash32 request_hash(const ServingKey& key, const Authorised& authorised) {
  return request_hash(key, {Form::a, authorised.ephemeral, authorised.target_hash, authorised.requester,
                            authorised.auth_digest, Hash32{}, 0});
}

void run(Job& job, Entropy& entropy) {
  std::visit([&](auto& work) { run(work, entropy); }, job.work);
}

}  // namespace kms::delegation
