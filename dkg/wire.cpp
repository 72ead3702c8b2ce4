#include "dkg/wire.h"

namespace kms::dkg {

BodyReader::BodyReader(std::string_view name, ByteView body, std::size_t bytes_max)
    : name_(name), body_(body), reader_(body) {
  if (body.size() > bytes_max) {
    fault_ = std::string(name) + " has " + std::to_string(body.size()) + " bytes, at most " +
             std::to_string(bytes_max) + " are allowed";
    return;
  }
  advance();
}

void BodyReader::advance() {
  next_ = reader_.next();
  if (!next_ && reader_.is_malformed() && fault_.empty()) fault_ = std::string(name_) + " is malformed Protobuf";
}

void BodyReader::fail(std::uint32_t field, std::string_view what) {
  if (fault_.empty()) fault_ = std::string(name_) + ", field " + std::to_string(field) + ": " + std::string(what);
}

const ProtoReader::Field* BodyReader::take(std::uint32_t field, ProtoReader::Type type) {
  if (!has(field)) return nullptr;
  if (next_->type != type) {
    fail(field, "has another wire type");
    return nullptr;
  }
  taken_ = *next_;
  advance();
  return &taken_;
}

std::uint64_t BodyReader::number(std::uint32_t field, std::uint64_t max) {
  const auto* found = take(field, ProtoReader::Type::varint);
  if (!found) return 0;
  if (found->value <= max) return found->value;
  fail(field, std::to_string(found->value) + " is above " + std::to_string(max));
  return 0;
}

Position BodyReader::position(std::uint32_t field) {
  Position value = u16(field, kMembersMax);
  if (value == 0) fail(field, "is no position");
  return value;
}

ByteView BodyReader::bytes(std::uint32_t field, std::size_t max) {
  const auto* found = take(field, ProtoReader::Type::bytes);
  if (!found) return {};
  if (found->bytes.size() <= max) return found->bytes;
  fail(field, std::to_string(found->bytes.size()) + " bytes are more than " + std::to_string(max));
  return {};
}

Hash32 BodyReader::hash(std::uint32_t field) {
  ByteView view = bytes(field, 32);
  if (view.empty()) return {};
  if (view.size() == 32) return to_array<32>(view);
  fail(field, "is not 32 bytes");
  return {};
}

crypto::Point BodyReader::point(std::uint32_t field) {
  auto parsed = crypto::Point::parse(bytes(field, 33));
  if (parsed) return *parsed;
  fail(field, parsed.error().message);
  return crypto::Point::generator();
}

crypto::Scalar BodyReader::scalar(std::uint32_t field) {
  auto parsed = crypto::Scalar::parse(bytes(field, 32));
  if (parsed) return *parsed;
  fail(field, parsed.error().message);
  return {};
}

Signature BodyReader::signature(std::uint32_t field) {
  auto parsed = Signature::parse(bytes(field, 65));
  if (parsed) return *parsed;
  fail(field, parsed.error().message);
  return {};
}

ByteArray<64> BodyReader::proof(std::uint32_t field) {
  ByteView view = bytes(field, 64);
  if (view.size() == 64) return to_array<64>(view);
  fail(field, "is not 64 bytes");
  return {};
}

std::vector<ByteView> BodyReader::repeated(std::uint32_t field, std::size_t count_max, std::size_t bytes_max) {
  std::vector<ByteView> out;
  while (has(field)) {
    if (out.size() == count_max) {
      fail(field, "stands more than " + std::to_string(count_max) + " times");
      break;
    }
    out.push_back(bytes(field, bytes_max));
  }
  if (!is_good()) out.clear();
  return out;
}

std::vector<std::uint32_t> BodyReader::numbers(std::uint32_t field, std::size_t count_max, std::uint32_t max) {
  std::vector<std::uint32_t> out;
  ByteView packed = bytes(field, 5 * count_max);
  while (!packed.empty()) {
    Uvarint next;
    if (parse_uvarint(packed, next) != UvarintState::complete || next.value > max || out.size() == count_max) {
      fail(field,
           "is no packed list of at most " + std::to_string(count_max) + " numbers up to " + std::to_string(max));
      return {};
    }
    out.push_back(static_cast<std::uint32_t>(next.value));
    packed = packed.subspan(next.size);
  }
  return out;
}

Result<void> BodyReader::finish() {
  if (fault_.empty() && next_) fail(next_->number, "is unknown, repeated or out of order");
  if (!fault_.empty()) return error(fault_);
  return {};
}

Error BodyReader::not_canonical() const {
  return error(std::string(name_) + " is not in canonical form (a default or a number was written out)");
}

void BodyWriter::numbers(std::uint32_t field, const std::vector<std::uint32_t>& values) {
  Bytes packed;
  for (std::uint32_t value : values) append_uvarint(packed, value);
  out_.bytes_unless_empty(field, packed);
}

void write_list(BodyWriter& out, std::uint32_t field, const DealList& list) {
  for (const DealRef& ref : list) {
    BodyWriter item;
    item.number(1, ref.dealer);
    item.id(2, ref.hash);
    out.message(field, item);
  }
}

DealList read_list(BodyReader& in, std::uint32_t field) {
  DealList out;
  for (ByteView item : in.repeated(field, kMembersMax, 64)) {
    BodyReader ref("DealRef", item, 64);
    DealRef next{ref.position(1), ref.id_set<DealHash>(2)};
    auto done = ref.finish();
    in.check(done.has_value(), field, done ? std::string_view{} : std::string_view(done.error().message));
    in.check(out.empty() || out.back().dealer < next.dealer, field, "is not strictly increasing by dealer");
    out.push_back(next);
  }
  return out;
}

void write_signatures(BodyWriter& out, std::uint32_t field, const std::vector<IndexedSignature>& signatures) {
  for (const IndexedSignature& entry : signatures) {
    BodyWriter item;
    item.number(1, entry.index);
    item.signature(2, entry.signature);
    out.message(field, item);
  }
}

std::vector<IndexedSignature> read_signatures(BodyReader& in, std::uint32_t field) {
  std::vector<IndexedSignature> out;
  for (ByteView item : in.repeated(field, kMembersMax, 96)) {
    BodyReader entry("IndexedSignature", item, 96);
    IndexedSignature next{entry.position(1), entry.signature(2)};
    auto done = entry.finish();
    in.check(done.has_value(), field, done ? std::string_view{} : std::string_view(done.error().message));
    in.check(out.empty() || out.back().index < next.index, field, "is not strictly increasing by index");
    out.push_back(next);
  }
  return out;
}

}  // namespace kms::dkg
