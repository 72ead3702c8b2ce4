// net/: Noise XX. A stranger's messages never authenticate; a change of any byte between two honest ends is noticed;
// the transport gives out what was put in, however it is cut.
#include "net/noise.h"
#include "net/noise_payload.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

const Identity& noise_identity(std::uint64_t name) {
  auto make = [](std::uint64_t seed) {
    sim::Random entropy(seed);
    return Identity::generate(entropy);
  };
  static const std::array<Identity, 2> all{make(1), make(2)};
  return all[name];
}

struct Pair {
  sim::Random entropy{5};
  NoiseHandshake dialler{NoiseRole::initiator, noise_identity(0), {std::nullopt, {"/yamux/1.0.0"}}, entropy};
  NoiseHandshake listener{NoiseRole::responder, noise_identity(1), {std::nullopt, {"/yamux/1.0.0"}}, entropy};
};

// Message 1, 2 or 3 replaced by the fuzzer's bytes.
void check_foreign_message(std::uint8_t which, ByteView message, std::uint64_t seed) {
  Pair pair;
  NoiseHandshake* victim = &pair.listener;
  if (which % 3 != 0) {
    pair.listener.feed(pair.dialler.take_output());
    victim = &pair.dialler;
  }
  if (which % 3 == 2) {
    pair.dialler.feed(pair.listener.take_output());
    victim = &pair.listener;
  }
  fuzz::feed_in_pieces(message, seed, 700, [&](ByteView piece) { victim->feed(piece); });
  KMS_ASSERT(victim->state() != NoiseHandshake::State::done);
  KMS_ASSERT(victim->take_output().size() <= 2 * kNoiseHandshakeBytesMax);
}

// An honest handshake in which one byte of one message changes: nobody who read it ends up done.
void check_changed_message(std::uint8_t which, std::size_t at, std::uint8_t change) {
  Pair pair;
  for (int message = 0; message < 3; ++message) {
    NoiseHandshake& from = message % 2 == 0 ? pair.dialler : pair.listener;
    NoiseHandshake& to = message % 2 == 0 ? pair.listener : pair.dialler;
    Bytes bytes = from.take_output();
    if (message == which % 3) bytes[at % bytes.size()] ^= change;
    to.feed(bytes);
  }
  bool both = pair.dialler.state() == NoiseHandshake::State::done && pair.listener.state() == pair.dialler.state();
  KMS_ASSERT(both == (change == 0));
}

void check_transport(ByteView input, std::uint64_t seed) {
  crypto::Secret<32> key;
  NoiseReceiver stranger(key);
  Bytes ignored;
  bool failed = false;
  fuzz::feed_in_pieces(input, seed, 100, [&](ByteView piece) {
    auto result = stranger.decrypt(piece, ignored);
    KMS_ASSERT(!failed || !result);
    failed = !result;
  });
  KMS_ASSERT(ignored.empty());

  NoiseSender sender(key);
  NoiseReceiver receiver(key);
  Bytes sealed;
  Bytes opened;
  KMS_ASSERT(sender.encrypt(input, sealed).has_value() && sender.encrypt(input, sealed).has_value());
  fuzz::feed_in_pieces(sealed, seed, 1 + seed * 16,
                       [&](ByteView piece) { KMS_ASSERT(receiver.decrypt(piece, opened).has_value()); });
  Bytes expected = to_bytes(input);
  append(expected, input);
  KMS_ASSERT(opened == expected && receiver.at_frame_border());
}

}  // namespace

KMS_FUZZER(net_noise) {
  fuzz::Input in(input);
  std::uint8_t which = in.byte();
  std::uint64_t seed = in.byte();
  std::size_t at = in.word();
  std::uint8_t change = in.byte();
  ByteView rest = in.rest();
  if (which & 0x80) {
    check_changed_message(which, at, change);
  } else {
    check_foreign_message(which, rest, seed);
  }
  check_transport(rest, seed);
  if (auto payload = parse_noise_payload(rest)) {
    KMS_ASSERT(payload->muxers.size() <= kNoiseMuxersMax);
    KMS_ASSERT(!verify_noise_payload(*payload, Hash32{}));
  }
}
