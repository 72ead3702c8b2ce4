#include "net/peer_record.h"

#include <gtest/gtest.h>

#include "base/proto_wire.h"
#include "fixtures.h"

namespace kms::net {
namespace {

const boost::json::value& record_vector() {
  return vectors().at("peerRecord");
}

std::vector<Multiaddr> one_address() {
  return {Multiaddr::parse_text("/ip4/127.0.0.1/tcp/4001").value()};
}

TEST(PeerRecord, IsSealedAndEncodedAsByJs) {
  Identity alice = identity_named("alice");
  EXPECT_EQ(encode_peer_record({alice.peer_id(), 1, one_address()}), hex_field(record_vector(), "payload"));
  EXPECT_EQ(sign_peer_record(alice, 1, one_address()), hex_field(record_vector(), "envelope"));
  EXPECT_EQ(kPeerRecordDomain, text_field(record_vector(), "domainUtf8"));
  EXPECT_EQ(to_bytes(kPeerRecordPayloadType), hex_field(record_vector(), "payloadType"));
  EXPECT_TRUE(
      alice.public_key().verify(hex_field(record_vector(), "signedBytes"), hex_field(record_vector(), "signature")));
}

TEST(PeerRecord, IsReadFromTheEnvelopeOfJs) {
  Identity alice = identity_named("alice");
  auto record = verify_peer_record(hex_field(record_vector(), "envelope"), alice.peer_id());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->peer, alice.peer_id());
  EXPECT_EQ(record->seq, 1u);
  EXPECT_EQ(record->addresses, one_address());
}

TEST(PeerRecord, RefusesEveryFlippedByteOfAnEnvelope) {
  Bytes envelope = hex_field(record_vector(), "envelope");
  for (std::size_t at = 0; at < envelope.size(); ++at) {
    Bytes changed = envelope;
    changed[at] ^= 1;
    EXPECT_FALSE(verify_peer_record(changed, identity_named("alice").peer_id())) << at;
  }
  for (std::size_t size = 0; size < envelope.size(); ++size) {
    EXPECT_FALSE(verify_peer_record(ByteView(envelope).first(size), identity_named("alice").peer_id())) << size;
  }
}

TEST(PeerRecord, RefusesARecordOfAnotherPeer) {
  Identity bob = identity_named("bob");
  EXPECT_FALSE(verify_peer_record(hex_field(record_vector(), "envelope"), bob.peer_id()));
  // Bob signs a record that names alice.
  Bytes payload = encode_peer_record({identity_named("alice").peer_id(), 2, one_address()});
  Bytes envelope = seal_envelope(bob, kPeerRecordDomain, kPeerRecordPayloadType, payload);
  EXPECT_FALSE(verify_peer_record(envelope, identity_named("alice").peer_id()));
  EXPECT_FALSE(verify_peer_record(envelope, bob.peer_id()));
}

TEST(Envelope, RefusesOtherDomainsTypesAndSizes) {
  Identity bob = identity_named("bob");
  Bytes envelope = seal_envelope(bob, "domain", as_bytes("type"), as_bytes("payload"));
  auto opened = open_envelope(envelope, "domain", as_bytes("type"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->payload), "payload");
  EXPECT_EQ(opened->signer, bob.public_key());
  EXPECT_FALSE(open_envelope(envelope, "other", as_bytes("type")));
  EXPECT_FALSE(open_envelope(envelope, "domain", as_bytes("typf")));
  Bytes large = seal_envelope(bob, "domain", as_bytes("type"), Bytes(8192, 1));
  EXPECT_FALSE(open_envelope(large, "domain", as_bytes("type")));
}

TEST(PeerRecord, LeavesOutAddressesOfUnknownCodesAndThoseBeyondTheLimit) {
  ProtoWriter writer;
  writer.bytes(1, identity_named("alice").peer_id().bytes());
  ProtoWriter unknown;
  unknown.bytes(1, unhex("b90301"));
  writer.message(3, unknown);
  ProtoWriter known;
  known.bytes(1, one_address().front().bytes());
  for (int i = 0; i < 70; ++i) writer.message(3, known);
  auto record = parse_peer_record(writer.view());
  ASSERT_TRUE(record);
  EXPECT_EQ(record->addresses.size(), 64u);
  EXPECT_EQ(record->seq, 0u);
  EXPECT_FALSE(parse_peer_record(unhex("1001")));
}

TEST(PeerRecord, SeqGrowsWithTheClockAndWithoutIt) {
  EXPECT_EQ(next_peer_record_seq(0, 5), 5'000'000u);
  EXPECT_EQ(next_peer_record_seq(5'000'000, 5), 5'000'001u);
  EXPECT_EQ(next_peer_record_seq(9'000'000, 5), 9'000'001u);
  EXPECT_EQ(next_peer_record_seq(0, -1), 1u);
}

TEST(PeerRecord, IsReplacedByAHigherSeqOfTheSamePeerOnly) {
  PeerRecord held{identity_named("alice").peer_id(), 5, {}};
  EXPECT_TRUE(supersedes({held.peer, 6, {}}, held));
  EXPECT_FALSE(supersedes({held.peer, 5, {}}, held));
  EXPECT_FALSE(supersedes({held.peer, 4, {}}, held));
  EXPECT_FALSE(supersedes({identity_named("bob").peer_id(), 9, {}}, held));
}

}  // namespace
}  // namespace kms::net
