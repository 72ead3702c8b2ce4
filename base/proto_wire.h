// Protobuf wire format (proto2/proto3 encoding) by hand: a reader that never allocates and a writer in field order.
// Why not libprotobuf: what strangers send has to be bounded before it is allocated, which the library cannot do
// (1 MiB of empty entries becomes 42 MB); see docs/ARCHITECTURE.md, "Wire formats". proto/*.proto is the schema, and
// tests/proto checks these codecs against protoc's.
#pragma once

#include <optional>

#include "base/bytes.h"

namespace kms {

// Unsigned LEB128, at most 9 bytes (63 bits), minimal, as multiformats demands.
void append_uvarint(Bytes& to, std::uint64_t value);
std::size_t uvarint_size(std::uint64_t value);
struct Uvarint {
  std::uint64_t value = 0;
  std::size_t size = 0;  // bytes read
};
enum class UvarintState { complete, incomplete, invalid };
// `incomplete`: the bytes so far are a proper prefix; `invalid`: too long or not minimal.
UvarintState parse_uvarint(ByteView bytes, Uvarint& out);

class ProtoReader {
 public:
  enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  struct Field {
    std::uint32_t number = 0;  // 1 .. 2^29-1
    Type type = Type::varint;
    std::uint64_t value = 0;  // varint, fixed64, fixed32
    ByteView bytes;           // bytes: a view into the reader's input
  };

  explicit ProtoReader(ByteView input) : rest_(input) {}
  // The next field, or nothing at the end or on malformed input; then ask `is_malformed`.
  // Accepts non-minimal varints up to 10 bytes, as Protobuf does; refuses groups and field number 0.
  std::optional<Field> next();
  bool is_malformed() const { return malformed_; }

 private:
  ByteView rest_;
  bool malformed_ = false;
};

// Fields are written in the order of the calls; callers keep tag order, so that equal messages have equal bytes.
class ProtoWriter {
 public:
  void varint(std::uint32_t field, std::uint64_t value);              // always written
  void varint_unless_zero(std::uint32_t field, std::uint64_t value);  // proto3 presence
  void bytes(std::uint32_t field, ByteView value);                    // always written
  void bytes_unless_empty(std::uint32_t field, ByteView value);
  void text(std::uint32_t field, std::string_view value) { bytes(field, as_bytes(value)); }
  void message(std::uint32_t field, const ProtoWriter& inner) { bytes(field, inner.out_); }
  const Bytes& view() const { return out_; }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

}  // namespace kms
