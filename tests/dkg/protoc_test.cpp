// Our bodies are what protoc's code would have written from proto/kms.proto.
#include "tests/dkg/oracle.h"
#include "tests/dkg/samples.h"
#include "tests/schema.h"

namespace kms::dkg::test {
namespace {

std::unique_ptr<schema::Message> theirs(const std::string& name) {
  return schema::make("kms." + name);
}

TEST(Protoc, ReadsEveryBodyWithoutUnknownFieldsAndWritesTheSameBytes) {
  for (const Sample& sample : samples()) {
    auto message = theirs(sample.message);
    ASSERT_TRUE(schema::parse(*message, sample.body)) << sample.message;
    EXPECT_EQ(schema::unknown_field(*message), "");
    EXPECT_EQ(to_hex(schema::serialized(*message)), to_hex(sample.body)) << sample.message << ' ' << sample.shape;
  }
}

Bytes body_of(std::string_view message, std::string_view shape) {
  for (const Sample& sample : samples()) {
    if (sample.message == message && sample.shape == shape) return sample.body;
  }
  throw std::runtime_error("no such sample");
}

TEST(Protoc, FindsEachFieldUnderItsName) {
  Bytes body = body_of("CeremonyHeader", "RESHARE");
  auto header = parsed<CeremonyHeader>(body);
  auto message = theirs("CeremonyHeader");
  ASSERT_TRUE(schema::parse(*message, body));
  EXPECT_EQ(schema::number(*message, "kind"), 2u);
  EXPECT_EQ(schema::number(*message, "m"), header.keys());
  EXPECT_EQ(schema::number(*message, "epoch"), header.epoch);
  EXPECT_EQ(schema::number(*message, "initiator"), header.initiator);
  EXPECT_EQ(schema::number(*message, "t"), header.old->threshold.t());
  EXPECT_EQ(schema::number(*message, "t_new"), header.threshold.t());
  EXPECT_EQ(schema::bytes(*message, "old_committee_hash"), to_bytes(header.old->committee.bytes));
  EXPECT_EQ(schema::bytes(*message, "transcript_e"), to_bytes(header.old->transcript.bytes));
  EXPECT_EQ(schema::bytes(*message, "root_e"), to_bytes(header.old->root.bytes));
  EXPECT_EQ(schema::bytes(*message, "file_hash"), to_bytes(header.file.bytes));

  body = body_of("Deal", "");
  auto deal = parsed<Deal>(body);
  message = theirs("Deal");
  ASSERT_TRUE(schema::parse(*message, body));
  EXPECT_EQ(schema::bytes(*message, "sid"), to_bytes(deal.sid.bytes));
  EXPECT_EQ(schema::number(*message, "dealer"), deal.dealer);
  EXPECT_EQ(schema::bytes(*message, "ephemeral"), to_bytes(deal.ephemeral.bytes()));
  EXPECT_EQ(schema::bytes(*message, "c"), to_bytes(deal.challenge.bytes()));
  EXPECT_EQ(schema::bytes(*message, "z_e"), to_bytes(deal.ephemeral_response.bytes()));

  body = body_of("Certificate", "final");
  auto certificate = parsed<Certificate>(body);
  message = theirs("Certificate");
  ASSERT_TRUE(schema::parse(*message, body));
  EXPECT_EQ(schema::number(*message, "kind"), 4u);
  EXPECT_EQ(schema::number(*message, "instance"), 1u);
  EXPECT_EQ(schema::number(*message, "view"), certificate.view);
  EXPECT_EQ(schema::bytes(*message, "slot"), to_bytes(certificate.slot.bytes));
  EXPECT_EQ(schema::bytes(*message, "sid"), to_bytes(certificate.sid.bytes));
  EXPECT_EQ(schema::bytes(*message, "transcript"), to_bytes(certificate.transcript.bytes));
  EXPECT_EQ(schema::bytes(*message, "value_hash"), to_bytes(certificate.value.bytes));

  body = body_of("Proposal", "SLOT");
  auto proposal = parsed<Proposal>(body);
  message = theirs("Proposal");
  ASSERT_TRUE(schema::parse(*message, body));
  EXPECT_EQ(schema::number(*message, "view"), proposal.view);
  EXPECT_EQ(schema::number(*message, "parent_view"), proposal.parent_view);
  EXPECT_EQ(schema::bytes(*message, "justification"), to_bytes(proposal.justification.bytes));
  EXPECT_EQ(schema::bytes(*message, "parent_cert"), to_bytes(proposal.parent_cert.bytes));
}

TEST(Protoc, ReadsEnvelopesAndBatches) {
  auto node = crypto::NodeKey::from_secret(crypto::SecretScalar() + crypto::Scalar(7));
  ASSERT_TRUE(node);
  NetworkId network{{1}};
  Ready ready{SlotId{{2}}, Sid{{3}}, TranscriptHash{{4}}, 5};
  Batch batch{{seal(ready, *node, network), wrap(Fetch{{ObjectId{{6}}}}, NodeId{node->node_id()}, network)}};
  Bytes encoded = batch.encode();
  auto message = theirs("Batch");
  ASSERT_TRUE(schema::parse(*message, encoded));
  EXPECT_EQ(schema::unknown_field(*message), "");
  EXPECT_EQ(to_hex(schema::serialized(*message)), to_hex(encoded));
}

TEST(Protoc, KnowsTheSameMessageTypes) {
  const auto* types = google::protobuf::DescriptorPool::generated_pool()->FindEnumTypeByName("kms.MessageType");
  ASSERT_TRUE(types);
  for (std::uint64_t i = 1; i < 200; ++i) {
    const auto* value = types->FindValueByNumber(static_cast<int>(i));
    auto type = message_type(i);
    ASSERT_EQ(value != nullptr, type.has_value()) << i;
    if (!type) continue;
    std::string plain;
    for (char c : value->name()) {
      if (c != '_') plain += static_cast<char>(std::tolower(c));
    }
    std::string ours;
    for (char c : name_of(*type)) ours += static_cast<char>(std::tolower(c));
    EXPECT_EQ(plain, ours);
  }
}

}  // namespace
}  // namespace kms::dkg::test
