#include "base/proto_wire.h"

namespace kms {
namespace {

// Protobuf's own varint: up to 10 bytes, not necessarily minimal. Returns the bytes read, 0 if malformed.
std::size_t read_varint(ByteView bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    std::uint64_t bits = bytes[i] & 0x7fu;
    if (i == 9 && bits > 1) return 0;
    value |= bits << (7 * i);
    if ((bytes[i] & 0x80u) == 0) return i + 1;
  }
  return 0;
}

std::uint64_t read_little_endian(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

}  // namespace

void append_uvarint(Bytes& to, std::uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<std::uint8_t>(value));
}

std::size_t uvarint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

UvarintState parse_uvarint(ByteView bytes, Uvarint& out) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 9) return UvarintState::invalid;
    value |= std::uint64_t{bytes[i] & 0x7fu} << (7 * i);
    if ((bytes[i] & 0x80u) != 0) continue;
    if (i > 0 && bytes[i] == 0) return UvarintState::invalid;
    out = {value, i + 1};
    return UvarintState::complete;
  }
  return bytes.size() < 9 ? UvarintState::incomplete : UvarintState::invalid;
}

std::optional<ProtoReader::Field> ProtoReader::next() {
  if (malformed_ || rest_.empty()) return std::nullopt;
  malformed_ = true;  // until a whole field was read
  std::uint64_t key = 0;
  std::size_t size = read_varint(rest_, key);
  if (size == 0 || key >> 3 == 0 || key >> 3 >= 1u << 29) return std::nullopt;
  rest_ = rest_.subspan(size);
  Field field;
  field.number = static_cast<std::uint32_t>(key >> 3);
  switch (key & 7) {
    case 0:
      field.type = Type::varint;
      size = read_varint(rest_, field.value);
      if (size == 0) return std::nullopt;
      break;
    case 1:
    case 5:
      field.type = (key & 7) == 1 ? Type::fixed64 : Type::fixed32;
      size = (key & 7) == 1 ? 8 : 4;
      if (rest_.size() < size) return std::nullopt;
      field.value = read_little_endian(rest_.first(size));
      break;
    case 2: {
      field.type = Type::bytes;
      std::uint64_t length = 0;
      size = read_varint(rest_, length);
      if (size == 0 || length > rest_.size() - size) return std::nullopt;
      field.bytes = rest_.subspan(size, static_cast<std::size_t>(length));
      size += static_cast<std::size_t>(length);
      break;
    }
    default:
      return std::nullopt;
  }
  rest_ = rest_.subspan(size);
  malformed_ = false;
  return field;
}

void ProtoWriter::varint(std::uint32_t field, std::uint64_t value) {
  append_uvarint(out_, std::uint64_t{field} << 3);
  append_uvarint(out_, value);
}

void ProtoWriter::varint_unless_zero(std::uint32_t field, std::uint64_t value) {
  if (value != 0) varint(field, value);
}

void ProtoWriter::bytes(std::uint32_t field, ByteView value) {
  append_uvarint(out_, std::uint64_t{field} << 3 | 2);
  append_uvarint(out_, value.size());
  append(out_, value);
}

void ProtoWriter::bytes_unless_empty(std::uint32_t field, ByteView value) {
  if (!value.empty()) bytes(field, value);
}

}  // namespace kms
