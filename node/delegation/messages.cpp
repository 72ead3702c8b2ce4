#include "node/delegation/messages.h"

#include "node/delegation/public_messages.h"

namespace kms::delegation {
namespace {

ProtoWriter entry_body(const Entry& entry) {
  ProtoWriter writer;
  writer.bytes(1, entry.rh);
  writer.bytes(2, entry.entry.bytes);
  writer.bytes(3, entry.reply_key);
  writer.varint(4, entry.epoch);
  writer.bytes(5, entry.transcript.bytes);
  writer.varint(6, entry.issued_at);
  writer.bytes(7, entry.signature);
  return writer;
}

bool parse_entry(ByteView body, Entry& out) {
  Fields fields(body);
  std::uint64_t epoch = 0;
  bool ok = fields.fixed(1, out.rh) && fields.fixed(2, out.entry.bytes) && fields.fixed(3, out.reply_key) &&
            fields.number(4, 0xffffffffu, epoch) && fields.fixed(5, out.transcript.bytes) &&
            fields.number(6, ~std::uint64_t{0}, out.issued_at) && fields.fixed(7, out.signature) && fields.finished();
  out.epoch = static_cast<std::uint32_t>(epoch);
  return ok;
}

ProtoWriter authorisation_body(const V0Authorisation& authorisation) {
  ProtoWriter writer;
  writer.varint(1, authorisation.chain_id);
  writer.text(2, authorisation.ephemeral_pub_key);
  writer.text(3, authorisation.target_pub_key);
  writer.bytes(4, authorisation.signature);
  return writer;
}

bool parse_authorisation(ByteView body, V0Authorisation& out) {
  Fields fields(body);
  return fields.number(1, ~std::uint64_t{0}, out.chain_id) &&
         fields.text(2, kKeyStringBytesMax, out.ephemeral_pub_key) &&
         fields.text(3, kKeyStringBytesMax, out.target_pub_key) && fields.fixed(4, out.signature) && fields.finished();
}

}  // namespace

Hash32 Entry::signing_digest(const dkg::NetworkId& network) const {
  crypto::Transcript transcript_of("KMS1/sig/entry");
  transcript_of.id(network).bytes(rh).u8(kFormA).id(entry).bytes(reply_key).u32(epoch).id(transcript).u64(issued_at);
  return transcript_of.hash();
}

Bytes DelegateRequest::body() const {
  ProtoWriter writer;
  writer.bytes(1, key.bytes);
  writer.varint(2, spare);
  const auto* v0 = std::get_if<V0Authorisation>(&authorisation);
  if (v0 != nullptr) writer.message(3, authorisation_body(*v0));
  writer.message(4, entry_body(entry));
  if (v0 == nullptr) writer.message(5, v1_authorisation_body(std::get<V1Authorisation>(authorisation)));
  return writer.take();
}

Result<DelegateRequest> DelegateRequest::parse(ByteView body) {
  DelegateRequest out;
  Fields fields(body);
  std::uint64_t spare = 0;
  ByteView v0;
  ByteView v1;
  ByteView entry;
  bool ok = fields.fixed(1, out.key.bytes) && fields.number(2, kSpareMax, spare);
  const bool is_v0 = fields.is_at(3);
  ok = ok && (!is_v0 || fields.bytes(3, 3 * kKeyStringBytesMax, v0)) && fields.bytes(4, 512, entry) &&
       (is_v0 || fields.bytes(5, kV1AuthorisationBytesMax, v1)) && fields.finished() && parse_entry(entry, out.entry);
  if (ok && is_v0) {
    ok = parse_authorisation(v0, std::get<V0Authorisation>(out.authorisation));
  } else if (ok) {
    V1Authorisation authorisation;
    ok = parse_v1_authorisation(v1, authorisation) && authorisation.form == Form::a;
    out.authorisation = std::move(authorisation);
  }
  if (!ok) return malformed("DelegateRequest");
  out.spare = static_cast<std::uint32_t>(spare);
  return canonical(std::move(out), body, "DelegateRequest");
}

Bytes SealedA::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  writer.varint(2, epoch);
  writer.bytes(3, transcript.bytes);
  writer.varint(4, index);
  writer.bytes(5, entry.bytes);
  writer.bytes(6, u);
  writer.bytes(7, salt);
  writer.bytes(8, sealed);
  return writer.take();
}

Result<SealedA> SealedA::parse(ByteView body) {
  SealedA out;
  Fields fields(body);
  std::uint64_t epoch = 0;
  bool ok = fields.fixed(1, out.rh) && fields.number(2, 0xffffffffu, epoch) && fields.fixed(3, out.transcript.bytes) &&
            fields.index(4, out.index) && fields.fixed(5, out.entry.bytes) && fields.fixed(6, out.u) &&
            fields.fixed(7, out.salt) && fields.fixed(8, out.sealed) && fields.finished();
  if (!ok) return malformed("SealedA");
  out.epoch = static_cast<std::uint32_t>(epoch);
  return canonical(std::move(out), body, "SealedA");
}

Bytes Need::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  writer.varint(2, epoch);
  writer.bytes(3, transcript.bytes);
  writer.varint(4, round);
  writer.bytes(5, packed(good));
  writer.bytes(6, packed(bad));
  writer.varint(7, want);
  return writer.take();
}

Result<Need> Need::parse(ByteView body) {
  Need out;
  Fields fields(body);
  std::uint64_t epoch = 0;
  std::uint64_t round = 0;
  std::uint64_t want = 0;
  bool ok = fields.fixed(1, out.rh) && fields.number(2, 0xffffffffu, epoch) && fields.fixed(3, out.transcript.bytes) &&
            fields.number(4, dkg::kMembersMax, round) && fields.positions(5, out.good) &&
            fields.positions(6, out.bad) && fields.number(7, dkg::kMembersMax, want) && fields.finished();
  if (!ok) return malformed("Need");
  for (Position position : out.bad) {
    if (std::binary_search(out.good.begin(), out.good.end(), position)) return error("Need: lists are not disjoint");
  }
  out.epoch = static_cast<std::uint32_t>(epoch);
  out.round = static_cast<std::uint32_t>(round);
  out.want = static_cast<std::uint32_t>(want);
  return canonical(std::move(out), body, "Need");
}

Bytes Done::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  return writer.take();
}

Result<Done> Done::parse(ByteView body) {
  Done out;
  Fields fields(body);
  if (!fields.fixed(1, out.rh) || !fields.finished()) return malformed("Done");
  return canonical(std::move(out), body, "Done");
}

std::string_view name_of(RefusalCode code) {
  switch (code) {
    case RefusalCode::stale:
      return "another key or epoch";
    case RefusalCode::unauthorised:
      return "not authorised";
    case RefusalCode::entry:
      return "not a listed entry node, or not its own entry";
    case RefusalCode::form_off:
      return "form switched off";
    case RefusalCode::replay:
      return "replayed nonce";
    case RefusalCode::quota:
      return "quota used up";
    case RefusalCode::bad_point:
      return "bad point";
    case RefusalCode::no_share:
      return "no share";
    case RefusalCode::busy:
      return "busy";
    case RefusalCode::clock:
      return "issued more than 30 s from this member's time; compare the clocks";
    case RefusalCode::expired:
      return "its deadline is over, or too far ahead";
  }
  return "unknown";
}

Bytes Refusal::body() const {
  ProtoWriter writer;
  writer.bytes(1, rh);
  writer.varint(2, index);
  writer.varint(3, static_cast<std::uint32_t>(code));
  return writer.take();
}

Result<Refusal> Refusal::parse(ByteView body) {
  Refusal out;
  Fields fields(body);
  std::uint64_t code = 0;
  bool ok = fields.fixed(1, out.rh) && fields.index(2, out.index) &&
            fields.number(3, static_cast<std::uint32_t>(RefusalCode::expired), code) && code != 0 && fields.finished();
  if (!ok) return malformed("Refusal");
  out.code = static_cast<RefusalCode>(code);
  return canonical(std::move(out), body, "Refusal");
}

}  // namespace kms::delegation
