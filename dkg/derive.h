// Secrets derived from a seed: a derivation that gives zero is repeated with a counter 1, 2, .. as one more item
// (TRANSCRIPTS.md 1). For the coefficients, ephemerals and nonces of Deals and repairs.
#pragma once

#include "crypto/transcript.h"

namespace kms::dkg {

struct DrawScalar {
  crypto::SecretScalar operator()(crypto::Transcript& transcript) const { return transcript.secret_scalar(); }
};

// Never zero. `fields` appends the items to a fresh transcript each time; `draw` takes the scalar of it (tests pass one
// that pretends a zero).
template <class Fields, class Draw = DrawScalar>
crypto::SecretScalar derive(std::string_view tag, const Fields& fields, Draw draw = {}) {
  for (std::uint32_t counter = 0;; ++counter) {
    crypto::Transcript transcript(tag);
    fields(transcript);
    if (counter > 0) transcript.u32(counter);
    crypto::SecretScalar derived = draw(transcript);
    if (!derived.is_zero()) return derived;
  }
}

}  // namespace kms::dkg
