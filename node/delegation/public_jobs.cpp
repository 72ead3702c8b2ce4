#include "node/delegation/public_jobs.h"

#include "base/assert.h"
#include "crypto/polynomial.h"
#include "crypto/reencryption.h"
#include "node/delegation/partial.h"

namespace kms::delegation {
namespace {

crypto::ReencryptionStatement statement_of(const ServingKey& key, const PublicTerms& terms, const Hash32& rh,
                                           Position index) {
  const auto context = [&key, rh, index](crypto::Transcript& transcript) {
    transcript.id(key.key).u32(key.epoch).id(key.transcript).u16(index).bytes(rh);
  };
  return {context, terms.ephemeral, *terms.recipient, key.table.share(index).point()};
}

Hash32 oaep_label(const PartialB& partial) {
  crypto::Transcript transcript("KMS1/oaep");
  transcript.bytes(partial.rh).u32(partial.epoch).id(partial.transcript).u16(partial.index);
  return transcript.hash();
}

PartialB encrypt_partial(const PartialJob& job, const V1Authorised& authorised, Entropy& entropy) {
  const ServingKey& key = *job.key;
  PartialB out;
  out.rh = authorised.use.rh;
  out.epoch = key.epoch;
  out.transcript = key.transcript;
  out.index = key.self;
  crypto::Secret<PartialB::kPlaintextBytes> plaintext;
  const MutableByteView space = plaintext.expose_mutable();
  const std::uint8_t head[] = {1,
                               static_cast<std::uint8_t>(key.self >> 8),
                               static_cast<std::uint8_t>(key.self),
                               static_cast<std::uint8_t>(key.epoch >> 24),
                               static_cast<std::uint8_t>(key.epoch >> 16),
                               static_cast<std::uint8_t>(key.epoch >> 8),
                               static_cast<std::uint8_t>(key.epoch)};
  std::copy(std::begin(head), std::end(head), space.begin());
  const Hash32 context = partial_context(key, key.self, out.rh, Form::b, {}, {});
  prove_partial(key, authorised.ephemeral, context, space.subspan(sizeof head), entropy);
  auto ciphertext =
      std::get<crypto::RsaPublicKey>(authorised.target).encrypt_oaep(plaintext.expose(), oaep_label(out), entropy);
  KMS_ASSERT(ciphertext.has_value());  // 104 bytes fit every key that parses
  out.ciphertext = std::move(*ciphertext);
  out.signature = job.credentials->node_key.sign(out.signing_digest());
  return out;
}

PartialC reencrypt_partial(const PartialJob& job, const PublicTerms& terms, const Hash32& rh, Entropy& entropy) {
  const ServingKey& key = *job.key;
  const crypto::Reencryption made = crypto::reencrypt(*key.share, statement_of(key, terms, rh, key.self), entropy);
  PartialC out;
  out.rh = rh;
  out.epoch = key.epoch;
  out.transcript = key.transcript;
  out.index = key.self;
  out.u = made.u.bytes();
  out.w = made.w.bytes();
  out.proof = made.proof.bytes();
  return out;
}

std::string fault_of(const VerifyJob& job, const PartialB& partial) {
  if (partial.ciphertext.size() != job.terms->ciphertext_bytes) return "the ciphertext is not as long as the modulus";
  const crypto::Point& member = job.key->members.at(partial.index).key;
  if (!crypto::verify(member, partial.signature, partial.signing_digest())) return "the signature is not the member's";
  return "";
}

std::string fault_of(const VerifyJob& job, const PartialC& partial) {
  auto u = crypto::Point::parse(partial.u);
  auto w = crypto::Point::parse(partial.w);
  auto proof = crypto::ReencryptionProof::parse(partial.proof);
  if (!u || !w || !proof) return "U, W or the proof is malformed";
  const auto statement = statement_of(*job.key, *job.terms, partial.rh, partial.index);
  return crypto::verify_reencryption(statement, {*u, *w, *proof}) ? "" : "the proof of the partial fails";
}

}  // namespace

void run(PartialJob& job, Entropy& entropy) {
  auto authorised = check(job.authorisation, *job.key, job.allowed);
  if (!authorised) {
    job.result = authorised.error();
    return;
  }
  if (job.rh && *job.rh != authorised->use.rh) {
    job.result = AuthorisationError{AuthorisationFault::unauthorised, "the request has another name than it says"};
    return;
  }
  PublicTerms terms{job.authorisation.form, authorised->ephemeral, std::nullopt, 0};
  if (const auto* recipient = std::get_if<crypto::Point>(&authorised->target)) {
    terms.recipient = *recipient;
  } else {
    terms.ciphertext_bytes = std::get<crypto::RsaPublicKey>(authorised->target).modulus_bytes();
  }
  PartialJob::Made made{authorised->use, nullptr, std::nullopt};
  const bool makes_own = job.key->share && job.own == PartialJob::Own::make;
  if (makes_own && terms.form == Form::c) {
    made.own = reencrypt_partial(job, terms, made.use.rh, entropy);
  } else if (makes_own) {
    made.own = encrypt_partial(job, *authorised, entropy);
  }
  made.terms = std::make_shared<const PublicTerms>(std::move(terms));
  job.result = std::move(made);
}

void run(VerifyJob& job, Entropy&) {
  const bool is_b = std::holds_alternative<PartialB>(job.partial);
  if (job.key->table.share(index_of(job.partial)).is_infinity() || is_b != (job.terms->form == Form::b)) {
    job.fault = is_b != (job.terms->form == Form::b) ? "it is of another form" : "the member has no share";
    return;
  }
  job.fault = std::visit([&](const auto& partial) { return fault_of(job, partial); }, job.partial);
}

void run(CombineJob& job, Entropy&) {
  std::vector<crypto::Element> us, ws;
  for (const PartialC& partial : job.partials) {
    auto u = crypto::Point::parse(partial.u);
    auto w = crypto::Point::parse(partial.w);
    KMS_ASSERT(u && w);  // verified before
    us.push_back(*u);
    ws.push_back(*w);
  }
  const crypto::Element u = crypto::combine(job.weights, us);
  const crypto::Element w = crypto::combine(job.weights, ws);
  if (u.is_infinity() || w.is_infinity()) return;
  job.result = CombineJob::Combined{u.bytes(), w.bytes(), bundle_hash(job.partials)};
}

Hash32 bundle_hash(const std::vector<PartialC>& partials) {
  KMS_ASSERT(!partials.empty());
  crypto::Transcript transcript("KMS1/bundle");
  const PartialC& first = partials.front();
  transcript.bytes(first.rh).u32(first.epoch).id(first.transcript).count(partials.size());
  for (const PartialC& partial : partials) {
    const ByteView proof(partial.proof);
    transcript.u16(partial.index).bytes(partial.u).bytes(partial.w);
    transcript.bytes(proof.first(32)).bytes(proof.subspan(32, 32)).bytes(proof.last(32));
  }
  return transcript.hash();
}

const Hash32& rh_of(const PublicPartial& partial) {
  return std::visit([](const auto& one) -> const Hash32& { return one.rh; }, partial);
}

Position index_of(const PublicPartial& partial) {
  return std::visit([](const auto& one) { return one.index; }, partial);
}

}  // namespace kms::delegation
