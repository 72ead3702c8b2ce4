// libp2p's /noise: the Noise_XX_25519_ChaChaPoly_SHA256 handshake and the encrypted transport behind it, as bytes in
// and bytes out (libp2p noise specification). Every Noise message travels as u16 BE length || message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/identity.h"
#include "net/noise_cipher.h"

namespace kms::net {

inline constexpr std::string_view kNoiseProtocol = "/noise";
inline constexpr std::size_t kNoiseFrameBytesMax = 65535;      // ciphertext of one frame
inline constexpr std::size_t kNoisePlaintextBytesMax = 65519;  // plaintext of one frame
inline constexpr std::size_t kNoiseHandshakeBytesMax = 4096;   // one handshake message

// Our direction of the transport.
class NoiseSender {
 public:
  explicit NoiseSender(const crypto::Secret<32>& key) : cipher_(key, NoiseCipher::Direction::encrypt) {}
  // Appends the frames to `out`: as many as it takes, none for nothing. An error (keys used up): close the connection.
  Result<void> encrypt(ByteView plaintext, Bytes& out);

 private:
  NoiseCipher cipher_;
};

// Their direction. Keeps at most one incomplete frame.
class NoiseReceiver {
 public:
  explicit NoiseReceiver(const crypto::Secret<32>& key) : cipher_(key, NoiseCipher::Direction::decrypt) {}
  // Takes any piece of the stream and appends the plaintext of the frames it completes to `out`. Empty messages add
  // nothing. A frame under 16 bytes or with a wrong tag: an error, for good; close the connection without a reply.
  Result<void> decrypt(ByteView input, Bytes& out);
  // Whether the stream may end here: not within a frame.
  bool at_frame_border() const { return partial_.empty(); }

 private:
  Result<void> open_frame(ByteView sealed, Bytes& out);

  NoiseCipher cipher_;
  Bytes partial_;  // length and the part of the frame so far
  bool broken_ = false;
};

enum class NoiseRole { initiator, responder };

struct NoiseOptions {
  // Whom we dialled: the handshake fails if somebody else answers. Responders usually leave it empty.
  std::optional<PeerId> expected_peer;
  // Offered inside the handshake, best first; empty: no early muxer, it is negotiated afterwards.
  std::vector<std::string> muxers;
};

// What a finished handshake leaves.
struct NoiseSession {
  PublicKey peer_key;
  PeerId peer;
  std::optional<std::string> muxer;  // the agreed one; nothing: negotiate it over the channel, the dialler proposes
  Hash32 handshake_hash;             // equal on both ends, unique to this channel
  NoiseSender sender;
  NoiseReceiver receiver;
  Bytes leftover;  // bytes behind the handshake: feed them to `receiver` first
};

//   initiator:  (message 1 out) -> awaiting 2 -> message 3 out, done
//   responder:  awaiting 1 -> message 2 out -> awaiting 3 -> done
// Everything about the other end is verified before `done`: the signature over their static key, the expected PeerId,
// and that it is not our own. Entropy is drawn in the constructor only: 32 bytes static, then 32 bytes ephemeral.
class NoiseHandshake {
 public:
  enum class State { need_more, done, failed };

  // `identity` outlives the handshake.
  NoiseHandshake(NoiseRole role, const Identity& identity, NoiseOptions options, Entropy& entropy);

  // Input may be cut anywhere. After `failed` it is ignored; after `done` it is leftover.
  State feed(ByteView input);
  State state() const { return state_; }
  // What to write now: before reading on, and before the transport's own bytes. Empty after a failure.
  Bytes take_output() { return std::exchange(output_, {}); }
  const std::string& reason() const { return reason_; }  // when failed
  // When done, once.
  NoiseSession take_session();

 private:
  Result<void> receive(ByteView message);
  Result<void> read_message_1(ByteView message);
  Result<void> write_message_2();
  Result<void> read_message_2(ByteView message);
  Result<void> write_message_3();
  Result<void> read_message_3(ByteView message);
  Result<void> mix_agreement(const NoiseKeyPair& ours, const ByteArray<32>& theirs);
  Result<void> accept_payload(ByteView payload);
  std::optional<std::string> choose_muxer() const;
  void queue(ByteView message);

  NoiseRole role_;
  const Identity& identity_;
  NoiseOptions options_;
  NoiseKeyPair static_;
  NoiseKeyPair ephemeral_;
  NoiseSymmetric symmetric_;
  ByteArray<32> their_static_{};
  ByteArray<32> their_ephemeral_{};
  std::optional<PublicKey> their_key_;
  std::vector<std::string> their_muxers_;
  int messages_seen_ = 0;  // of the other end
  State state_ = State::need_more;
  std::string reason_;
  Bytes pending_;
  Bytes output_;
};

}  // namespace kms::net
