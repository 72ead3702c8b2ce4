// From a raw byte channel to an encrypted one with a muxer: multistream -> Noise -> admission -> muxer. Bytes in,
// bytes out; no time (the connection keeps the deadline).
//
//   security --(/noise agreed)--> handshake --(peer proved)--> authenticated --admit()--> muxer --> done
//                                                                          (agreed in Noise) -----> done
//   any --> failed: nothing more is written, the channel is to be closed
#pragma once

#include <optional>

#include "net/close_cause.h"
#include "net/negotiation.h"
#include "net/noise.h"

namespace kms::net {

enum class Direction : std::uint8_t { outbound, inbound };  // outbound: we dialled

enum class EarlyMuxer : std::uint8_t { offered, withheld };  // inside the Noise payload

struct UpgradeOptions {
  std::optional<PeerId> expected_peer;  // of a dial; anyone else fails the handshake
  EarlyMuxer early_muxer = EarlyMuxer::offered;
};

class Upgrade {
 public:
  enum class State : std::uint8_t { security, handshake, authenticated, muxer, done, failed };
  // What an upgraded channel is made of; `leftover` is plaintext that already arrived for the muxer.
  struct Channel {
    NoiseSender sender;
    NoiseReceiver receiver;
    Bytes leftover;
  };

  static constexpr std::size_t kHeldBytesMax = 256 * 1024;  // arrived before `admit`

  // `identity` outlives the upgrade.
  Upgrade(Direction direction, const Identity& identity, UpgradeOptions options, Entropy& entropy);

  State feed(ByteView input);
  // Goes on after `authenticated`.
  State admit();
  State state() const { return state_; }
  bool has_output() const { return !output_.empty(); }
  Bytes take_output() { return std::exchange(output_, {}); }

  // From `authenticated` on.
  const PeerId& peer() const { return session_->peer; }
  const PublicKey& peer_key() const { return session_->peer_key; }
  bool has_early_muxer() const { return session_->muxer.has_value(); }
  // When failed.
  const CloseCause& cause() const { return cause_; }
  // When done, once.
  Channel take_channel();

 private:
  State feed_security(ByteView input);
  State feed_handshake(ByteView input);
  State feed_muxer(ByteView sealed);
  State settle_muxer(NegotiationState negotiated);
  void write_plaintext(ByteView plaintext);
  State fail(CloseReason reason, std::string text);

  Direction direction_;
  State state_ = State::security;
  Negotiation negotiation_;
  NoiseHandshake handshake_;
  std::optional<NoiseSession> session_;
  Bytes held_;  // ciphertext that arrived before `admit`
  Bytes leftover_;
  Bytes output_;
  CloseCause cause_;
};

}  // namespace kms::net
