// The v0 delegation (docs/API.md, POST /v0/delegate) from the requester's side: what is sent, what an answer must hold,
// and how it is opened.
#pragma once

#include "crypto/eip712.h"
#include "crypto/rsa_oaep.h"
#include "sdk/ciphertext.h"

namespace kms::sdk {

// A signed request; the same one may be sent to several nodes.
struct DelegationRequest {
  std::string target;         // path and query
  std::string authorization;  // "Bearer 0x.."
  std::string body;           // JSON
  std::uint64_t chain_id = 0;
  Hash32 salt{};  // fresh; the answer's proof covers it
};

// `chain_id` is below 2^32, what nodes of v0 read. The gateway key signs over K, the requester's SPKI and the chain.
Result<DelegationRequest> sign_request(const crypto::SecretScalar& gateway_key, std::uint64_t chain_id,
                                       const crypto::EciesCiphertext& ciphertext, ByteView requester_spki,
                                       Entropy& entropy);

// x(s*K) for one requester, and who vouches for it.
struct Delegation {
  Bytes encrypted_shared_secret;  // RSA-OAEP, as long as the modulus
  crypto::RecoverableSignature proof;
  crypto::Address signer;  // recovered from the proof
  std::uint64_t chain_id = 0;
  Hash32 salt{};
};

// From the body of a 200. The proof must recover to a key and, if `expected` is given, to that signer; without it any
// signer passes, and `signer` says which one it was.
Result<Delegation> verify_answer(const DelegationRequest& request, std::string_view body,
                                 const std::optional<crypto::Address>& expected);

// A delegation and its ciphertext in one document:
//   {"encryptedSharedSecret","proof","signer","chainId","salt","ciphertext":{..}}
struct Delegated {
  Delegation delegation;
  Ciphertext ciphertext;
};
boost::json::object to_json(const Delegated& delegated);
// Checks the proof against the document's own signer again, so that damage is found before decryption.
Result<Delegated> delegated_from(const boost::json::object& json);

// The text. Wrong requester key, damaged secret and a secret of another ciphertext are told apart as far as possible.
Result<crypto::SecretBytes> open(const Delegated& delegated, const crypto::RsaPrivateKey& requester);

}  // namespace kms::sdk
