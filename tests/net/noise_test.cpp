#include "net/noise.h"

#include <functional>

#include <gtest/gtest.h>

#include "base/proto_wire.h"
#include "fixtures.h"
#include "net/noise_payload.h"
#include "net/protocols.h"

namespace kms::net {
namespace {

using HandshakeState = NoiseHandshake::State;

const boost::json::value& noise_vector() {
  return vectors().at("noise");
}

// The two private keys of one side, in the order in which a handshake draws them.
FixedEntropy keys_of(std::string_view side) {
  std::string name(side);
  Bytes drawn = hex_field(noise_vector().at(name + "Static"), "private");
  append(drawn, hex_field(noise_vector().at(name + "Ephemeral"), "private"));
  return FixedEntropy(drawn);
}

NoiseOptions offering(std::vector<std::string> muxers) {
  NoiseOptions options;
  options.muxers = std::move(muxers);
  return options;
}

// Two honest ends, alice dials bob.
struct Pair {
  Identity alice = identity_named("alice");
  Identity bob = identity_named("bob");
  SeededEntropy entropy{1};
  NoiseHandshake initiator;
  NoiseHandshake responder;

  explicit Pair(NoiseOptions of_alice = {}, NoiseOptions of_bob = {})
      : initiator(NoiseRole::initiator, alice, std::move(of_alice), entropy),
        responder(NoiseRole::responder, bob, std::move(of_bob), entropy) {}

  void run() {
    responder.feed(initiator.take_output());
    initiator.feed(responder.take_output());
    responder.feed(initiator.take_output());
  }
};

// A responder that sends whatever a test wants it to: its payload is made from its static key.
Bytes scripted_message_2(ByteView message_1, const std::function<Bytes(ByteView static_key)>& payload) {
  SeededEntropy entropy(2);
  NoiseKeyPair static_pair = NoiseKeyPair::random(entropy);
  NoiseKeyPair ephemeral = NoiseKeyPair::random(entropy);
  NoiseSymmetric symmetric;
  ByteView their_ephemeral = message_1.subspan(2, 32);
  symmetric.mix_hash(their_ephemeral);
  symmetric.mix_hash({});
  Bytes message = to_bytes(ephemeral.public_key());
  symmetric.mix_hash(ephemeral.public_key());
  symmetric.mix_key(ephemeral.agree(their_ephemeral).value());
  symmetric.encrypt_and_hash(static_pair.public_key(), message);
  symmetric.mix_key(static_pair.agree(their_ephemeral).value());
  symmetric.encrypt_and_hash(payload(static_pair.public_key()), message);
  Bytes frame{static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
  append(frame, message);
  return frame;
}

// Why alice, who expects bob, refuses a responder with this payload; empty if she does not.
std::string refusal_of(const std::function<Bytes(ByteView static_key)>& payload) {
  Identity alice = identity_named("alice");
  SeededEntropy entropy(3);
  NoiseOptions options;
  options.expected_peer = identity_named("bob").peer_id();
  NoiseHandshake initiator(NoiseRole::initiator, alice, options, entropy);
  initiator.feed(scripted_message_2(initiator.take_output(), payload));
  EXPECT_EQ(initiator.take_output().empty(), initiator.state() == HandshakeState::failed);
  return initiator.reason();
}

TEST(NoiseHandshake, ReproducesTheTranscriptOfJs) {
  Identity alice = identity_named("alice");
  Identity bob = identity_named("bob");
  FixedEntropy alice_keys = keys_of("initiator");
  FixedEntropy bob_keys = keys_of("responder");
  NoiseOptions of_alice = offering({std::string(kYamuxProtocol)});
  of_alice.expected_peer = bob.peer_id();
  NoiseHandshake initiator(NoiseRole::initiator, alice, of_alice, alice_keys);
  NoiseHandshake responder(NoiseRole::responder, bob, offering({std::string(kYamuxProtocol)}), bob_keys);

  Bytes message_1 = initiator.take_output();
  EXPECT_EQ(message_1, hex_field(noise_vector(), "message1"));
  EXPECT_EQ(responder.feed(message_1), HandshakeState::need_more);
  Bytes message_2 = responder.take_output();
  EXPECT_EQ(message_2, hex_field(noise_vector(), "message2"));
  EXPECT_EQ(initiator.feed(message_2), HandshakeState::done);
  Bytes message_3 = initiator.take_output();
  EXPECT_EQ(message_3, hex_field(noise_vector(), "message3"));
  EXPECT_EQ(responder.feed(message_3), HandshakeState::done);

  NoiseSession dialled = initiator.take_session();
  NoiseSession accepted = responder.take_session();
  EXPECT_EQ(dialled.peer, bob.peer_id());
  EXPECT_EQ(accepted.peer, alice.peer_id());
  EXPECT_EQ(dialled.muxer, std::string(kYamuxProtocol));
  EXPECT_EQ(accepted.muxer, std::string(kYamuxProtocol));
  EXPECT_EQ(to_bytes(dialled.handshake_hash), hex_field(noise_vector(), "handshakeHash"));
  EXPECT_EQ(accepted.handshake_hash, dialled.handshake_hash);
  for (const auto& frame : noise_vector().at("transport").as_array()) {
    std::string text = text_field(frame, "plaintextUtf8");
    Bytes read;
    ASSERT_TRUE(accepted.receiver.decrypt(hex_field(frame, "initiatorToResponder"), read));
    EXPECT_EQ(as_text(read), text);
    read.clear();
    ASSERT_TRUE(dialled.receiver.decrypt(hex_field(frame, "responderToInitiator"), read));
    EXPECT_EQ(as_text(read), text);
    if (text.empty()) continue;  // we send no empty messages
    Bytes sent;
    ASSERT_TRUE(dialled.sender.encrypt(as_bytes(text), sent));
    EXPECT_EQ(sent, hex_field(frame, "initiatorToResponder"));
    sent.clear();
    ASSERT_TRUE(accepted.sender.encrypt(as_bytes(text), sent));
    EXPECT_EQ(sent, hex_field(frame, "responderToInitiator"));
  }
}

TEST(NoisePayload, IsTheOneOfJs) {
  for (std::string role : {"initiator", "responder"}) {
    Identity identity = identity_named(text_field(noise_vector(), role));
    Bytes static_key = hex_field(noise_vector().at(role + "Static"), "public");
    Bytes payload = hex_field(noise_vector(), role + "Payload");
    EXPECT_EQ(make_noise_payload(identity, static_key, {std::string(kYamuxProtocol)}), payload);
    auto parsed = parse_noise_payload(payload);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->muxers, std::vector<std::string>{std::string(kYamuxProtocol)});
    EXPECT_EQ(verify_noise_payload(*parsed, static_key).value(), identity.public_key());
    EXPECT_TRUE(
        identity.public_key().verify(hex_field(noise_vector(), role + "SignedBytes"), parsed->identity_signature));
    std::string other = role == "initiator" ? "responder" : "initiator";
    EXPECT_FALSE(verify_noise_payload(*parsed, hex_field(noise_vector().at(other + "Static"), "public")));
    for (const char* pair : {"Static", "Ephemeral"}) {
      const auto& keys = noise_vector().at(role + pair);
      NoiseKeyPair ours(crypto::Secret<32>::copy_of(hex_field(keys, "private")));
      EXPECT_EQ(to_bytes(ours.public_key()), hex_field(keys, "public"));
    }
  }
}

TEST(NoiseHandshake, FinishesWhereverTheBytesAreCutAndKeepsWhatFollows) {
  Pair pair;
  Bytes to_responder = pair.initiator.take_output();
  Bytes to_initiator;
  for (int round = 0; round < 2000 && pair.responder.state() == HandshakeState::need_more; ++round) {
    if (!to_responder.empty()) {
      pair.responder.feed(ByteView(to_responder).first(1));
      to_responder.erase(to_responder.begin());
      append(to_initiator, pair.responder.take_output());
    }
    if (!to_initiator.empty()) {
      pair.initiator.feed(ByteView(to_initiator).first(1));
      to_initiator.erase(to_initiator.begin());
      append(to_responder, pair.initiator.take_output());
    }
  }
  ASSERT_EQ(pair.initiator.state(), HandshakeState::done);
  ASSERT_EQ(pair.responder.state(), HandshakeState::done);
  NoiseSession dialled = pair.initiator.take_session();
  Bytes early;
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("early"), early));
  EXPECT_EQ(pair.responder.feed(early), HandshakeState::done);
  NoiseSession accepted = pair.responder.take_session();
  EXPECT_EQ(accepted.leftover, early);
  Bytes read;
  ASSERT_TRUE(accepted.receiver.decrypt(accepted.leftover, read));
  EXPECT_EQ(as_text(read), "early");
}

TEST(NoiseHandshake, WorksWithEd25519Identities) {
  Identity carol = Identity::from_ed25519(crypto::Secret<32>(sha256(as_bytes("carol"))));
  Identity bob = identity_named("bob");
  SeededEntropy entropy(4);
  NoiseHandshake initiator(NoiseRole::initiator, carol, {}, entropy);
  NoiseHandshake responder(NoiseRole::responder, bob, {}, entropy);
  responder.feed(initiator.take_output());
  initiator.feed(responder.take_output());
  ASSERT_EQ(responder.feed(initiator.take_output()), HandshakeState::done);
  EXPECT_EQ(responder.take_session().peer, carol.peer_id());
}

TEST(NoiseHandshake, AgreesOnTheFirstMuxerOfTheInitiatorThatBothHave) {
  Pair both(offering({"/x", "/b", "/a"}), offering({"/a", "/b"}));
  both.run();
  EXPECT_EQ(both.initiator.take_session().muxer, "/b");
  EXPECT_EQ(both.responder.take_session().muxer, "/b");
}

TEST(NoiseHandshake, LeavesTheMuxerOpenUnlessBothOfferACommonOne) {
  const std::pair<std::vector<std::string>, std::vector<std::string>> offers[] = {
      {{}, {}}, {{"/a"}, {}}, {{}, {"/a"}}, {{"/a"}, {"/b"}}};
  for (const auto& [of_alice, of_bob] : offers) {
    Pair pair(offering(of_alice), offering(of_bob));
    pair.run();
    ASSERT_EQ(pair.responder.state(), HandshakeState::done);
    EXPECT_FALSE(pair.initiator.take_session().muxer);
    EXPECT_FALSE(pair.responder.take_session().muxer);
  }
}

TEST(NoiseHandshake, RefusesAnotherPeerThanTheOneDialled) {
  NoiseOptions options;
  options.expected_peer = identity_named("carol").peer_id();
  Pair pair(options);
  pair.run();
  EXPECT_EQ(pair.initiator.state(), HandshakeState::failed);
  EXPECT_EQ(pair.initiator.reason(), "noise: expected " + identity_named("carol").peer_id().text() + ", " +
                                         pair.bob.peer_id().text() + " answered");
  EXPECT_TRUE(pair.initiator.take_output().empty());
  EXPECT_EQ(pair.responder.state(), HandshakeState::need_more);
}

TEST(NoiseHandshake, RefusesOurOwnPeerIdInBothRoles) {
  Identity alice = identity_named("alice");
  Identity also_alice = identity_named("alice");
  SeededEntropy entropy(5);
  NoiseHandshake initiator(NoiseRole::initiator, alice, {}, entropy);
  initiator.feed(scripted_message_2(initiator.take_output(),
                                    [&](ByteView key) { return make_noise_payload(also_alice, key, {}); }));
  EXPECT_EQ(initiator.state(), HandshakeState::failed);
  EXPECT_EQ(initiator.reason(), "noise: the other end has our own PeerId " + alice.peer_id().text());
}

TEST(NoiseHandshake, RefusesPayloadsThatDoNotProveTheIdentity) {
  Identity bob = identity_named("bob");
  Identity mallory = identity_named("mallory");
  EXPECT_EQ(refusal_of([&](ByteView key) { return make_noise_payload(bob, key, {}); }), "");
  const std::string wrong = "noise: the identity's signature over the static key is wrong";
  EXPECT_EQ(refusal_of([&](ByteView) { return make_noise_payload(bob, Bytes(32, 1), {}); }), wrong);
  EXPECT_EQ(refusal_of([&](ByteView key) {
              ProtoWriter writer;
              writer.bytes(1, bob.public_key().encoded());
              writer.bytes(2, mallory.sign(key));
              return writer.take();
            }),
            wrong);
  EXPECT_EQ(refusal_of([&](ByteView key) {
              ProtoWriter writer;
              writer.bytes(1, bob.public_key().encoded());
              writer.bytes(2, bob.sign(key));  // without the prefix
              return writer.take();
            }),
            wrong);
  EXPECT_EQ(refusal_of([&](ByteView) { return Bytes{}; }),
            "noise: the handshake payload lacks the identity key or its signature");
  EXPECT_EQ(refusal_of([&](ByteView) { return unhex("0a05"); }), "noise: the handshake payload is malformed");
  EXPECT_NE(refusal_of([&](ByteView key) {
              ProtoWriter writer;
              writer.bytes(1, as_bytes("no key"));
              writer.bytes(2, bob.sign(key));
              return writer.take();
            }),
            "");
}

TEST(NoisePayload, IgnoresMuxerListsOverTheLimits) {
  Identity bob = identity_named("bob");
  Bytes key(32, 1);
  auto muxers_after = [&](const std::vector<std::string>& sent) {
    return parse_noise_payload(make_noise_payload(bob, key, sent)).value().muxers.size();
  };
  EXPECT_EQ(muxers_after(std::vector<std::string>(100, "/a")), 100u);
  EXPECT_EQ(muxers_after(std::vector<std::string>(101, "/a")), 0u);
  EXPECT_EQ(muxers_after({"/a", std::string(256, 'x')}), 2u);
  EXPECT_EQ(muxers_after({"/a", std::string(257, 'x'), "/b"}), 0u);
  Bytes payload = make_noise_payload(bob, key, {});
  append(payload, unhex("22021205"));
  EXPECT_FALSE(parse_noise_payload(payload)) << "extensions cut off";
}

TEST(NoiseHandshake, RefusesEveryFlippedByteOfMessages2And3) {
  std::size_t size_2 = 0;
  {
    Pair pair;
    pair.responder.feed(pair.initiator.take_output());
    size_2 = pair.responder.take_output().size();
  }
  for (std::size_t at = 2; at < size_2; ++at) {
    Pair pair;
    pair.responder.feed(pair.initiator.take_output());
    Bytes message = pair.responder.take_output();
    message[at] ^= 0x80;
    ASSERT_EQ(pair.initiator.feed(message), HandshakeState::failed) << at;
    ASSERT_TRUE(pair.initiator.take_output().empty());
  }
  for (std::size_t at = 2; at < size_2 - 34; ++at) {
    Pair pair;
    pair.responder.feed(pair.initiator.take_output());
    pair.initiator.feed(pair.responder.take_output());
    Bytes message = pair.initiator.take_output();
    message[at % (message.size() - 2) + 2] ^= 0x01;
    ASSERT_EQ(pair.responder.feed(message), HandshakeState::failed) << at;
  }
}

TEST(NoiseHandshake, RefusesTruncatedAndOversizedMessages) {
  Identity bob = identity_named("bob");
  SeededEntropy entropy(6);
  for (std::string_view input :
       {"0000", "001f00000000000000000000000000000000000000000000000000000000000000", "1001"}) {
    NoiseHandshake responder(NoiseRole::responder, bob, {}, entropy);
    EXPECT_EQ(responder.feed(unhex(input)), HandshakeState::failed) << input;
    EXPECT_TRUE(responder.take_output().empty());
    EXPECT_EQ(responder.feed(Bytes(64, 1)), HandshakeState::failed);
  }
  for (std::size_t kept : {0u, 31u, 79u, 95u, 150u}) {
    Pair pair;
    pair.responder.feed(pair.initiator.take_output());
    Bytes message = pair.responder.take_output();
    message.resize(2 + kept);
    message[0] = 0;
    message[1] = static_cast<std::uint8_t>(kept);
    EXPECT_EQ(pair.initiator.feed(message), HandshakeState::failed) << kept;
  }
  for (std::size_t kept : {0u, 47u, 63u, 150u}) {
    Pair pair;
    pair.responder.feed(pair.initiator.take_output());
    pair.initiator.feed(pair.responder.take_output());
    Bytes message = pair.initiator.take_output();
    message.resize(2 + kept);
    message[0] = 0;
    message[1] = static_cast<std::uint8_t>(kept);
    EXPECT_EQ(pair.responder.feed(message), HandshakeState::failed) << kept;
  }
}

TEST(NoiseHandshake, HashesAndIgnoresAPayloadInMessage1) {
  Pair pair;
  Bytes message = pair.initiator.take_output();
  message.push_back(0x55);
  message[1] = 33;
  EXPECT_EQ(pair.responder.feed(message), HandshakeState::need_more);
  // The hashes differ now, so the honest initiator refuses what follows.
  EXPECT_EQ(pair.initiator.feed(pair.responder.take_output()), HandshakeState::failed);
}

TEST(NoiseHandshake, RefusesEphemeralKeysOfSmallOrder) {
  Bytes zero = unhex("0020");
  zero.resize(34, 0);
  Bytes one = zero;
  one[2] = 1;
  for (const Bytes& message : {zero, one}) {
    Pair pair;
    EXPECT_EQ(pair.responder.feed(message), HandshakeState::failed);
    EXPECT_EQ(pair.responder.reason(), "noise: the other end's X25519 key has small order");
    EXPECT_TRUE(pair.responder.take_output().empty());
  }
  Pair pair;
  pair.responder.feed(pair.initiator.take_output());
  Bytes message_2 = pair.responder.take_output();
  std::fill(message_2.begin() + 2, message_2.begin() + 34, std::uint8_t{0});
  EXPECT_EQ(pair.initiator.feed(message_2), HandshakeState::failed);
  EXPECT_EQ(pair.initiator.reason(), "noise: the other end's X25519 key has small order");
}

TEST(NoiseTransport, CarriesAnySizeInFramesOfTheMaximum) {
  Pair pair;
  pair.run();
  NoiseSession dialled = pair.initiator.take_session();
  NoiseSession accepted = pair.responder.take_session();
  for (std::size_t size :
       {std::size_t{0}, std::size_t{1}, kNoisePlaintextBytesMax, kNoisePlaintextBytesMax + 1, std::size_t{1} << 20}) {
    Bytes plaintext(size);
    SeededEntropy(size).fill(MutableByteView(plaintext).first(std::min<std::size_t>(size, 1000)));
    Bytes sent;
    ASSERT_TRUE(dialled.sender.encrypt(plaintext, sent));
    std::size_t frames = (size + kNoisePlaintextBytesMax - 1) / kNoisePlaintextBytesMax;
    EXPECT_EQ(sent.size(), size + frames * 18);
    Bytes read;
    for (ByteView rest = sent; !rest.empty();) {  // in odd pieces
      ByteView piece = rest.first(std::min<std::size_t>(rest.size(), 7919));
      ASSERT_TRUE(accepted.receiver.decrypt(piece, read));
      rest = rest.subspan(piece.size());
    }
    EXPECT_TRUE(read == plaintext) << size;
    EXPECT_TRUE(accepted.receiver.at_frame_border());
  }
}

TEST(NoiseTransport, EndsForGoodAtAWrongTag) {
  Pair pair;
  pair.run();
  NoiseSession dialled = pair.initiator.take_session();
  NoiseSession accepted = pair.responder.take_session();
  Bytes sent;
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("first"), sent));
  std::size_t border = sent.size();
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("second"), sent));
  Bytes third;
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("third"), third));
  sent[border + 2] ^= 1;
  Bytes read;
  EXPECT_FALSE(accepted.receiver.decrypt(sent, read));
  EXPECT_EQ(as_text(read), "first");
  EXPECT_FALSE(accepted.receiver.decrypt(third, read));
  EXPECT_EQ(as_text(read), "first");
}

TEST(NoiseTransport, RefusesReplayedAndShortFrames) {
  Pair pair;
  pair.run();
  NoiseSession dialled = pair.initiator.take_session();
  NoiseSession accepted = pair.responder.take_session();
  Bytes sent;
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("once"), sent));
  Bytes read;
  ASSERT_TRUE(accepted.receiver.decrypt(sent, read));
  EXPECT_FALSE(accepted.receiver.decrypt(sent, read));
  EXPECT_EQ(as_text(read), "once");
  Bytes reply;
  EXPECT_FALSE(dialled.receiver.decrypt(unhex("000f000000000000000000000000000000"), reply));
}

TEST(NoiseTransport, KnowsAFrameThatIsCutOff) {
  Pair pair;
  pair.run();
  NoiseSession dialled = pair.initiator.take_session();
  NoiseSession accepted = pair.responder.take_session();
  Bytes sent;
  ASSERT_TRUE(dialled.sender.encrypt(as_bytes("cut"), sent));
  Bytes read;
  ASSERT_TRUE(accepted.receiver.decrypt(ByteView(sent).first(sent.size() - 1), read));
  EXPECT_FALSE(accepted.receiver.at_frame_border());
  EXPECT_TRUE(read.empty());
}

}  // namespace
}  // namespace kms::net
