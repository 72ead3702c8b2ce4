#include "net/upgrade.h"

#include "base/assert.h"
#include "net/protocols.h"

namespace kms::net {

namespace {

Negotiation negotiate(Direction direction, std::string_view protocol) {
  std::vector<std::string> protocols{std::string(protocol)};
  return direction == Direction::outbound ? Negotiation::propose(std::move(protocols))
                                          : Negotiation::answer(std::move(protocols));
}

NoiseOptions noise_options(UpgradeOptions options) {
  NoiseOptions out;
  out.expected_peer = std::move(options.expected_peer);
  if (options.early_muxer == EarlyMuxer::offered) out.muxers = {std::string(kYamuxProtocol)};
  return out;
}

}  // namespace

Upgrade::Upgrade(Direction direction, const Identity& identity, UpgradeOptions options, Entropy& entropy)
    : direction_(direction),
      negotiation_(negotiate(direction, kNoiseProtocol)),
      handshake_(direction == Direction::outbound ? NoiseRole::initiator : NoiseRole::responder, identity,
                 noise_options(std::move(options)), entropy) {
  output_ = negotiation_.take_output();
}

Upgrade::State Upgrade::feed(ByteView input) {
  switch (state_) {
    case State::security:
      return feed_security(input);
    case State::handshake:
      return feed_handshake(input);
    case State::authenticated:
      if (held_.size() + input.size() > kHeldBytesMax) {
        return fail(CloseReason::protocol_violation, "sent too much before the upgrade was finished");
      }
      append(held_, input);
      return state_;
    case State::muxer:
      return feed_muxer(input);
    case State::done:
    case State::failed:
      return state_;
  }
  return state_;
}

Upgrade::State Upgrade::feed_security(ByteView input) {
  const NegotiationState negotiated = negotiation_.feed(input);
  append(output_, negotiation_.take_output());
  if (negotiated == NegotiationState::failed) {
    return fail(CloseReason::security_failed, "security negotiation: " + negotiation_.reason());
  }
  if (negotiated == NegotiationState::need_more) return state_;
  state_ = State::handshake;
  return feed_handshake(negotiation_.take_leftover());
}

Upgrade::State Upgrade::feed_handshake(ByteView input) {
  const NoiseHandshake::State shaken = handshake_.feed(input);
  append(output_, handshake_.take_output());
  if (shaken == NoiseHandshake::State::failed) {
    return fail(CloseReason::security_failed, "noise: " + handshake_.reason());
  }
  if (shaken == NoiseHandshake::State::need_more) return state_;
  session_ = handshake_.take_session();
  held_ = std::exchange(session_->leftover, {});
  return state_ = State::authenticated;
}

Upgrade::State Upgrade::admit() {
  if (state_ != State::authenticated) return state_;
  const Bytes held = std::exchange(held_, {});
  state_ = State::muxer;
  if (session_->muxer) {
    state_ = State::done;
    if (auto opened = session_->receiver.decrypt(held, leftover_); !opened) {
      return fail(CloseReason::security_failed, "noise: " + opened.error().message);
    }
    return state_;
  }
  negotiation_ = negotiate(direction_, kYamuxProtocol);
  write_plaintext(negotiation_.take_output());
  return feed_muxer(held);
}

Upgrade::State Upgrade::feed_muxer(ByteView sealed) {
  Bytes plaintext;
  if (auto opened = session_->receiver.decrypt(sealed, plaintext); !opened) {
    return fail(CloseReason::security_failed, "noise: " + opened.error().message);
  }
  return settle_muxer(negotiation_.feed(plaintext));
}

Upgrade::State Upgrade::settle_muxer(NegotiationState negotiated) {
  write_plaintext(negotiation_.take_output());
  if (state_ == State::failed) return state_;
  if (negotiated == NegotiationState::failed) {
    return fail(CloseReason::muxer_failed, "muxer negotiation: " + negotiation_.reason());
  }
  if (negotiated == NegotiationState::need_more) return state_;
  leftover_ = negotiation_.take_leftover();
  return state_ = State::done;
}

void Upgrade::write_plaintext(ByteView plaintext) {
  if (plaintext.empty() || state_ == State::failed) return;
  if (auto sealed = session_->sender.encrypt(plaintext, output_); !sealed) {
    fail(CloseReason::security_failed, "noise: " + sealed.error().message);
  }
}

Upgrade::Channel Upgrade::take_channel() {
  KMS_ASSERT(state_ == State::done && session_);
  return Channel{std::move(session_->sender), std::move(session_->receiver), std::exchange(leftover_, {})};
}

Upgrade::State Upgrade::fail(CloseReason reason, std::string text) {
  cause_ = CloseCause{reason, std::move(text)};
  return state_ = State::failed;
}

}  // namespace kms::net
