// The expensive, pure steps of forms B and C (PROTOCOL.md 5.3, 5.4) as values; see jobs.h.
#pragma once

#include <memory>

#include "node/delegation/public_messages.h"

namespace kms::delegation {

// What a verified request asks for: enough to judge the partials of others.
struct PublicTerms {
  Form form = Form::c;
  crypto::Point ephemeral;                 // K
  std::optional<crypto::Point> recipient;  // C: P
  std::size_t ciphertext_bytes = 0;        // B: those of the requester's modulus
};
using PublicTermsPtr = std::shared_ptr<const PublicTerms>;

// Verifies a request and makes the own partial of it, if there is a share. Entry and responder alike.
struct PartialJob {
  enum class Own : std::uint8_t { make, skip };
  V1Authorisation authorisation;
  std::vector<crypto::Address> allowed;
  ServingKeyPtr key;
  CredentialsPtr credentials;
  std::optional<Hash32> rh;  // as the request says; a wrong one is an error
  Own own = Own::make;

  struct Made {
    NonceUse use;
    PublicTermsPtr terms;
    std::optional<PublicPartial> own;
  };
  std::variant<std::monostate, AuthorisationError, Made> result;
};

// Judges another member's partial as far as anybody can: in C its proof, in B the member's signature and the length.
struct VerifyJob {
  ServingKeyPtr key;
  PublicTermsPtr terms;
  PublicPartial partial;
  std::string fault;  // empty: it is good
};

// U and W from exactly t verified partials of form C, strictly increasing by index.
struct CombineJob {
  std::vector<PartialC> partials;
  std::vector<crypto::Scalar> weights;  // lambda_i(0)

  struct Combined {
    ByteArray<33> u{};
    ByteArray<33> w{};
    Hash32 bundle_hash{};
  };
  std::optional<Combined> result;  // none: they add up to infinity
};

void run(PartialJob& job, Entropy& entropy);
void run(VerifyJob& job, Entropy& entropy);
void run(CombineJob& job, Entropy& entropy);

// H_"KMS1/bundle" over partials of one request, strictly increasing by index (TRANSCRIPTS.md 7).
Hash32 bundle_hash(const std::vector<PartialC>& partials);

const Hash32& rh_of(const PublicPartial& partial);
Position index_of(const PublicPartial& partial);

}  // namespace kms::delegation
