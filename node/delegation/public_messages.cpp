#include "node/delegation/public_messages.h"

namespace kms::delegation {

ProtoWriter v1_authorisation_body(const V1Authorisation& authorisation) {
  ProtoWriter writer;
  writer.varint(1, static_cast<std::uint64_t>(authorisation.form));
  writer.bytes(2, authorisation.entry.bytes);
  writer.bytes(3, authorisation.ephemeral);
  writer.bytes(4, authorisation.target);
  writer.bytes(5, authorisation.nonce);
  writer.varint(6, authorisation.deadline);
  writer.bytes(7, authorisation.signature);
  return writer;
}

bool parse_v1_authorisation(ByteView body, V1Authorisation& out) {
  Fields fields(body);
  std::uint64_t form = 0;
  ByteView target;
  const bool ok =
      fields.number(1, static_cast<std::uint64_t>(Form::c), form) && form != 0 && fields.fixed(2, out.entry.bytes) &&
      fields.fixed(3, out.ephemeral) && fields.bytes(4, kTargetBytesMax, target) && fields.fixed(5, out.nonce) &&
      fields.number(6, ~std::uint64_t{0}, out.deadline) && fields.fixed(7, out.signature) && fields.finished();
  if (!ok) return false;
  out.form = static_cast<Form>(form);
  out.target = to_bytes(target);
  return true;
}

Bytes PublicRequest::body() const {
  ProtoWriter writer;
  writer.bytes(1, key.bytes);
  writer.varint(2, spare);
  writer.message(3, v1_authorisation_body(authorisation));
  writer.bytes(4, rh);
  writer.varint(5, epoch);
  writer.bytes(6, transcript.bytes);
  writer.varint(7, issued_at);
  return writer.take();
}

Result<PublicRequest> PublicRequest::parse(ByteView body) {
  PublicRequest out;
  Fields fields(body);
  std::uint64_t spare = 0;
  std::uint64_t epoch = 0;
  ByteView authorisation;
  const bool ok = fields.fixed(1, out.key.bytes) && fields.number(2, DelegateRequest::kSpareMax, spare) &&
                  fields.bytes(3, kV1AuthorisationBytesMax, authorisation) && fields.fixed(4, out.rh) &&
                  fields.number(5, 0xffffffffu, epoch) && fields.fixed(6, out.transcript.bytes) &&
                  fields.number(7, ~std::uint64_t{0}, out.issued_at) && fields.finished() &&
                  parse_v1_authorisation(authorisation, out.authorisation);
  if (!ok) return malformed("PublicRequest");
  const bool is_public = out.authorisation.form != Form::a && out.authorisation.entry == crypto::Address{};
  if (!is_public) return error("PublicRequest: form A, or an entry is named");
  out.spare = static_cast<std::uint32_t>(spare);
  out.epoch = static_cast<std::uint32_t>(epoch);
  return canonical(std::move(out), body, "PublicRequest");
}

Hash32 PartialB::signing_digest() const {
  crypto::Transcript digest("KMS1/sig/partialB");
  digest.bytes(rh).u32(epoch).id(transcript).u16(index).bytes(crypto::sha256(ciphertext));
  return digest.hash();
}

Bytes PartialB::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  writer.varint(2, epoch);
  writer.bytes(3, transcript.bytes);
  writer.varint(4, index);
  writer.bytes(5, ciphertext);
  return writer.take();
}

Result<PartialB> PartialB::parse(ByteView body) {
  PartialB out;
  Fields fields(body);
  std::uint64_t epoch = 0;
  ByteView ciphertext;
  const bool ok = fields.fixed(1, out.rh) && fields.number(2, 0xffffffffu, epoch) &&
                  fields.fixed(3, out.transcript.bytes) && fields.index(4, out.index) &&
                  fields.bytes(5, kCiphertextBytesMax, ciphertext) && ciphertext.size() >= kCiphertextBytesMin &&
                  fields.finished();
  if (!ok) return malformed("PartialB");
  out.epoch = static_cast<std::uint32_t>(epoch);
  out.ciphertext = to_bytes(ciphertext);
  return canonical(std::move(out), body, "PartialB");
}

Bytes PartialC::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  writer.varint(2, epoch);
  writer.bytes(3, transcript.bytes);
  writer.varint(4, index);
  writer.bytes(5, u);
  writer.bytes(6, w);
  writer.bytes(7, proof);
  return writer.take();
}

Result<PartialC> PartialC::parse(ByteView body) {
  PartialC out;
  Fields fields(body);
  std::uint64_t epoch = 0;
  const bool ok = fields.fixed(1, out.rh) && fields.number(2, 0xffffffffu, epoch) &&
                  fields.fixed(3, out.transcript.bytes) && fields.index(4, out.index) && fields.fixed(5, out.u) &&
                  fields.fixed(6, out.w) && fields.fixed(7, out.proof) && fields.finished();
  if (!ok) return malformed("PartialC");
  out.epoch = static_cast<std::uint32_t>(epoch);
  return canonical(std::move(out), body, "PartialC");
}

}  // namespace kms::delegation
