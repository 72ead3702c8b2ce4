// Reading and writing Protobuf bodies in canonical form: fields in ascending order, defaults left out, nothing unknown.
// For the codecs in dkg/ and node/delegation.
#pragma once

#include "base/proto_wire.h"
#include "dkg/signature.h"

namespace kms::dkg {

// Reads fields in ascending order. A field that is absent reads as its default (zero, empty). The first fault sticks:
// later reads give defaults and `finish` gives the error, so that codecs are straight lines.
class BodyReader {
 public:
  // `name` of the message for errors; a body over `bytes_max` is a fault.
  BodyReader(std::string_view name, ByteView body, std::size_t bytes_max);

  std::uint64_t number(std::uint32_t field, std::uint64_t max);
  std::uint32_t u32(std::uint32_t field) { return static_cast<std::uint32_t>(number(field, 0xffffffff)); }
  std::uint64_t u64(std::uint32_t field) { return number(field, ~std::uint64_t{0}); }
  std::uint16_t u16(std::uint32_t field, std::uint16_t max) { return static_cast<std::uint16_t>(number(field, max)); }
  // 1..128.
  Position position(std::uint32_t field);
  // An enumeration first..last.
  template <class Enum>
  Enum enumeration(std::uint32_t field, Enum first, Enum last) {
    std::uint64_t value = number(field, static_cast<std::uint64_t>(last));
    if (value < static_cast<std::uint64_t>(first)) fail(field, "has no such value");
    return static_cast<Enum>(fault_.empty() ? value : static_cast<std::uint64_t>(first));
  }

  // At most `max` bytes; a view into the body.
  ByteView bytes(std::uint32_t field, std::size_t max);
  // Exactly N bytes, not all zero (canonical form leaves a zero one out); absent is zero.
  Hash32 hash(std::uint32_t field);
  template <class Id>
  Id id(std::uint32_t field) {
    return Id{hash(field)};
  }
  // The same, but must be there.
  template <class Id>
  Id id_set(std::uint32_t field) {
    Id out = id<Id>(field);
    if (out == Id{}) fail(field, "is missing");
    return out;
  }
  crypto::Point point(std::uint32_t field);
  crypto::Scalar scalar(std::uint32_t field);  // 32 bytes, always there
  Signature signature(std::uint32_t field);
  ByteArray<64> proof(std::uint32_t field);  // 64 bytes, for SchnorrProof::parse and DleqProof::parse
  template <class Proof>
  Proof proof(std::uint32_t field) {
    auto parsed = Proof::parse(proof(field));
    if (parsed) return *parsed;
    fail(field, "is no proof");
    return {};
  }
  bool has_failed() const { return !fault_.empty(); }
  bool has(std::uint32_t field) const { return fault_.empty() && next_ && next_->number == field; }

  // Every element of a repeated bytes or message field, at most `count_max`, each at most `bytes_max`.
  std::vector<ByteView> repeated(std::uint32_t field, std::size_t count_max, std::size_t bytes_max);
  template <class Id>
  std::vector<Id> ids(std::uint32_t field, std::size_t count_max) {
    std::vector<Id> out;
    for (ByteView item : repeated(field, count_max, 32)) {
      if (item.size() != 32) fail(field, "holds an id that is not 32 bytes");
      out.push_back(item.size() == 32 ? Id{to_array<32>(item)} : Id{});
    }
    return out;
  }
  // A packed list of small numbers.
  std::vector<std::uint32_t> numbers(std::uint32_t field, std::size_t count_max, std::uint32_t max);

  // For what a codec finds itself.
  void fail(std::uint32_t field, std::string_view what);
  void check(bool condition, std::uint32_t field, std::string_view what) {
    if (!condition) fail(field, what);
  }
  bool is_good() const { return fault_.empty(); }
  // No fault and nothing left over.
  Result<void> finish();
  // The same, and `message.body()` gives back exactly what was read.
  template <class M>
  Result<M> finish(M message) {
    auto done = finish();
    if (!done) return done.error();
    if (!equal(message.body(), body_)) return not_canonical();
    return message;
  }

 private:
  void advance();
  const ProtoReader::Field* take(std::uint32_t field, ProtoReader::Type type);
  Error not_canonical() const;
  std::string_view name_;
  ByteView body_;
  ProtoReader reader_;
  std::optional<ProtoReader::Field> next_;
  ProtoReader::Field taken_;
  std::string fault_;
};

// The mirror image: fields in ascending order, defaults left out.
class BodyWriter {
 public:
  void number(std::uint32_t field, std::uint64_t value) { out_.varint_unless_zero(field, value); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void number(std::uint32_t field, Enum value) { number(field, static_cast<std::uint64_t>(value)); }
  void bytes(std::uint32_t field, ByteView value) { out_.bytes_unless_empty(field, value); }
  void hash(std::uint32_t field, const Hash32& value) {
    if (value != Hash32{}) out_.bytes(field, value);
  }
  template <class Tag>
  void id(std::uint32_t field, const Id32<Tag>& value) {
    hash(field, value.bytes);
  }
  void point(std::uint32_t field, const crypto::Point& value) { out_.bytes(field, value.bytes()); }
  void scalar(std::uint32_t field, const crypto::Scalar& value) { out_.bytes(field, value.bytes()); }
  void signature(std::uint32_t field, const Signature& value) { out_.bytes(field, value.bytes); }
  void element(std::uint32_t field, ByteView value) { out_.bytes(field, value); }  // of a repeated field
  void numbers(std::uint32_t field, const std::vector<std::uint32_t>& values);
  void message(std::uint32_t field, const BodyWriter& inner) { out_.message(field, inner.out_); }
  Bytes take() { return out_.take(); }

 private:
  ProtoWriter out_;
};

// Parts that several messages share.
void write_list(BodyWriter& out, std::uint32_t field, const DealList& list);
// At most 128 entries, strictly increasing.
DealList read_list(BodyReader& in, std::uint32_t field);
void write_signatures(BodyWriter& out, std::uint32_t field, const std::vector<IndexedSignature>& signatures);
std::vector<IndexedSignature> read_signatures(BodyReader& in, std::uint32_t field);

}  // namespace kms::dkg
