#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/io/os_entropy.h"
#include "bench/delegation.h"
#include "bench/output.h"
#include "bench/stopwatch.h"
#include "crypto/aead.h"
#include "crypto/dleq.h"
#include "crypto/hkdf.h"
#include "crypto/rsa_oaep.h"
#include "crypto/sealing.h"
#include "net/noise.h"
#include "net/pubsub_message.h"

namespace kms::bench {
namespace {

using namespace crypto;

void time_curve(Stopwatch& watch, Entropy& entropy) {
  auto secret = SecretScalar::random(entropy);
  Scalar scalar = SecretScalar::random(entropy).publish();
  Point point = multiply_generator(SecretScalar::random(entropy)).point();
  watch.time("multiply, secret (ECDH)", [&] { keep(multiply_secretly(secret, point)); });
  watch.time("multiply generator, secret", [&] { keep(multiply_generator(secret)); });
  watch.time("multiply, public", [&] { keep(multiply(scalar, Element(point))); });
  watch.time("multiply_add, public", [&] { keep(multiply_add(scalar, scalar, point)); });
  watch.time("parse a point", [&, bytes = point.bytes()] { keep(Point::parse(bytes)); });

  Hash32 message{1};
  Hash32 random = entropy.array<32>();
  const Point& generator = Point::generator();
  DleqStatement statement{multiply_generator(secret).point(), point, multiply(secret, point).point(), generator,
                          message};
  watch.time("dleq prove, self-check",
             [&] { keep(prove_dleq(secret, point, random, generator, message, SelfCheck::on)); });
  watch.time("dleq prove, no self-check",
             [&] { keep(prove_dleq(secret, point, random, generator, message, SelfCheck::off)); });
  watch.time("dleq prove, known statement, no self-check",
             [&] { keep(prove_dleq(secret, statement, random, SelfCheck::off)); });
  auto proof = *prove_dleq(secret, statement, random);
  watch.time("dleq verify", [&] { keep(verify_dleq(statement, proof)); });

  NodeKey key = NodeKey::generate(entropy);
  RecoverableSignature signature = key.sign(message);
  watch.time("ecdsa sign, recoverable", [&] { keep(key.sign(message)); });
  watch.time("ecdsa recover", [&] { keep(recover(signature, message)); });
}

void time_symmetric(Stopwatch& watch, Entropy& entropy) {
  Bytes plaintext(97);
  entropy.fill(plaintext);
  auto key = entropy.array<32>();
  ByteArray<12> nonce{};
  watch.time("sha256, 64 bytes", [&] { keep(sha256(ByteView(plaintext).first(64))); });
  watch.time("keccak256, 64 bytes", [&] { keep(keccak256(ByteView(plaintext).first(64))); });
  watch.time("hkdf, 44 bytes", [&] { keep(hkdf_sha256(key, plaintext, plaintext, 44)); });
  Bytes sealed = aead_seal(key, nonce, {}, plaintext);
  watch.time("aes-256-gcm seal, 97 bytes", [&] { keep(aead_seal(key, nonce, {}, plaintext)); });
  watch.time("aes-256-gcm open, 97 bytes", [&] { keep(aead_open(key, nonce, {}, sealed)); });
}

void time_rsa(Stopwatch& watch, Entropy& entropy) {
  Bytes spki = RsaPrivateKey::generate(2048).public_spki();
  Bytes plaintext(32, 7);
  auto key = RsaPublicKey::parse_spki(spki).value();
  watch.time("rsa-2048 parse spki", [&] { keep(RsaPublicKey::parse_spki(spki)); });
  watch.time("rsa-2048 oaep encrypt", [&] { keep(key.encrypt_oaep(plaintext, {}, entropy)); });
  watch.time("rsa-2048 parse spki and oaep encrypt",
             [&] { keep(RsaPublicKey::parse_spki(spki).value().encrypt_oaep(plaintext, {}, entropy)); });
}

void time_shares(Stopwatch& watch, Entropy& entropy) {
  for (std::size_t t : {3, 33}) {
    std::vector<Position> positions;
    for (std::size_t i = 1; i <= t; ++i) positions.push_back(static_cast<Position>(3 * i));
    std::string suffix = ", t = " + std::to_string(t);
    watch.time("lagrange coefficients" + suffix, [&] { keep(lagrange_coefficients(positions)); });
    LagrangeCache cache;
    watch.time("lagrange coefficients, cached" + suffix, [&] { keep(cache.at_zero(positions)); });
    std::vector<Element> partials;
    for (std::size_t i = 0; i < t; ++i) partials.push_back(multiply_generator(SecretScalar::random(entropy)));
    const auto& coefficients = cache.at_zero(positions);
    watch.time("combine" + suffix, [&] { keep(combine(coefficients, partials)); });
  }
}

// Whole jobs of form A, as the compute pool runs them.
void time_jobs(Stopwatch& watch, Entropy& entropy) {
  DelegationWorld world(5, 3, RequestSize::rsa_2048, entropy);
  auto admit = world.admit(0);
  watch.time("admit job (entry)", [&] { world.run(world.admit_job(0)); });
  auto first = world.answer(admit, 1, nullptr);
  watch.time("answer job, cached reply secret (responder)", [&] { keep(world.answer(admit, 1, first.sealing)); });
  watch.time("answer job, new reply key (responder)", [&] { keep(world.answer(admit, 1, nullptr)); });
  auto opened = world.open(admit, first.sealed, nullptr);
  watch.time("open job, cached reply secret (entry)", [&] { keep(world.open(admit, first.sealed, opened.opening)); });
  watch.time("open job, new member (entry)", [&] { keep(world.open(admit, first.sealed, nullptr)); });
  auto second = world.answer(admit, 2, nullptr);
  auto other = world.open(admit, second.sealed, nullptr);
  auto quorum = world.quorum(admit, opened, other);
  watch.time("finish job, t = 3 (entry)", [&] { keep(world.finish(admit, quorum)); });
}

void time_net(Stopwatch& watch, Entropy& entropy) {
  auto identity = net::Identity::generate(entropy);
  auto message = net::make_signed(identity, "/kms/bench/requests/1", Bytes(1600, 7), 1);
  std::uint64_t seqno = 1;
  watch.time("pubsub StrictSign sign, 1600 bytes",
             [&] { keep(net::make_signed(identity, "/kms/bench/requests/1", Bytes(1600, 7), ++seqno)); });
  watch.time("pubsub StrictSign verify, 1600 bytes",
             [&] { keep(net::verify_signature(message, identity.public_key())); });
  auto key = Secret<32>::random(entropy);
  Bytes plaintext(1024, 7);
  Bytes out;
  net::NoiseSender sender(key);
  watch.time("noise encrypt, 1 KiB", [&] {
    out.clear();
    keep(sender.encrypt(plaintext, out));
  });
  // A receiver takes every frame once, in order.
  constexpr std::size_t kFrames = 256;
  net::NoiseSender other(key);
  std::vector<Bytes> frames(kFrames);
  for (Bytes& frame : frames) (void)other.encrypt(plaintext, frame);
  Stopwatch inner;
  inner.time("", [&] {
    net::NoiseReceiver receiver(key);
    for (const Bytes& frame : frames) {
      out.clear();
      keep(receiver.decrypt(frame, out));
    }
  });
  watch.add("noise decrypt, 1 KiB", inner.readings().front().microseconds / kFrames);
}

}  // namespace

void run_primitives(Output output) {
  io::OsEntropy entropy;
  Stopwatch watch;
  time_curve(watch, entropy);
  time_symmetric(watch, entropy);
  time_rsa(watch, entropy);
  time_shares(watch, entropy);
  time_jobs(watch, entropy);
  time_net(watch, entropy);
  watch.time("argon2id, 64 MiB, t = 3", [&] { keep(derive_key(as_bytes("passphrase"), PassphraseParameters())); });

  if (output == Output::json) {
    boost::json::object all;
    for (const auto& reading : watch.readings()) all[reading.name] = reading.microseconds;
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"microseconds", std::move(all)}}).c_str());
    return;
  }
  for (const auto& reading : watch.readings()) {
    std::printf("%-48s %12.2f us\n", reading.name.c_str(), reading.microseconds);
  }
}

}  // namespace kms::bench
