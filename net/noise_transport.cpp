#include <algorithm>

#include "net/noise.h"

namespace kms::net {
namespace {

constexpr std::size_t kLengthBytes = 2;

std::size_t frame_length(ByteView bytes) {
  return static_cast<std::size_t>(bytes[0] << 8 | bytes[1]);
}

}  // namespace

Result<void> NoiseSender::encrypt(ByteView plaintext, Bytes& out) {
  std::size_t frames = (plaintext.size() + kNoisePlaintextBytesMax - 1) / kNoisePlaintextBytesMax;
  std::size_t needed = out.size() + plaintext.size() + frames * (kLengthBytes + kNoiseTagBytes);
  // Exact growth would copy everything again for every call into one buffer.
  if (needed > out.capacity()) out.reserve(std::max(needed, out.capacity() * 2));
  while (!plaintext.empty()) {
    ByteView piece = plaintext.first(std::min(plaintext.size(), kNoisePlaintextBytesMax));
    std::size_t length = piece.size() + kNoiseTagBytes;
    out.push_back(static_cast<std::uint8_t>(length >> 8));
    out.push_back(static_cast<std::uint8_t>(length));
    auto sealed = cipher_.seal({}, piece, out);
    if (!sealed) return sealed;
    plaintext = plaintext.subspan(piece.size());
  }
  return {};
}

Result<void> NoiseReceiver::decrypt(ByteView input, Bytes& out) {
  if (broken_) return error("noise: the stream is broken");
  while (!input.empty()) {
    // Whole frames are opened where they lie; only a cut one is collected first.
    if (partial_.empty() && input.size() >= kLengthBytes && input.size() >= kLengthBytes + frame_length(input)) {
      std::size_t length = frame_length(input);
      auto opened = open_frame(input.subspan(kLengthBytes, length), out);
      if (!opened) return opened;
      input = input.subspan(kLengthBytes + length);
      continue;
    }
    std::size_t wanted = partial_.size() < kLengthBytes ? kLengthBytes : kLengthBytes + frame_length(partial_);
    std::size_t taken = std::min(wanted - partial_.size(), input.size());
    append(partial_, input.first(taken));
    input = input.subspan(taken);
    if (partial_.size() < kLengthBytes || partial_.size() < kLengthBytes + frame_length(partial_)) continue;
    auto opened = open_frame(ByteView(partial_).subspan(kLengthBytes), out);
    if (!opened) return opened;
    partial_.clear();
  }
  return {};
}

Result<void> NoiseReceiver::open_frame(ByteView sealed, Bytes& out) {
  auto opened = cipher_.open({}, sealed, out);
  if (!opened) broken_ = true;
  return opened;
}

}  // namespace kms::net
