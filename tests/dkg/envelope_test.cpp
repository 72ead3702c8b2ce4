#include "base/proto_wire.h"
#include "tests/dkg/oracle.h"
#include "tests/dkg/samples.h"

namespace kms::dkg::test {
namespace {

class Envelopes : public testing::Test {
 protected:
  Envelopes()
      : node_(std::move(crypto::NodeKey::from_secret(crypto::SecretScalar() + crypto::Scalar(7)).value())),
        ready_{SlotId{{2}}, Sid{{3}}, TranscriptHash{{4}}, 5},
        sealed_(seal(ready_, node_, network_)) {}
  NetworkId network_{{1}};
  crypto::NodeKey node_;
  Ready ready_;
  Envelope sealed_;
};

TEST_F(Envelopes, ComeBackAndVerifyForTheirSenderOnly) {
  auto read = Envelope::parse(sealed_.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->encode(), sealed_.encode());
  auto message = parse_message(*read);
  ASSERT_TRUE(message);
  const Ready& ready = std::get<Ready>(*message);
  EXPECT_TRUE(verify_sender(*read, ready, node_.public_key()));
  EXPECT_FALSE(verify_sender(*read, ready, crypto::Point::generator()));
  Ready other = ready;
  other.index = 6;
  EXPECT_FALSE(verify_sender(*read, other, node_.public_key()));
  Envelope elsewhere = *read;
  elsewhere.network = NetworkId{{9}};
  EXPECT_FALSE(verify_sender(elsewhere, ready, node_.public_key()));
  Envelope foreign = *read;
  foreign.sender = NodeId{{9}};
  EXPECT_FALSE(verify_sender(foreign, ready, node_.public_key()));
  foreign = *read;
  foreign.signature.reset();
  EXPECT_FALSE(verify_sender(foreign, ready, node_.public_key()));
}

// The envelope with one field set by hand.
Bytes envelope(std::uint64_t version, std::uint64_t type, const Bytes& sig, const Bytes& body) {
  ProtoWriter out;
  out.varint_unless_zero(1, version);
  out.bytes(2, Hash32{1});
  out.varint_unless_zero(3, type);
  out.bytes(4, Hash32{2});
  out.bytes_unless_empty(5, body);
  out.bytes_unless_empty(6, sig);
  return out.take();
}

TEST_F(Envelopes, OfAnotherVersionTypeOrSizeAreRefused) {
  Bytes signature = to_bytes(sealed_.signature->bytes);
  Bytes body = sealed_.body;
  EXPECT_TRUE(Envelope::parse(envelope(1, 11, signature, body)));
  EXPECT_FALSE(Envelope::parse(envelope(0, 11, signature, body)));
  EXPECT_FALSE(Envelope::parse(envelope(2, 11, signature, body)));
  EXPECT_FALSE(Envelope::parse(envelope(1, 0, signature, body)));
  EXPECT_FALSE(Envelope::parse(envelope(1, 26, signature, body)));
  EXPECT_FALSE(Envelope::parse(envelope(1, 11, {}, body)));        // signed type without a signature
  EXPECT_FALSE(Envelope::parse(envelope(1, 6, signature, body)));  // and the other way round
  EXPECT_TRUE(Envelope::parse(envelope(1, 6, {}, body)));
  EXPECT_TRUE(Envelope::parse(envelope(1, 6, {}, Bytes(Envelope::kBodyBytesMax))));
  EXPECT_FALSE(Envelope::parse(envelope(1, 6, {}, Bytes(Envelope::kBodyBytesMax + 1))));
  EXPECT_TRUE(Envelope::parse(envelope(1, 18, {}, Bytes(Envelope::kChainBytesMax))));
  EXPECT_FALSE(Envelope::parse(envelope(1, 18, {}, Bytes(Envelope::kChainBytesMax + 1))));
  for (std::uint8_t v : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{29}, std::uint8_t{26}}) {
    Bytes other = signature;
    other[64] = v;
    EXPECT_FALSE(Envelope::parse(envelope(1, 11, other, body))) << int{v};
  }
}

TEST_F(Envelopes, BatchesHoldOneTo64ItemsAnd256KiB) {
  Batch batch;
  EXPECT_FALSE(Batch::parse({}));
  batch.items.assign(64, sealed_);
  Bytes full = batch.encode();
  auto read = Batch::parse(full);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->items.size(), 64u);
  EXPECT_EQ(read->encode(), full);
  ProtoWriter one_more;
  one_more.bytes(1, sealed_.encode());
  append(full, one_more.view());
  EXPECT_FALSE(Batch::parse(full));
  ProtoWriter big;
  for (int i = 0; i < 2; ++i) big.bytes(1, wrap(FetchReply{{Bytes(150'000)}}, NodeId{{1}}, network_).encode());
  EXPECT_FALSE(Batch::parse(big.view()));
  ProtoWriter spoilt;
  spoilt.bytes(1, sealed_.encode());
  spoilt.bytes(1, Bytes{1, 2, 3});
  EXPECT_FALSE(Batch::parse(spoilt.view()));
}

TEST_F(Envelopes, OfTypesThatAreNotACeremonysParseButHoldNoCeremonyMessage) {
  auto read = Envelope::parse(envelope(1, 37, {}, Bytes{1, 2, 3}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, MessageType::need);
  EXPECT_FALSE(parse_message(*read));
}

TEST_F(Envelopes, EverySampleIsFoundByItsType) {
  for (const Sample& sample : samples()) {
    Envelope carrier = sealed_;
    for (std::uint64_t i = 0; i < 64; ++i) {
      if (auto type = message_type(i); type && name_of(*type) == sample.message) carrier.type = *type;
    }
    carrier.body = sample.body;
    auto message = parse_message(carrier);
    ASSERT_TRUE(message) << sample.message;
    auto again = std::visit([](const auto& body) { return body.body(); }, *message);
    EXPECT_EQ(again, sample.body) << sample.message;
  }
}

TEST_F(Envelopes, ObjectsAreNamedAsTheProtocolNamesThem) {
  Json dkg = own_vectors("dkg.json");
  auto id = [&](const Message& message) { return object_id(sealed_, message); };
  EXPECT_EQ(id(parsed<CeremonyHeader>(header_body(dkg.at("header")))), id_of<ObjectId>(dkg.at("sid")));
  const Json& deal = dkg.at("deals").as_array()[0];
  EXPECT_EQ(id(parsed<Deal>(deal_body(deal))), id_of<ObjectId>(deal.at("dh")));
  const Json& certificate = dkg.at("certificates").at("final");
  EXPECT_EQ(id(parsed<Certificate>(certificate_body(certificate))), id_of<ObjectId>(certificate.at("id")));
  Value value{id_of<SlotId>(dkg.at("slot")), id_of<Sid>(dkg.at("sid")), list_of(dkg.at("list"))};
  EXPECT_EQ(id(value), id_of<ObjectId>(dkg.at("value")));
  EXPECT_EQ(id(ready_), ObjectId{ready_.signing_digest(sealed_.network, sealed_.sender)});
  EXPECT_EQ(id(Fetch{{ObjectId{}}}), std::nullopt);
  EXPECT_EQ(id(NodeStatus{}), std::nullopt);
}

}  // namespace
}  // namespace kms::dkg::test
