// What libp2p carries inside the Noise handshake: who owns the static key, and which muxers an end offers.
#pragma once

#include <string>
#include <vector>

#include "net/identity.h"

namespace kms::net {

inline constexpr std::string_view kNoiseSignaturePrefix = "noise-libp2p-static-key:";
inline constexpr std::size_t kNoiseMuxersMax = 100;
inline constexpr std::size_t kNoiseMuxerNameMax = 256;

// NoiseHandshakePayload { bytes identity_key=1; bytes identity_sig=2; NoiseExtensions extensions=4; }
// NoiseExtensions { repeated bytes webtransport_certhashes=1; repeated string stream_muxers=2; }
struct NoisePayload {
  Bytes identity_key;
  Bytes identity_signature;
  std::vector<std::string> muxers;  // empty: not offered, or over a limit and so ignored whole
};

// Signs `static_key` with the identity.
Bytes make_noise_payload(const Identity& identity, ByteView static_key32, const std::vector<std::string>& muxers);
// Both fields of the identity are present; unknown fields are skipped. Checks no signature.
Result<NoisePayload> parse_noise_payload(ByteView bytes);
// The key, if it decodes and its signature covers `static_key`.
Result<PublicKey> verify_noise_payload(const NoisePayload& payload, ByteView static_key32);

}  // namespace kms::net
