#include "net/identify.h"

#include <gtest/gtest.h>

#include "base/proto_wire.h"
#include "fixtures.h"
#include "net/peer_record.h"

namespace kms::net {
namespace {

Multiaddr address(std::string_view text) {
  return Multiaddr::parse_text(text).value();
}

Identify full_message() {
  Identity alice = identity_named("alice");
  Identify message;
  message.public_key = alice.public_key();
  message.listen_addresses = {address("/ip4/127.0.0.1/tcp/4001")};
  message.protocols = {"/ipfs/id/1.0.0", "/meshsub/1.2.0"};
  message.observed_address = address("/ip4/127.0.0.1/tcp/5001");
  message.protocol_version = "x/1.0.0";
  message.agent_version = "node/1.0.0";
  message.signed_peer_record = sign_peer_record(alice, 1, *message.listen_addresses);
  return message;
}

void expect_equal(const Identify& a, const Identify& b) {
  EXPECT_EQ(a.public_key, b.public_key);
  EXPECT_EQ(a.listen_addresses, b.listen_addresses);
  EXPECT_EQ(a.protocols, b.protocols);
  EXPECT_EQ(a.observed_address, b.observed_address);
  EXPECT_EQ(a.protocol_version, b.protocol_version);
  EXPECT_EQ(a.agent_version, b.agent_version);
  EXPECT_EQ(a.signed_peer_record, b.signed_peer_record);
}

TEST(Identify, ReadsTheMessageOfJs) {
  IdentifyReader reader;
  ASSERT_TRUE(reader.feed(unhex(vectors().at("identify").as_string())));
  auto message = reader.finish();
  ASSERT_TRUE(message);
  expect_equal(*message, full_message());
}

TEST(Identify, ReadsWhatItWroteByteByByte) {
  Bytes frame = encode_identify_frame(full_message()).value();
  // js writes the same fields in another order: equally long.
  EXPECT_EQ(frame.size(), unhex(vectors().at("identify").as_string()).size());
  IdentifyReader reader;
  for (std::uint8_t byte : frame) ASSERT_TRUE(reader.feed(ByteView(&byte, 1)));
  auto message = reader.finish();
  ASSERT_TRUE(message);
  expect_equal(*message, full_message());
}

TEST(Identify, RefusesToWriteMoreThanOthersRead) {
  Identify message = full_message();
  for (int i = 0; i < 20; ++i) message.protocols->push_back(std::string(200, 'p'));
  EXPECT_FALSE(encode_identify(message));
  EXPECT_FALSE(encode_identify_frame(message));
}

TEST(Identify, MergesSeveralMessagesOfOneStream) {
  Identify first;
  first.protocols = {"/a"};
  first.agent_version = "old";
  Identify second;
  second.protocols = {"/b"};
  second.agent_version = "new";
  second.listen_addresses = {address("/ip4/1.2.3.4/tcp/5")};
  IdentifyReader reader;
  Bytes stream = encode_identify_frame(first).value();
  append(stream, encode_identify_frame(second).value());
  ASSERT_TRUE(reader.feed(stream));
  auto merged = reader.finish();
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->protocols, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(merged->agent_version, "new");
  EXPECT_EQ(merged->listen_addresses->size(), 1u);
  EXPECT_FALSE(merged->public_key);
}

TEST(Identify, AppliesAPushToPresentFieldsOnly) {
  Identify known = full_message();
  Identify push;
  push.protocols = {"/c"};
  apply_identify_push(known, std::move(push));
  EXPECT_EQ(known.protocols, std::vector<std::string>{"/c"});
  EXPECT_EQ(known.agent_version, "node/1.0.0");
  EXPECT_EQ(known.listen_addresses->size(), 1u);
}

TEST(IdentifyReader, RefusesTheEleventhMessage) {
  IdentifyReader reader;
  Bytes empty{0x00};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(reader.feed(empty)) << i;
  EXPECT_FALSE(reader.feed(empty));
}

TEST(IdentifyReader, RefusesLengthsOverTheLimitBeforeTheirBytes) {
  Bytes length;
  append_uvarint(length, 8193);
  EXPECT_FALSE(IdentifyReader().feed(length));
  EXPECT_FALSE(IdentifyReader().feed(Bytes(9, 0xff)));
  length.clear();
  append_uvarint(length, 8192);
  EXPECT_TRUE(IdentifyReader().feed(length));
}

TEST(IdentifyReader, RefusesAStreamThatEndsEarly) {
  EXPECT_FALSE(IdentifyReader().finish());
  Bytes frame = encode_identify_frame(full_message()).value();
  IdentifyReader reader;
  ASSERT_TRUE(reader.feed(ByteView(frame).first(frame.size() - 1)));
  EXPECT_FALSE(reader.finish());
}

TEST(Identify, RefusesMalformedBodiesAndKeys) {
  EXPECT_FALSE(parse_identify(unhex("0a05")));
  ProtoWriter writer;
  writer.text(1, "no key");
  EXPECT_FALSE(parse_identify(writer.view()));
  EXPECT_FALSE(parse_identify(Bytes(8193, 0)));
}

TEST(Identify, LeavesOutWhatItCannotUse) {
  ProtoWriter writer;
  writer.bytes(2, unhex("b90301"));                                         // unknown code
  for (int i = 0; i < 70; ++i) writer.bytes(2, address("/tcp/1").bytes());  // above 64
  for (int i = 0; i < 300; ++i) writer.text(3, "/p");                       // above 256
  writer.bytes(4, unhex("b90301"));
  writer.text(5, std::string(257, 'v'));
  writer.text(6, "agent\n\x1b[31m\xff");
  writer.text(7, "unused");
  auto message = parse_identify(writer.view());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->listen_addresses->size(), 64u);
  EXPECT_EQ(message->protocols->size(), 256u);
  EXPECT_FALSE(message->observed_address);
  EXPECT_FALSE(message->protocol_version);
  EXPECT_EQ(message->agent_version, "agent??[31m?");
  EXPECT_FALSE(message->signed_peer_record);
}

TEST(Identify, TakesAListOfUnknownAddressesForAnEmptyListNotForNone) {
  ProtoWriter writer;
  writer.bytes(2, unhex("b90301"));
  auto message = parse_identify(writer.view());
  ASSERT_TRUE(message);
  ASSERT_TRUE(message->listen_addresses);
  EXPECT_TRUE(message->listen_addresses->empty());
}

}  // namespace
}  // namespace kms::net
