// multistream-select 1.0: two ends agree on a protocol for a channel, as bytes in and bytes out.
//
// A token is uvarint(length + 1) || text || '\n'. The initiator sends the header and its first proposal together; the
// responder sends its header at once, then echoes a proposal it supports or answers "na"; after "na" the initiator may
// propose again. Bytes behind the last token belong to the protocol: they come out as leftover.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace kms::net {

inline constexpr std::string_view kMultistreamHeader = "/multistream/1.0.0";
inline constexpr std::size_t kMultistreamTokenMax = 1024;      // text and newline
inline constexpr std::size_t kMultistreamAttemptsMax = 8;      // proposals in one negotiation
inline constexpr std::size_t kMultistreamBytesMax = 4 * 1024;  // of tokens received in one negotiation

// `text` and the newline fit the maximum.
void append_multistream_token(Bytes& to, std::string_view text);

// Takes tokens out of a byte stream that may be cut anywhere.
class MultistreamTokens {
 public:
  enum class State { token, need_more, malformed };
  void feed(ByteView input) { append(pending_, input); }
  // `token`: `text` is the next one, without its newline. A token over 1024 bytes, one without a newline at its end,
  // and more than 4 KiB of tokens are malformed.
  State next(std::string& text);
  Bytes take_rest();

 private:
  Bytes pending_;
  std::size_t used_ = 0;   // of pending_
  std::size_t total_ = 0;  // of all tokens so far
};

// need_more: write `take_output`, then feed what arrives. agreed: write `take_output`, then the channel speaks
// `protocol`, starting with `take_leftover`. failed: close the channel; `reason` says why.
enum class NegotiationState { need_more, agreed, failed };

class MultistreamInitiator {
 public:
  // Proposes in this order; 1 to 8 protocols.
  explicit MultistreamInitiator(std::vector<std::string> proposals);
  // For a protocol that the other end is known to support: the caller may write its own bytes right behind
  // `take_output`, without waiting for the answers (which still have to be fed).
  static MultistreamInitiator lazy(std::string protocol);

  // After `agreed` the input is leftover; after `failed` it is ignored.
  NegotiationState feed(ByteView input);
  NegotiationState state() const { return state_; }
  // True once the protocol's own bytes may be written behind the output.
  bool may_write() const { return state_ == NegotiationState::agreed || (lazy_ && state_ != NegotiationState::failed); }
  const std::string& protocol() const { return proposals_[attempt_]; }  // proposed, and when agreed: agreed
  const std::string& reason() const { return reason_; }
  Bytes take_output() { return std::exchange(output_, {}); }
  Bytes take_leftover() { return tokens_.take_rest(); }

 private:
  NegotiationState receive(const std::string& token);
  NegotiationState fail(std::string reason);

  std::vector<std::string> proposals_;
  std::size_t attempt_ = 0;
  bool lazy_ = false;
  bool header_seen_ = false;
  NegotiationState state_ = NegotiationState::need_more;
  std::string reason_;
  MultistreamTokens tokens_;
  Bytes output_;
};

class MultistreamResponder {
 public:
  // The header is in the output from the start. An empty list answers "na" to everything.
  explicit MultistreamResponder(std::vector<std::string> supported);

  // "ls", simultaneous-connect and everything not supported are answered "na"; the ninth attempt fails.
  NegotiationState feed(ByteView input);
  NegotiationState state() const { return state_; }
  const std::string& protocol() const { return protocol_; }  // when agreed
  const std::string& reason() const { return reason_; }
  Bytes take_output() { return std::exchange(output_, {}); }
  Bytes take_leftover() { return tokens_.take_rest(); }

 private:
  NegotiationState receive(const std::string& token);
  NegotiationState fail(std::string reason);

  std::vector<std::string> supported_;
  std::size_t attempts_ = 0;
  bool header_seen_ = false;
  NegotiationState state_ = NegotiationState::need_more;
  std::string protocol_;
  std::string reason_;
  MultistreamTokens tokens_;
  Bytes output_;
};

}  // namespace kms::net
