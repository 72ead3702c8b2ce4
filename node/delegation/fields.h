// Reading and writing the bodies of delegation messages: each field once, in rising order, in its one encoding.
#pragma once

#include "base/proto_wire.h"
#include "base/result.h"
#include "dkg/ids.h"

namespace kms::delegation {

using dkg::Position;

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
  // Whether the next field is this one.
  bool is_at(std::uint32_t field) const { return ok_ && current_ && current_->number == field; }
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

inline Bytes packed(const std::vector<Position>& positions) {
  Bytes out;
  for (Position position : positions) append_uvarint(out, position);
  return out;
}

inline Error malformed(std::string_view what) {
  return error(std::string(what) + ": malformed body");
}

// Varints have longer forms, which the reader takes: only what would be written again is the message.
template <class M>
Result<M> canonical(M message, ByteView body, std::string_view name) {
  if (!equal(message.body(), body)) return error(std::string(name) + ": not in its one encoding");
  return message;
}

}  // namespace kms::delegation
