// Requests of POST /v0/delegate (docs/API.md), signed before the clock starts: each over its own K and to one of
// several requesters, as a gateway with many users sends them.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "sdk/delegation.h"

namespace kms::bench {

struct RequestTerms {
  crypto::SecretScalar gateway_key;
  std::uint64_t chain_id = 0;
  std::optional<crypto::Point> public_key;  // none: answers cannot be opened, so none is checked
  std::optional<crypto::Address> signer;    // of the answers; none: any
  std::size_t requests = 10'000;            // sent again from the first when all were
  std::size_t requesters = 16;              // RSA keys
  std::size_t rsa_bits = 2048;
  std::size_t checked_every = 100;  // 0: none
};

class SignedRequests {
 public:
  static Result<SignedRequests> make(RequestTerms terms, Entropy& entropy);

  std::size_t size() const { return requests_.size(); }
  // "POST /path HTTP/1.1\r\n", then a Host field belongs, then the rest with the body.
  std::string_view request_line(std::size_t i) const { return requests_[i].line; }
  std::string_view rest(std::size_t i) const { return requests_[i].rest; }
  bool is_checked(std::size_t i) const {
    return terms_.public_key && terms_.checked_every > 0 && i % terms_.checked_every == 0;
  }
  // Of a request that is checked: the proof is the signer's, the secret opens with the requester's key, and it opens
  // the ciphertext whose K was asked for.
  Result<void> check(std::size_t i, std::string_view answer) const;

 private:
  struct Request {
    std::string line, rest;
  };
  struct Expected {
    sdk::DelegationRequest request;
    sdk::Ciphertext ciphertext;
  };
  SignedRequests(RequestTerms terms) : terms_(std::move(terms)) {}
  Result<void> add(std::size_t i, Entropy& entropy);

  RequestTerms terms_;
  std::vector<crypto::RsaPrivateKey> requesters_;
  std::vector<Bytes> spkis_;
  std::vector<Request> requests_;
  std::map<std::size_t, Expected> expected_;
};

}  // namespace kms::bench
