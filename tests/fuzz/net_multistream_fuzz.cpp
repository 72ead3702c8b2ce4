// net/: multistream negotiations of both roles against a stranger, and against each other over a stream that is cut
// anywhere.
#include "net/negotiation.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::net;

namespace {

const std::vector<std::string> kOurs{"/noise", "/yamux/1.0.0", "/meshsub/1.2.0"};

void check_stranger(Negotiation negotiation, ByteView input, std::uint64_t seed) {
  std::size_t written = negotiation.take_output().size();
  fuzz::feed_in_pieces(input, seed, 64, [&](ByteView piece) {
    negotiation.feed(piece);
    written += negotiation.take_output().size();
  });
  KMS_ASSERT(written <= 16 * kMultistreamTokenMax);
  if (negotiation.state() == NegotiationState::agreed) {
    bool ours = std::find(kOurs.begin(), kOurs.end(), negotiation.protocol()) != kOurs.end();
    KMS_ASSERT(ours && negotiation.take_leftover().size() <= input.size());
  }
  if (negotiation.state() == NegotiationState::failed) KMS_ASSERT(!negotiation.reason().empty());
}

// The state does not depend on how the stream was cut.
void check_cuts(ByteView input, std::uint64_t seed) {
  Negotiation whole = Negotiation::answer(kOurs);
  Negotiation cut = Negotiation::answer(kOurs);
  whole.feed(input);
  fuzz::feed_in_pieces(input, seed, 8, [&](ByteView piece) { cut.feed(piece); });
  KMS_ASSERT(whole.state() == cut.state() && whole.take_output() == cut.take_output());
  if (whole.state() == NegotiationState::agreed) KMS_ASSERT(whole.take_leftover() == cut.take_leftover());
}

// Proposals as the fuzzer likes them (one a line) against what we support: both ends come to the same result.
void check_pair(ByteView input) {
  std::vector<std::string> proposals;
  std::string_view text = as_text(input);
  while (!text.empty() && proposals.size() < kMultistreamAttemptsMax) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with("/") && line.size() < 300) proposals.emplace_back(line);
  }
  if (proposals.empty()) return;
  Negotiation dialler = Negotiation::propose(proposals);
  Negotiation listener = Negotiation::answer(kOurs);
  for (int turn = 0; turn < 40; ++turn) {
    Bytes out = dialler.take_output();
    Bytes back = listener.take_output();
    if (out.empty() && back.empty()) break;
    if (!out.empty()) listener.feed(out);
    if (!back.empty()) dialler.feed(back);
  }
  if (dialler.state() == NegotiationState::agreed) {
    KMS_ASSERT(listener.state() == NegotiationState::agreed && listener.protocol() == dialler.protocol());
  }
  KMS_ASSERT(dialler.state() != NegotiationState::need_more);
}

}  // namespace

KMS_FUZZER(net_multistream) {
  fuzz::Input in(input);
  std::uint64_t seed = in.byte();
  ByteView stream = in.rest();
  check_stranger(Negotiation::answer(kOurs), stream, seed);
  check_stranger(Negotiation::propose(kOurs), stream, seed);
  check_cuts(stream, seed);
  check_pair(stream);
}
