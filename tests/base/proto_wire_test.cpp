#include "base/proto_wire.h"

#include <gtest/gtest.h>

namespace kms {
namespace {

TEST(Uvarint, RoundTripsAtEveryLength) {
  for (int bits = 0; bits < 63; ++bits) {
    std::uint64_t value = std::uint64_t{1} << bits;
    Bytes bytes;
    append_uvarint(bytes, value);
    EXPECT_EQ(bytes.size(), uvarint_size(value));
    Uvarint parsed;
    ASSERT_EQ(parse_uvarint(bytes, parsed), UvarintState::complete);
    EXPECT_EQ(parsed.value, value);
    EXPECT_EQ(parsed.size, bytes.size());
    bytes.pop_back();
    EXPECT_EQ(parse_uvarint(bytes, parsed), UvarintState::incomplete);
  }
}

TEST(Uvarint, RefusesNonMinimalAndTooLong) {
  Uvarint parsed;
  EXPECT_EQ(parse_uvarint(Bytes{0x81, 0x00}, parsed), UvarintState::invalid);
  EXPECT_EQ(parse_uvarint(Bytes(10, 0x80), parsed), UvarintState::invalid);
  EXPECT_EQ(parse_uvarint(Bytes(9, 0x80), parsed), UvarintState::invalid);
}

TEST(ProtoReader, ReadsWhatTheWriterWrote) {
  ProtoWriter writer;
  writer.varint(1, 300);
  writer.text(2, "abc");
  ProtoReader reader(writer.view());
  auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->number, 1u);
  EXPECT_EQ(first->value, 300u);
  auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(as_text(second->bytes), "abc");
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.is_malformed());
}

TEST(ProtoReader, CallsTruncatedInputMalformed) {
  ProtoWriter writer;
  writer.text(2, "abc");
  Bytes bytes = writer.take();
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    ProtoReader reader(ByteView(bytes).first(size));
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.is_malformed()) << size;
  }
}

TEST(ProtoReader, RefusesGroupsAndFieldZero) {
  for (Bytes bytes : {Bytes{0x0b}, Bytes{0x00, 0x01}, Bytes{0x0c}}) {
    ProtoReader reader(bytes);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.is_malformed());
  }
}

}  // namespace
}  // namespace kms
