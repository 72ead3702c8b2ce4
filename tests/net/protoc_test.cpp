// What we write by hand on libp2p streams is what protoc's code would have written from proto/*.proto, and the other
// way round.
#include <gtest/gtest.h>

#include "net/identify.h"
#include "net/object_exchange.h"
#include "net/peer_record.h"
#include "net/peers_wire.h"
#include "net/pubsub_message.h"
#include "net/pubsub_wire.h"
#include "tests/net/fixtures.h"
#include "tests/schema.h"

namespace kms::net {
namespace {

std::unique_ptr<schema::Message> read_as(const std::string& name, ByteView body) {
  auto message = schema::make(name);
  EXPECT_TRUE(schema::parse(*message, body)) << name;
  EXPECT_EQ(schema::unknown_field(*message), "") << name;
  EXPECT_EQ(to_hex(schema::serialized(*message)), to_hex(body)) << name;
  return message;
}

TEST(NetProtoc, ReadsRequestsForPeersAndTheirAnswers) {
  PeersRequest request;
  request.held = {{identity_named("a").peer_id(), 0}, {identity_named("b").peer_id(), std::uint64_t{1} << 60}};
  auto theirs = read_as("kms.services.PeersRequest", request.encode());
  ASSERT_EQ(schema::count(*theirs, "held"), 2u);
  EXPECT_EQ(schema::bytes(schema::element(*theirs, "held", 1), "peer"), to_bytes(request.held[1].peer.bytes()));
  EXPECT_EQ(schema::wide_number(schema::element(*theirs, "held", 0), "seq"), 0u);
  EXPECT_EQ(schema::wide_number(schema::element(*theirs, "held", 1), "seq"), request.held[1].seq);

  PeersReply reply;
  reply.records = {{Bytes(300, 7), 0}, {Bytes(4096, 8), 86'400}};
  theirs = read_as("kms.services.PeersReply", reply.encode());
  ASSERT_EQ(schema::count(*theirs, "records"), 2u);
  EXPECT_EQ(schema::bytes(schema::element(*theirs, "records", 0), "envelope"), reply.records[0].envelope);
  EXPECT_EQ(schema::wide_number(schema::element(*theirs, "records", 1), "age_s"), 86'400u);
  read_as("kms.services.PeersRequest", PeersRequest{}.encode());
  read_as("kms.services.PeersReply", PeersReply{}.encode());
}

TEST(NetProtoc, ReadsRequestsForObjectsAndTheirAnswers) {
  const ObjectName name = sha256(Bytes{1});
  auto theirs = read_as("kms.services.ObjectRequest", encode_object_request(name));
  EXPECT_EQ(schema::bytes(*theirs, "name"), to_bytes(name));
  const Bytes object(1000, 9);
  for (const auto status : {ObjectStatus::here, ObjectStatus::absent, ObjectStatus::busy}) {
    const ObjectReply reply{status, status == ObjectStatus::here ? ByteView(object) : ByteView()};
    theirs = read_as("kms.services.ObjectReply", encode_object_reply(reply));
    EXPECT_EQ(schema::enum_number(*theirs, "status"), static_cast<int>(status));
    EXPECT_EQ(schema::bytes(*theirs, "object").size(), reply.object.size());
  }
}

TEST(NetProtoc, WritesRequestsAndAnswersThatWeRead) {
  auto request = schema::make("kms.services.PeersRequest");
  auto* held = request->GetReflection()->AddMessage(request.get(), schema::field_of(*request, "held"));
  const PeerId peer = identity_named("a").peer_id();
  held->GetReflection()->SetString(held, schema::field_of(*held, "peer"), std::string(as_text(peer.bytes())));
  held->GetReflection()->SetUInt64(held, schema::field_of(*held, "seq"), 99);
  const auto ours = PeersRequest::parse(schema::serialized(*request));
  ASSERT_TRUE(ours && ours->held.size() == 1);
  EXPECT_EQ(ours->held[0].peer, peer);
  EXPECT_EQ(ours->held[0].seq, 99u);

  auto reply = schema::make("kms.services.ObjectReply");
  reply->GetReflection()->SetEnumValue(reply.get(), schema::field_of(*reply, "status"), 1);
  reply->GetReflection()->SetString(reply.get(), schema::field_of(*reply, "object"), "bytes");
  const Bytes body = schema::serialized(*reply);
  const auto object = parse_object_reply(body);
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(as_text(object->object), "bytes");
}

TEST(NetProtoc, ReadsIdentifyRecordsAndRpcs) {
  const Identity author = identity_named("a");
  Identify message;
  message.public_key = author.public_key();
  message.listen_addresses = {Multiaddr::of_tcp(ByteArray<4>{10, 0, 0, 1}, 9001)};
  message.observed_address = message.listen_addresses->front();
  message.protocols = {"/ipfs/id/1.0.0", "/meshsub/1.2.0"};
  message.agent_version = "kms/0.1.0";
  message.protocol_version = "/kms/t/1.0.0";
  message.signed_peer_record = sign_peer_record(author, 9, *message.listen_addresses);
  auto theirs = read_as("kms.libp2p.Identify", encode_identify(message).value());
  EXPECT_EQ(schema::bytes(*theirs, "agentVersion"), to_bytes(as_bytes(*message.agent_version)));
  theirs = read_as("kms.libp2p.Envelope", *message.signed_peer_record);
  theirs = read_as("kms.libp2p.PeerRecord", schema::bytes(*theirs, "payload"));
  EXPECT_EQ(schema::wide_number(*theirs, "seq"), 9u);

  RpcWriter writer;
  const std::vector<Bytes> ids{Bytes(20, 1), Bytes(20, 2)};
  writer.subscription(true, "/kms/t/requests/1");
  writer.message(make_signed(author, "/kms/t/requests/1", Bytes(40, 7), 5).encode());
  writer.ihave("/kms/t/requests/1", ids);
  writer.iwant(ids);
  writer.idontwant(ids);
  writer.graft("/kms/t/requests/1");
  writer.prune("/kms/t/requests/1", 60);
  const Bytes frame = writer.frame();
  Uvarint size;
  ASSERT_EQ(parse_uvarint(frame, size), UvarintState::complete);
  theirs = schema::make("kms.pubsub.RPC");
  ASSERT_TRUE(schema::parse(*theirs, ByteView(frame).subspan(size.size)));
  EXPECT_EQ(schema::unknown_field(*theirs), "");
  ASSERT_EQ(schema::count(*theirs, "publish"), 1u);
  EXPECT_EQ(schema::bytes(schema::element(*theirs, "publish", 0), "data"), Bytes(40, 7));
}

}  // namespace
}  // namespace kms::net
