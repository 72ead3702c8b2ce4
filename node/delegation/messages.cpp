#include "node/delegation/messages.h"

#include "base/proto_wire.h"

namespace kms::delegation {
namespace {

// Reads the fields of a body in strictly rising order, each at most once: equal messages have equal bytes.
class Fields {
 public:
  explicit Fields(ByteView body) : reader_(body) { advance(); }

  bool number(std::uint32_t field, std::uint64_t max, std::uint64_t& out) {
    if (!at(field, ProtoReader::Type::varint) || current_->value > max) return fail();
    out = current_->value;
    advance();
    return true;
  }
  template <std::size_t N>
  bool fixed(std::uint32_t field, ByteArray<N>& out) {
    if (!at(field, ProtoReader::Type::bytes) || current_->bytes.size() != N) return fail();
    out = to_array<N>(current_->bytes);
    advance();
    return true;
  }
  bool bytes(std::uint32_t field, std::size_t max, ByteView& out) {
    if (!at(field, ProtoReader::Type::bytes) || current_->bytes.size() > max) return fail();
    out = current_->bytes;
    advance();
    return true;
  }
  bool text(std::uint32_t field, std::size_t max, std::string& out) {
    ByteView view;
    if (!bytes(field, max, view)) return false;
    out = std::string(as_text(view));
    return true;
  }
  bool index(std::uint32_t field, Position& out) {
    std::uint64_t value = 0;
    if (!number(field, dkg::kMembersMax, value) || value == 0) return fail();
    out = static_cast<Position>(value);
    return true;
  }
  // A packed list of positions, strictly increasing.
  bool positions(std::uint32_t field, std::vector<Position>& out) {
    ByteView view;
    if (!bytes(field, dkg::kMembersMax * 2, view)) return false;
    for (Uvarint next; !view.empty(); view = view.subspan(next.size)) {
      if (parse_uvarint(view, next) != UvarintState::complete) return fail();
      bool rising = next.value > (out.empty() ? 0 : out.back()) && next.value <= dkg::kMembersMax;
      if (!rising) return fail();
      out.push_back(static_cast<Position>(next.value));
    }
    return true;
  }
  bool finished() { return ok_ && !current_ && !reader_.is_malformed(); }

 private:
  bool at(std::uint32_t field, ProtoReader::Type type) const {
    return ok_ && current_ && current_->number == field && current_->type == type;
  }
  bool fail() {
    ok_ = false;
    return false;
  }
  void advance() { current_ = reader_.next(); }

  ProtoReader reader_;
  std::optional<ProtoReader::Field> current_;
  bool ok_ = true;
};

Bytes packed(const std::vector<Position>& positions) {
  Bytes out;
  for (Position position : positions) append_uvarint(out, position);
  return out;
}

Error malformed(std::string_view what) {
  return error(std::string(what) + ": malformed body");
}

// Varints have longer forms, which the reader takes: only what would be written again is the message.
template <class M>
Result<M> canonical(M message, ByteView body, std::string_view name) {
  if (!equal(message.body(), body)) return error(std::string(name) + ": not in its one encoding");
  return message;
}

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
  writer.message(3, authorisation_body(authorisation));
  writer.message(4, entry_body(entry));
  return writer.take();
}

Result<DelegateRequest> DelegateRequest::parse(ByteView body) {
  DelegateRequest out;
  Fields fields(body);
  std::uint64_t spare = 0;
  ByteView authorisation;
  ByteView entry;
  bool ok = fields.fixed(1, out.key.bytes) && fields.number(2, kSpareMax, spare) &&
            fields.bytes(3, 3 * kKeyStringBytesMax, authorisation) && fields.bytes(4, 512, entry) &&
            fields.finished() && parse_authorisation(authorisation, out.authorisation) && parse_entry(entry, out.entry);
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
            fields.number(3, static_cast<std::uint32_t>(RefusalCode::clock), code) && code != 0 && fields.finished();
  if (!ok) return malformed("Refusal");
  out.code = static_cast<RefusalCode>(code);
  return canonical(std::move(out), body, "Refusal");
}

}  // namespace kms::delegation
