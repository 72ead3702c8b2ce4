#include "net/pubsub_message.h"

#include <gtest/gtest.h>

#include "tests/net/fixtures.h"

namespace kms::net {
namespace {

PubsubMessage reread(const PubsubMessage& message) {
  Bytes encoded = message.encode();
  return PubsubMessage::from_view(*parse_message(encoded));
}

TEST(PubsubMessage, SignsAsJsDoes) {
  Identity alice = identity_named("alice");
  for (const auto& entry : vectors().at("pubsub").as_array()) {
    const auto& vector = entry.as_object();
    auto text = [&vector](const char* name) { return std::string(vector.at(name).as_string()); };
    std::uint64_t seqno = std::stoull(text("seqno"), nullptr, 16);
    auto message = make_signed(alice, text("topic"), unhex(text("data")), seqno);
    EXPECT_EQ(to_hex(*message.signature), text("signature"));
    EXPECT_EQ(to_hex(message.signed_bytes()), to_hex(as_bytes("libp2p-pubsub:")) + text("unsigned"));
    EXPECT_EQ(to_hex(message_id(MessageIdMode::from_seqno, message)), text("msgIdGo"));
    if (vector.at("keyField").as_bool()) message.key = to_bytes(alice.public_key().encoded());
    EXPECT_EQ(to_hex(message.encode()), text("message"));
    RpcWriter rpc;
    rpc.message(message.encode());
    EXPECT_EQ(to_hex(rpc.frame()), text("rpcFrame"));
    // js by default names a message by the key instead of its PeerId, which no other implementation does.
    EXPECT_EQ(to_hex(alice.public_key().encoded()) + text("seqno"), text("msgIdJsDefault"));

    Bytes theirs = unhex(text("message"));
    auto received = PubsubMessage::from_view(*parse_message(theirs));
    EXPECT_EQ(received.encode(), theirs);
    auto author = author_of(received);
    ASSERT_TRUE(author) << author.error().message;
    EXPECT_EQ(author->id, alice.peer_id());
    EXPECT_TRUE(verify_signature(received, author->key));
  }
}

TEST(PubsubMessage, AnyChangeBreaksTheSignature) {
  Identity alice = identity_named("alice");
  auto good = make_signed(alice, "t", unhex("68656c6c6f"), 7);
  EXPECT_TRUE(verify_signature(good, alice.public_key()));
  auto changed = [&](auto change) {
    PubsubMessage message = good;
    change(message);
    return verify_signature(message, alice.public_key());
  };
  EXPECT_FALSE(changed([](PubsubMessage& m) { m.data->at(0) ^= 1; }));
  EXPECT_FALSE(changed([](PubsubMessage& m) { m.topic = "u"; }));
  EXPECT_FALSE(changed([](PubsubMessage& m) { m.seqno->at(7) ^= 1; }));
  EXPECT_FALSE(changed([](PubsubMessage& m) { m.signature.reset(); }));
  EXPECT_FALSE(verify_signature(good, identity_named("bob").public_key()));
  EXPECT_TRUE(changed([&](PubsubMessage& m) { m.key = to_bytes(alice.public_key().encoded()); }))
      << "key is not signed";
}

TEST(PubsubMessage, EmptyAndAbsentDataAreSignedDifferently) {
  auto empty = make_signed(identity_named("alice"), "t", {}, 1);
  auto absent = empty;
  absent.data.reset();
  EXPECT_NE(empty.signed_bytes(), absent.signed_bytes());
  EXPECT_TRUE(reread(empty).data);
  EXPECT_FALSE(reread(absent).data);
}

TEST(PubsubMessage, EveryRequiredFieldIsRequired) {
  Identity alice = identity_named("alice"), bob = identity_named("bob");
  auto good = make_signed(alice, "t", unhex("00"), 7);
  EXPECT_TRUE(author_of(good));
  auto accepted = [&](auto change) {
    PubsubMessage message = good;
    change(message);
    return author_of(message).has_value();
  };
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.from.reset(); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.from = Bytes(3); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.seqno.reset(); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.seqno->pop_back(); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.signature.reset(); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.topic.reset(); }));
  EXPECT_FALSE(accepted([](PubsubMessage& m) { m.topic = ""; }));
  EXPECT_FALSE(accepted([&](PubsubMessage& m) { m.key = to_bytes(bob.public_key().encoded()); }));
  EXPECT_TRUE(accepted([&](PubsubMessage& m) { m.key = to_bytes(alice.public_key().encoded()); }));
}

TEST(PubsubMessage, TheContentIdBindsEverythingTheAuthorSaid) {
  auto message = make_signed(identity_named("alice"), "t", unhex("68656c6c6f"), 1);
  Bytes bound = unhex("0174");
  append(bound, *message.from);
  append(bound, unhex("0000000000000001"));
  append(bound, as_bytes("hello"));
  Hash32 hash = sha256(bound);
  EXPECT_EQ(to_hex(message_id(MessageIdMode::content, message)), to_hex(hash).substr(0, 40));
  auto other = message;
  other.data->at(0) ^= 1;
  EXPECT_NE(message_id(MessageIdMode::content, message), message_id(MessageIdMode::content, other));
  EXPECT_EQ(message_id(MessageIdMode::from_seqno, message), message_id(MessageIdMode::from_seqno, other));
  Hash32 data_hash = sha256(as_bytes("hello"));
  EXPECT_EQ(to_hex(message_id(MessageIdMode::sha256_of_data, message)), to_hex(data_hash));
}

TEST(SeqnoSource, StartsAtUnixNanosecondsAndGrowsByOne) {
  SeqnoSource source(Now{.instant = {}, .unix_ms = 1'700'000'000'123});
  EXPECT_EQ(source.next(), 1'700'000'000'123'000'000u);
  EXPECT_EQ(source.next(), 1'700'000'000'123'000'001u);
}

}  // namespace
}  // namespace kms::net
