// What a gateway signs for its requesters (docs/API.md), as requesters and liars of the simulator make it: forms A, B
// and C, v0 and v1, and the HTTP calls that carry it.
#pragma once

#include "crypto/rsa_oaep.h"
#include "node/delegation/messages.h"
#include "node/http.h"

namespace kms::sim {

// Of all requesters: RSA-2048, the same in every run.
const crypto::RsaPrivateKey& rsa_key();
// SPKI DER of any modulus and exponent, both big-endian, for keys that must be refused.
Bytes rsa_spki(ByteView modulus, ByteView exponent);

enum class Way : std::uint8_t { v0, a, b, c };  // v0: form A without a nonce
delegation::Form form_of(Way way);
std::string_view name_of(Way way);

// What was signed and, where the simulator drew them, the secrets behind it.
struct Petition {
  Way way = Way::v0;
  delegation::Authorisation authorisation;
  crypto::Point ephemeral;  // K
  crypto::Address requester;
  std::optional<crypto::SecretScalar> recipient;  // p with P = pG
  Hash32 rh{};
  Hash32 key{};  // which key of the set
  const delegation::V1Authorisation* v1() const { return std::get_if<delegation::V1Authorisation>(&authorisation); }
};

class Gateway {
 public:
  explicit Gateway(crypto::SecretScalar key);
  const crypto::Address& address() const { return address_; }
  // Signs; `key` names network, key and chain only.
  Petition v0(const delegation::ServingKey& key, const crypto::Point& ephemeral) const;
  // Form C gets a fresh recipient. `entry`: of form A.
  Petition v1(Way way, const delegation::ServingKey& key, const crypto::Point& ephemeral, const crypto::Address& entry,
              const Hash32& nonce, std::uint64_t deadline, Entropy& entropy) const;
  // Signs whatever it holds, anew.
  void sign(delegation::V1Authorisation& authorisation, const delegation::ServingKey& key) const;
  // The petition that such an authorisation makes.
  Petition petition_of(delegation::V1Authorisation authorisation, const delegation::ServingKey& key) const;

 private:
  crypto::SecretScalar key_;
  crypto::Address address_;
};

// The same authorisation in another of the forms that Ethereum knows: high s and the other v, or v as 0, 1 or 37, 38.
ByteArray<65> other_signature(const ByteArray<65>& signature, std::size_t form);
inline constexpr std::size_t kOtherSignatures = 4;

node::HttpRequest call_of(const Petition& petition, const delegation::ServingKey& key);
// POST /v1/delegations with several.
node::HttpRequest call_of(const std::vector<Petition>& petitions, const delegation::ServingKey& key);
// POST /v1/delegations/{id}/more.
node::HttpRequest more_call(const Hash32& rh, const std::set<dkg::Position>& bad);

}  // namespace kms::sim
