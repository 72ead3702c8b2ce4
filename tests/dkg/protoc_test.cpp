// Our bodies are what protoc's code would have written from proto/kms.proto.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "tests/dkg/oracle.h"
#include "tests/dkg/samples.h"

namespace kms::dkg::test {
namespace {

using google::protobuf::FieldDescriptor;
using Theirs = std::unique_ptr<google::protobuf::Message>;

Theirs theirs(const std::string& name) {
  const auto* descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("kms." + name);
  if (!descriptor) throw std::runtime_error("proto/kms.proto has no message " + name);
  return Theirs(google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor)->New());
}

bool parse(google::protobuf::Message& message, const Bytes& body) {
  return message.ParseFromArray(body.data(), static_cast<int>(body.size()));
}

Bytes serialized(const google::protobuf::Message& message) {
  std::string text = message.SerializeAsString();
  return to_bytes(as_bytes(text));
}

// The path of a field that the schema does not know, at any depth; empty if none.
std::string unknown_field(const google::protobuf::Message& message) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) return message.GetDescriptor()->full_name();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const auto& inner = field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                               : reflection->GetMessage(message, field);
      auto found = unknown_field(inner);
      if (!found.empty()) return found;
    }
  }
  return {};
}

const FieldDescriptor* field_of(const google::protobuf::Message& message, const std::string& name) {
  const auto* field = message.GetDescriptor()->FindFieldByName(name);
  if (!field) throw std::runtime_error(message.GetDescriptor()->full_name() + " has no field " + name);
  return field;
}

std::uint32_t number(const google::protobuf::Message& message, const std::string& name) {
  return message.GetReflection()->GetUInt32(message, field_of(message, name));
}

Bytes bytes(const google::protobuf::Message& message, const std::string& name) {
  std::string text = message.GetReflection()->GetString(message, field_of(message, name));
  return to_bytes(as_bytes(text));
}

TEST(Protoc, ReadsEveryBodyWithoutUnknownFieldsAndWritesTheSameBytes) {
  for (const Sample& sample : samples()) {
    Theirs message = theirs(sample.message);
    ASSERT_TRUE(parse(*message, sample.body)) << sample.message;
    EXPECT_EQ(unknown_field(*message), "");
    EXPECT_EQ(to_hex(serialized(*message)), to_hex(sample.body)) << sample.message << ' ' << sample.shape;
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
  Theirs message = theirs("CeremonyHeader");
  ASSERT_TRUE(parse(*message, body));
  EXPECT_EQ(number(*message, "kind"), 2u);
  EXPECT_EQ(number(*message, "m"), header.keys());
  EXPECT_EQ(number(*message, "epoch"), header.epoch);
  EXPECT_EQ(number(*message, "initiator"), header.initiator);
  EXPECT_EQ(number(*message, "t"), header.old->threshold.t());
  EXPECT_EQ(number(*message, "t_new"), header.threshold.t());
  EXPECT_EQ(bytes(*message, "old_committee_hash"), to_bytes(header.old->committee.bytes));
  EXPECT_EQ(bytes(*message, "transcript_e"), to_bytes(header.old->transcript.bytes));
  EXPECT_EQ(bytes(*message, "root_e"), to_bytes(header.old->root.bytes));
  EXPECT_EQ(bytes(*message, "file_hash"), to_bytes(header.file.bytes));

  body = body_of("Deal", "");
  auto deal = parsed<Deal>(body);
  message = theirs("Deal");
  ASSERT_TRUE(parse(*message, body));
  EXPECT_EQ(bytes(*message, "sid"), to_bytes(deal.sid.bytes));
  EXPECT_EQ(number(*message, "dealer"), deal.dealer);
  EXPECT_EQ(bytes(*message, "ephemeral"), to_bytes(deal.ephemeral.bytes()));
  EXPECT_EQ(bytes(*message, "c"), to_bytes(deal.challenge.bytes()));
  EXPECT_EQ(bytes(*message, "z_e"), to_bytes(deal.ephemeral_response.bytes()));

  body = body_of("Certificate", "final");
  auto certificate = parsed<Certificate>(body);
  message = theirs("Certificate");
  ASSERT_TRUE(parse(*message, body));
  EXPECT_EQ(number(*message, "kind"), 4u);
  EXPECT_EQ(number(*message, "instance"), 1u);
  EXPECT_EQ(number(*message, "view"), certificate.view);
  EXPECT_EQ(bytes(*message, "slot"), to_bytes(certificate.slot.bytes));
  EXPECT_EQ(bytes(*message, "sid"), to_bytes(certificate.sid.bytes));
  EXPECT_EQ(bytes(*message, "transcript"), to_bytes(certificate.transcript.bytes));
  EXPECT_EQ(bytes(*message, "value_hash"), to_bytes(certificate.value.bytes));

  body = body_of("Proposal", "SLOT");
  auto proposal = parsed<Proposal>(body);
  message = theirs("Proposal");
  ASSERT_TRUE(parse(*message, body));
  EXPECT_EQ(number(*message, "view"), proposal.view);
  EXPECT_EQ(number(*message, "parent_view"), proposal.parent_view);
  EXPECT_EQ(bytes(*message, "justification"), to_bytes(proposal.justification.bytes));
  EXPECT_EQ(bytes(*message, "parent_cert"), to_bytes(proposal.parent_cert.bytes));
}

TEST(Protoc, ReadsEnvelopesAndBatches) {
  auto node = crypto::NodeKey::from_secret(crypto::SecretScalar() + crypto::Scalar(7));
  ASSERT_TRUE(node);
  NetworkId network{{1}};
  Ready ready{SlotId{{2}}, Sid{{3}}, TranscriptHash{{4}}, 5};
  Batch batch{{seal(ready, *node, network), wrap(Fetch{{ObjectId{{6}}}}, NodeId{node->node_id()}, network)}};
  Bytes encoded = batch.encode();
  Theirs message = theirs("Batch");
  ASSERT_TRUE(parse(*message, encoded));
  EXPECT_EQ(unknown_field(*message), "");
  EXPECT_EQ(to_hex(serialized(*message)), to_hex(encoded));
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
