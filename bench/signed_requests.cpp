#include "bench/signed_requests.h"

#include "base/assert.h"

namespace kms::bench {
namespace {

constexpr std::string_view kText = "a text of the load generator";

}  // namespace

Result<SignedRequests> SignedRequests::make(RequestTerms terms, Entropy& entropy) {
  SignedRequests out(std::move(terms));
  for (std::size_t i = 0; i < std::max<std::size_t>(1, out.terms_.requesters); ++i) {
    out.requesters_.push_back(crypto::RsaPrivateKey::generate(out.terms_.rsa_bits));
    out.spkis_.push_back(out.requesters_.back().public_spki());
  }
  const std::size_t requests = std::max<std::size_t>(1, out.terms_.requests);
  out.requests_.reserve(requests);
  for (std::size_t i = 0; i < requests; ++i) {
    auto added = out.add(i, entropy);
    if (!added) return added.error();
  }
  return out;
}

Result<void> SignedRequests::add(std::size_t i, Entropy& entropy) {
  crypto::EciesCiphertext sealed;
  std::optional<sdk::Ciphertext> ciphertext;
  if (is_checked(i)) {
    auto made = sdk::encrypt(*terms_.public_key, terms_.chain_id, as_bytes(kText), entropy);
    if (!made) return made.error();
    sealed.ephemeral = made->sealed.ephemeral;
    ciphertext = std::move(*made);
  } else {
    sealed.ephemeral = crypto::multiply_generator(crypto::SecretScalar::random(entropy)).bytes();
  }
  auto request = sdk::sign_request(terms_.gateway_key, terms_.chain_id, sealed, spkis_[i % spkis_.size()], entropy);
  if (!request) return request.error();
  Request out;
  out.line = "POST " + request->target + " HTTP/1.1\r\n";
  out.rest = "Content-Type: application/json\r\nAuthorization: " + request->authorization +
             "\r\nContent-Length: " + std::to_string(request->body.size()) + "\r\n\r\n" + request->body;
  requests_.push_back(std::move(out));
  if (ciphertext) expected_.emplace(i, Expected{std::move(*request), std::move(*ciphertext)});
  return {};
}

Result<void> SignedRequests::check(std::size_t i, std::string_view answer) const {
  const auto expected = expected_.find(i);
  KMS_ASSERT(expected != expected_.end());
  auto delegation = sdk::verify_answer(expected->second.request, answer, terms_.signer);
  if (!delegation) return delegation.error();
  auto text = sdk::open(sdk::Delegated{std::move(*delegation), expected->second.ciphertext},
                        requesters_[i % requesters_.size()]);
  if (!text) return text.error();
  return {};
}

}  // namespace kms::bench
