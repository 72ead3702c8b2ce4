#include <algorithm>

#include "base/assert.h"
#include "net/noise.h"
#include "net/noise_payload.h"

namespace kms::net {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSealedKeyBytes = kKeyBytes + kNoiseTagBytes;

}  // namespace

NoiseHandshake::NoiseHandshake(NoiseRole role, const Identity& identity, NoiseOptions options, Entropy& entropy)
    : role_(role),
      identity_(identity),
      options_(std::move(options)),
      static_(NoiseKeyPair::random(entropy)),
      ephemeral_(NoiseKeyPair::random(entropy)) {
  if (role_ == NoiseRole::responder) return;
  symmetric_.mix_hash(ephemeral_.public_key());
  symmetric_.mix_hash({});  // message 1 has an empty payload
  queue(ephemeral_.public_key());
}

NoiseHandshake::State NoiseHandshake::feed(ByteView input) {
  if (state_ == State::failed) return state_;
  append(pending_, input);
  while (state_ == State::need_more && pending_.size() >= 2) {
    std::size_t length = static_cast<std::size_t>(pending_[0] << 8 | pending_[1]);
    Result<void> received;
    if (length > kNoiseHandshakeBytesMax) {
      received = error("noise: handshake message of " + std::to_string(length) + " bytes");
    } else {
      if (pending_.size() < 2 + length) return state_;
      received = receive(ByteView(pending_).subspan(2, length));
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(2 + length));
    }
    if (!received) {
      reason_ = received.error().message;
      output_.clear();
      pending_.clear();
      state_ = State::failed;
    }
  }
  return state_;
}

Result<void> NoiseHandshake::receive(ByteView message) {
  ++messages_seen_;
  if (role_ == NoiseRole::initiator) return read_message_2(message);
  return messages_seen_ == 1 ? read_message_1(message) : read_message_3(message);
}

// -> e
Result<void> NoiseHandshake::read_message_1(ByteView message) {
  if (message.size() < kKeyBytes) return error("noise: message 1 of " + std::to_string(message.size()) + " bytes");
  their_ephemeral_ = to_array<kKeyBytes>(message);
  symmetric_.mix_hash(their_ephemeral_);
  symmetric_.mix_hash(message.subspan(kKeyBytes));  // a payload here is unauthenticated: hashed, not read
  return write_message_2();
}

// <- e, ee, s, es
Result<void> NoiseHandshake::write_message_2() {
  Bytes message = to_bytes(ephemeral_.public_key());
  symmetric_.mix_hash(ephemeral_.public_key());
  auto ee = mix_agreement(ephemeral_, their_ephemeral_);
  if (!ee) return ee;
  symmetric_.encrypt_and_hash(static_.public_key(), message);
  auto es = mix_agreement(static_, their_ephemeral_);
  if (!es) return es;
  symmetric_.encrypt_and_hash(make_noise_payload(identity_, static_.public_key(), options_.muxers), message);
  queue(message);
  return {};
}

Result<void> NoiseHandshake::read_message_2(ByteView message) {
  if (message.size() < kKeyBytes + kSealedKeyBytes + kNoiseTagBytes) {
    return error("noise: message 2 of " + std::to_string(message.size()) + " bytes");
  }
  their_ephemeral_ = to_array<kKeyBytes>(message);
  symmetric_.mix_hash(their_ephemeral_);
  auto ee = mix_agreement(ephemeral_, their_ephemeral_);
  if (!ee) return ee;
  auto static_key = symmetric_.decrypt_and_hash(message.subspan(kKeyBytes, kSealedKeyBytes));
  if (!static_key) return static_key.error();
  their_static_ = to_array<kKeyBytes>(*static_key);
  auto es = mix_agreement(ephemeral_, their_static_);
  if (!es) return es;
  auto payload = symmetric_.decrypt_and_hash(message.subspan(kKeyBytes + kSealedKeyBytes));
  if (!payload) return payload.error();
  auto accepted = accept_payload(*payload);
  if (!accepted) return accepted;
  return write_message_3();
}

// -> s, se
Result<void> NoiseHandshake::write_message_3() {
  Bytes message;
  symmetric_.encrypt_and_hash(static_.public_key(), message);
  auto se = mix_agreement(static_, their_ephemeral_);
  if (!se) return se;
  symmetric_.encrypt_and_hash(make_noise_payload(identity_, static_.public_key(), options_.muxers), message);
  queue(message);
  state_ = State::done;
  return {};
}

Result<void> NoiseHandshake::read_message_3(ByteView message) {
  if (message.size() < kSealedKeyBytes + kNoiseTagBytes) {
    return error("noise: message 3 of " + std::to_string(message.size()) + " bytes");
  }
  auto static_key = symmetric_.decrypt_and_hash(message.first(kSealedKeyBytes));
  if (!static_key) return static_key.error();
  their_static_ = to_array<kKeyBytes>(*static_key);
  auto se = mix_agreement(ephemeral_, their_static_);
  if (!se) return se;
  auto payload = symmetric_.decrypt_and_hash(message.subspan(kSealedKeyBytes));
  if (!payload) return payload.error();
  auto accepted = accept_payload(*payload);
  if (!accepted) return accepted;
  state_ = State::done;
  return {};
}

Result<void> NoiseHandshake::mix_agreement(const NoiseKeyPair& ours, const ByteArray<32>& theirs) {
  auto shared = ours.agree(theirs);
  if (!shared) return shared.error();
  symmetric_.mix_key(*shared);
  return {};
}

// Nothing of the payload is used before all of this holds.
Result<void> NoiseHandshake::accept_payload(ByteView bytes) {
  auto payload = parse_noise_payload(bytes);
  if (!payload) return payload.error();
  auto key = verify_noise_payload(*payload, their_static_);
  if (!key) return key.error();
  PeerId peer = PeerId::of(*key);
  if (options_.expected_peer && *options_.expected_peer != peer) {
    return error("noise: expected " + options_.expected_peer->text() + ", " + peer.text() + " answered");
  }
  if (peer == identity_.peer_id()) return error("noise: the other end has our own PeerId " + peer.text());
  their_key_ = std::move(*key);
  their_muxers_ = std::move(payload->muxers);
  return {};
}

std::optional<std::string> NoiseHandshake::choose_muxer() const {
  const auto& preferred = role_ == NoiseRole::initiator ? options_.muxers : their_muxers_;
  const auto& other = role_ == NoiseRole::initiator ? their_muxers_ : options_.muxers;
  for (const std::string& muxer : preferred) {
    if (std::find(other.begin(), other.end(), muxer) != other.end()) return muxer;
  }
  return std::nullopt;
}

void NoiseHandshake::queue(ByteView message) {
  KMS_ASSERT(message.size() <= kNoiseHandshakeBytesMax);
  output_.push_back(static_cast<std::uint8_t>(message.size() >> 8));
  output_.push_back(static_cast<std::uint8_t>(message.size()));
  append(output_, message);
}

NoiseSession NoiseHandshake::take_session() {
  KMS_ASSERT(state_ == State::done && their_key_);
  auto [initiator_key, responder_key] = symmetric_.split();
  const auto& ours = role_ == NoiseRole::initiator ? initiator_key : responder_key;
  const auto& theirs = role_ == NoiseRole::initiator ? responder_key : initiator_key;
  PublicKey peer_key = std::move(*their_key_);
  their_key_.reset();
  PeerId peer = PeerId::of(peer_key);
  return NoiseSession{
      std::move(peer_key),        peer, choose_muxer(), symmetric_.hash(), NoiseSender(ours), NoiseReceiver(theirs),
      std::exchange(pending_, {})};
}

}  // namespace kms::net
