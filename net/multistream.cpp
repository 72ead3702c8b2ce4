#include "net/multistream.h"

#include <algorithm>

#include "base/assert.h"
#include "base/proto_wire.h"

namespace kms::net {
namespace {

constexpr std::string_view kNotAvailable = "na";

// What the other end sent, fit for a message.
std::string shown(const std::string& token) {
  std::string text = token.substr(0, 64);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return '"' + text + '"';
}

constexpr const char* kMalformed = "multistream: malformed or oversized token";

}  // namespace

void append_multistream_token(Bytes& to, std::string_view text) {
  KMS_ASSERT(text.size() + 1 <= kMultistreamTokenMax);
  append_uvarint(to, text.size() + 1);
  append(to, as_bytes(text));
  to.push_back('\n');
}

MultistreamTokens::State MultistreamTokens::next(std::string& text) {
  ByteView rest = ByteView(pending_).subspan(used_);
  Uvarint size;
  switch (parse_uvarint(rest, size)) {
    case UvarintState::complete:
      break;
    case UvarintState::incomplete:
      return rest.size() < 2 ? State::need_more : State::malformed;
    case UvarintState::invalid:
      return State::malformed;
  }
  if (size.value == 0 || size.value > kMultistreamTokenMax) return State::malformed;
  std::size_t whole = size.size + static_cast<std::size_t>(size.value);
  if (total_ + whole > kMultistreamBytesMax) return State::malformed;
  if (rest.size() < whole) return State::need_more;
  ByteView token = rest.subspan(size.size, static_cast<std::size_t>(size.value));
  if (token.back() != '\n') return State::malformed;
  text = as_text(token.first(token.size() - 1));
  used_ += whole;
  total_ += whole;
  return State::token;
}

Bytes MultistreamTokens::take_rest() {
  Bytes rest = to_bytes(ByteView(pending_).subspan(used_));
  pending_.clear();
  used_ = 0;
  return rest;
}

MultistreamInitiator::MultistreamInitiator(std::vector<std::string> proposals) : proposals_(std::move(proposals)) {
  KMS_ASSERT(!proposals_.empty() && proposals_.size() <= kMultistreamAttemptsMax);
  append_multistream_token(output_, kMultistreamHeader);
  append_multistream_token(output_, proposals_.front());
}

MultistreamInitiator MultistreamInitiator::lazy(std::string protocol) {
  std::vector<std::string> proposals;
  proposals.push_back(std::move(protocol));
  MultistreamInitiator initiator(std::move(proposals));
  initiator.lazy_ = true;
  return initiator;
}

NegotiationState MultistreamInitiator::feed(ByteView input) {
  if (state_ == NegotiationState::failed) return state_;
  tokens_.feed(input);
  std::string token;
  while (state_ == NegotiationState::need_more) {
    switch (tokens_.next(token)) {
      case MultistreamTokens::State::need_more:
        return state_;
      case MultistreamTokens::State::malformed:
        return fail(kMalformed);
      case MultistreamTokens::State::token:
        state_ = receive(token);
    }
  }
  return state_;
}

NegotiationState MultistreamInitiator::receive(const std::string& token) {
  if (!header_seen_) {
    header_seen_ = token == kMultistreamHeader;
    return header_seen_ ? state_ : fail("multistream: expected the header, got " + shown(token));
  }
  if (token == proposals_[attempt_]) return NegotiationState::agreed;
  if (token != kNotAvailable) {
    return fail("multistream: proposed " + proposals_[attempt_] + ", the answer was " + shown(token));
  }
  if (attempt_ + 1 == proposals_.size()) return fail("multistream: the other end supports none of what we proposed");
  ++attempt_;
  append_multistream_token(output_, proposals_[attempt_]);
  return state_;
}

NegotiationState MultistreamInitiator::fail(std::string reason) {
  reason_ = std::move(reason);
  output_.clear();
  state_ = NegotiationState::failed;
  return state_;
}

MultistreamResponder::MultistreamResponder(std::vector<std::string> supported) : supported_(std::move(supported)) {
  append_multistream_token(output_, kMultistreamHeader);
}

NegotiationState MultistreamResponder::feed(ByteView input) {
  if (state_ == NegotiationState::failed) return state_;
  tokens_.feed(input);
  std::string token;
  while (state_ == NegotiationState::need_more) {
    switch (tokens_.next(token)) {
      case MultistreamTokens::State::need_more:
        return state_;
      case MultistreamTokens::State::malformed:
        return fail(kMalformed);
      case MultistreamTokens::State::token:
        state_ = receive(token);
    }
  }
  return state_;
}

NegotiationState MultistreamResponder::receive(const std::string& token) {
  if (!header_seen_) {
    header_seen_ = token == kMultistreamHeader;
    return header_seen_ ? state_ : fail("multistream: expected the header, got " + shown(token));
  }
  if (++attempts_ > kMultistreamAttemptsMax) return fail("multistream: more than 8 proposals");
  if (std::find(supported_.begin(), supported_.end(), token) == supported_.end()) {
    append_multistream_token(output_, kNotAvailable);
    return state_;
  }
  append_multistream_token(output_, token);
  protocol_ = token;
  return NegotiationState::agreed;
}

NegotiationState MultistreamResponder::fail(std::string reason) {
  reason_ = std::move(reason);
  output_.clear();
  state_ = NegotiationState::failed;
  return state_;
}

}  // namespace kms::net
