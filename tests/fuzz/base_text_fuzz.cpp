// base/: varints, Protobuf fields, hex and base58 read from strangers.
#include "base/base58.h"
#include "base/proto_wire.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;

namespace {

void check_uvarint(ByteView input) {
  Uvarint read;
  if (parse_uvarint(input, read) != UvarintState::complete) return;
  Bytes again;
  append_uvarint(again, read.value);
  KMS_ASSERT(equal(again, input.first(read.size)) && uvarint_size(read.value) == read.size);
}

// Whatever parses has parts that lie in the input, and parses the same when it is written anew.
void check_fields(ByteView input) {
  ProtoReader reader(input);
  ProtoWriter writer;
  bool only_ours = true;  // the writer knows varints and bytes
  std::size_t in_parts = 0;
  std::vector<ProtoReader::Field> fields;
  while (auto field = reader.next()) {
    KMS_ASSERT(field->number >= 1 && field->number < (1u << 29));
    if (field->type == ProtoReader::Type::varint) {
      only_ours = only_ours && field->value >> 63 == 0;
      if (only_ours) writer.varint(field->number, field->value);
    } else if (field->type == ProtoReader::Type::bytes) {
      bool inside = field->bytes.empty() || (field->bytes.data() >= input.data() &&
                                             field->bytes.data() + field->bytes.size() <= input.data() + input.size());
      KMS_ASSERT(inside);
      in_parts += field->bytes.size();
      writer.bytes(field->number, field->bytes);
    } else {
      only_ours = false;
    }
    fields.push_back(*field);
  }
  KMS_ASSERT(in_parts <= input.size() && fields.size() <= input.size() / 2);
  KMS_ASSERT(!reader.next());
  if (reader.is_malformed() || !only_ours) return;
  KMS_ASSERT(writer.view().size() <= input.size());
  ProtoReader second(writer.view());
  for (const auto& expected : fields) {
    auto field = second.next();
    KMS_ASSERT(field && field->number == expected.number && field->type == expected.type);
    KMS_ASSERT(field->value == expected.value && equal(field->bytes, expected.bytes));
  }
  KMS_ASSERT(!second.next() && !second.is_malformed());
}

void check_texts(ByteView input) {
  std::string_view text = as_text(input);
  if (auto bytes = parse_hex(text)) {
    auto again = parse_hex(to_0x(*bytes));
    KMS_ASSERT(again && *again == *bytes && bytes->size() <= text.size() / 2);
    KMS_ASSERT(bytes->size() != 32 || parse_hex_array<32>(text));
  } else {
    KMS_ASSERT(!parse_hex_exactly(text, text.size() / 2));
  }
  if (auto bytes = decode_base58(text)) {
    KMS_ASSERT(bytes->size() <= text.size());
    if (bytes->size() <= 96) KMS_ASSERT(encode_base58(*bytes) == text);
  }
  if (input.size() <= 87) {  // 120 characters: what decoding takes back
    auto back = decode_base58(encode_base58(input));
    KMS_ASSERT(back && equal(*back, input));
  }
}

}  // namespace

KMS_FUZZER(base_text) {
  check_uvarint(input);
  check_fields(input);
  check_texts(input);
}
