// The Noise_XX_25519_ChaChaPoly_SHA256 handshakes that github.com/flynn/noise publishes, replayed on the parts our
// handshake is made of: their payloads are no libp2p payloads, which our handshake itself would refuse.
#include <gtest/gtest.h>

#include "fixtures.h"
#include "net/noise.h"

namespace kms::net {
namespace {

constexpr std::size_t kSealedKeyBytes = 32 + kNoiseTagBytes;

crypto::Secret<32> secret_field(const boost::json::value& handshake, std::string_view name) {
  return crypto::Secret<32>::copy_of(hex_field(handshake, name));
}

// One end of a foreign handshake; the tokens of XX as the Noise specification, revision 34, 7.5 has them.
struct End {
  End(const boost::json::value& handshake, std::string_view role)
      : static_pair(secret_field(handshake, std::string(role) + "Static")),
        ephemeral(secret_field(handshake, std::string(role) + "Ephemeral")),
        symmetric(hex_field(handshake, "prologue")) {}

  void mix_agreement(const NoiseKeyPair& ours, ByteView key) { symmetric.mix_key(ours.agree(key).value()); }
  void put_ephemeral(Bytes& out) {
    append(out, ephemeral.public_key());
    symmetric.mix_hash(ephemeral.public_key());
  }
  void take_ephemeral(ByteView message) {
    their_ephemeral = to_bytes(message.first(32));
    symmetric.mix_hash(their_ephemeral);
  }
  void take_static(ByteView sealed) {
    auto opened = symmetric.decrypt_and_hash(sealed);
    ASSERT_TRUE(opened);
    their_static = *opened;
  }
  void expect_payload(ByteView sealed, const Bytes& payload) {
    auto opened = symmetric.decrypt_and_hash(sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, payload);
  }

  NoiseKeyPair static_pair;
  NoiseKeyPair ephemeral;
  NoiseSymmetric symmetric;
  Bytes their_ephemeral;
  Bytes their_static;
};

struct Exchange {
  explicit Exchange(const boost::json::value& handshake)
      : messages(handshake.at("messages").as_array()),
        initiator(handshake, "initiator"),
        responder(handshake, "responder") {}
  Bytes payload(std::size_t index) const { return hex_field(messages.at(index), "payload"); }
  Bytes bytes(std::size_t index) const { return hex_field(messages.at(index), "bytes"); }

  void message_1() {
    Bytes written;
    initiator.put_ephemeral(written);
    initiator.symmetric.encrypt_and_hash(payload(0), written);
    ASSERT_EQ(written, bytes(0));
    responder.take_ephemeral(written);
    responder.expect_payload(ByteView(written).subspan(32), payload(0));
  }
  void message_2() {
    Bytes written;
    responder.put_ephemeral(written);
    responder.mix_agreement(responder.ephemeral, responder.their_ephemeral);
    responder.symmetric.encrypt_and_hash(responder.static_pair.public_key(), written);
    responder.mix_agreement(responder.static_pair, responder.their_ephemeral);
    responder.symmetric.encrypt_and_hash(payload(1), written);
    ASSERT_EQ(written, bytes(1));
    ByteView read(written);
    initiator.take_ephemeral(read);
    initiator.mix_agreement(initiator.ephemeral, initiator.their_ephemeral);
    initiator.take_static(read.subspan(32, kSealedKeyBytes));
    initiator.mix_agreement(initiator.ephemeral, initiator.their_static);
    initiator.expect_payload(read.subspan(32 + kSealedKeyBytes), payload(1));
  }
  void message_3() {
    Bytes written;
    initiator.symmetric.encrypt_and_hash(initiator.static_pair.public_key(), written);
    initiator.mix_agreement(initiator.static_pair, initiator.their_ephemeral);
    initiator.symmetric.encrypt_and_hash(payload(2), written);
    ASSERT_EQ(written, bytes(2));
    ByteView read(written);
    responder.take_static(read.first(kSealedKeyBytes));
    responder.mix_agreement(responder.ephemeral, responder.their_static);
    responder.expect_payload(read.subspan(kSealedKeyBytes), payload(2));
  }
  void transport() {
    EXPECT_EQ(initiator.symmetric.hash(), responder.symmetric.hash());
    auto keys = initiator.symmetric.split();
    auto same = responder.symmetric.split();
    NoiseSender from_initiator(keys.first);
    NoiseSender from_responder(keys.second);
    NoiseReceiver at_responder(same.first);
    NoiseReceiver at_initiator(same.second);
    for (std::size_t i = 3; i < messages.size(); ++i) {
      bool is_initiators = i % 2 == 1;
      Bytes framed;
      ASSERT_TRUE((is_initiators ? from_initiator : from_responder).encrypt(payload(i), framed));
      ASSERT_EQ(to_bytes(ByteView(framed).subspan(2)), bytes(i)) << i;
      Bytes read;
      ASSERT_TRUE((is_initiators ? at_responder : at_initiator).decrypt(framed, read));
      EXPECT_EQ(read, payload(i));
    }
  }

  const boost::json::array& messages;
  End initiator;
  End responder;
};

FixedEntropy keys_of(const boost::json::value& handshake, const std::string& role) {
  Bytes drawn = hex_field(handshake, role + "Static");
  append(drawn, hex_field(handshake, role + "Ephemeral"));
  return FixedEntropy(drawn);
}

TEST(PublishedNoise, HandshakesAndTheirTransportAreReproduced) {
  const auto& handshakes = published_vectors().at("noise").at("handshakes").as_array();
  EXPECT_EQ(handshakes.size(), 4u);
  for (const auto& handshake : handshakes) {
    SCOPED_TRACE(text_field(handshake, "prologue"));
    Exchange exchange(handshake);
    ASSERT_EQ(exchange.messages.size(), 5u);
    ASSERT_NO_FATAL_FAILURE(exchange.message_1());
    ASSERT_NO_FATAL_FAILURE(exchange.message_2());
    ASSERT_NO_FATAL_FAILURE(exchange.message_3());
    ASSERT_NO_FATAL_FAILURE(exchange.transport());
  }
}

TEST(PublishedNoise, OurOwnHandshakeWritesTheirBytesUpToThePayload) {
  for (const auto& handshake : published_vectors().at("noise").at("handshakes").as_array()) {
    if (!text_field(handshake, "prologue").empty()) continue;
    Exchange theirs(handshake);
    Identity alice = identity_named("alice");
    FixedEntropy initiator_keys = keys_of(handshake, "initiator");
    NoiseHandshake initiator(NoiseRole::initiator, alice, {}, initiator_keys);
    Bytes message_1 = initiator.take_output();
    EXPECT_EQ(to_bytes(ByteView(message_1).subspan(2)), to_bytes(ByteView(theirs.bytes(0)).first(32)));

    FixedEntropy responder_keys = keys_of(handshake, "responder");
    NoiseHandshake responder(NoiseRole::responder, alice, {}, responder_keys);
    Bytes foreign{0, static_cast<std::uint8_t>(theirs.bytes(0).size())};
    append(foreign, theirs.bytes(0));
    responder.feed(foreign);
    Bytes message_2 = responder.take_output();
    ASSERT_GT(message_2.size(), 2 + 32 + kSealedKeyBytes);
    EXPECT_EQ(to_bytes(ByteView(message_2).subspan(2, 32 + kSealedKeyBytes)),
              to_bytes(ByteView(theirs.bytes(1)).first(32 + kSealedKeyBytes)));
  }
}

}  // namespace
}  // namespace kms::net
