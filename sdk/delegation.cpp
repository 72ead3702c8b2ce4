#include "sdk/delegation.h"

#include <boost/json/serialize.hpp>

#include "sdk/json_text.h"

namespace kms::sdk {
namespace {

constexpr std::size_t kAnswerBytesMax = 16 * 1024;
constexpr std::size_t kModulusBytesMax = 512;

// The two members of an answer, checked against chain and salt. `what` names the source.
Result<Delegation> read_delegation(const boost::json::object& json, std::uint64_t chain_id, const Hash32& salt,
                                   const std::string& what) {
  const auto* secret = text_in(json, "encryptedSharedSecret");
  const auto* proof = text_in(json, "proof");
  if (secret == nullptr) return error(what + " has no text \"encryptedSharedSecret\"");
  if (proof == nullptr) return error(what + " has no text \"proof\"");
  auto secret_bytes = parse_hex(*secret);
  if (!secret_bytes) return error(what + ", \"encryptedSharedSecret\": " + secret_bytes.error().message);
  if (secret_bytes->size() < 256 || secret_bytes->size() > kModulusBytesMax) {
    return error(what + ", \"encryptedSharedSecret\": " + std::to_string(secret_bytes->size()) +
                 " bytes are no RSA ciphertext of 2048 to 4096 bits");
  }
  auto proof_bytes = parse_hex_exactly(*proof, 65);
  if (!proof_bytes) return error(what + ", \"proof\": " + proof_bytes.error().message);
  auto signature = crypto::RecoverableSignature::parse(*proof_bytes);
  if (!signature) return error(what + ", \"proof\": " + signature.error().message);
  // Over the text as it was sent, whatever its case: that is what was signed.
  const Hash32 digest = crypto::delegate_response_digest(chain_id, salt, std::string_view(*secret));
  auto signer = crypto::recover(*signature, digest);
  if (!signer) return error(what + ": its proof recovers to no key; the answer was changed or is for another salt");
  return Delegation{std::move(*secret_bytes), *signature, crypto::address_of(*signer), chain_id, salt};
}

}  // namespace

Result<DelegationRequest> sign_request(const crypto::SecretScalar& gateway_key, std::uint64_t chain_id,
                                       const crypto::EciesCiphertext& ciphertext, ByteView requester_spki,
                                       Entropy& entropy) {
  if (chain_id >= (std::uint64_t{1} << 32)) {
    return error("chain id " + std::to_string(chain_id) + " does not fit /v0/delegate, which takes numbers below 2^32");
  }
  const std::string ephemeral = to_0x(ciphertext.ephemeral);
  const std::string spki = to_0x(requester_spki);
  const Hash32 digest = crypto::delegate_authorization_digest(chain_id, ephemeral, spki);
  DelegationRequest request;
  request.chain_id = chain_id;
  request.salt = entropy.array<32>();
  request.target = "/v0/delegate?chain_id=" + std::to_string(chain_id) + "&salt=" + to_0x(request.salt);
  request.authorization = "Bearer " + to_0x(crypto::sign_recoverable(gateway_key, digest).bytes);
  request.body = boost::json::serialize(boost::json::object{{"ephemeralPubKey", ephemeral}, {"targetPubKey", spki}});
  return request;
}

Result<Delegation> verify_answer(const DelegationRequest& request, std::string_view body,
                                 const std::optional<crypto::Address>& expected) {
  auto json = parse_object(body, kAnswerBytesMax, "the answer");
  if (!json) return json.error();
  auto delegation = read_delegation(*json, request.chain_id, request.salt, "the answer");
  if (!delegation) return delegation.error();
  if (expected && delegation->signer != *expected) {
    return error("the answer's proof is not by " + expected->hex() + " but by " + delegation->signer.hex() +
                 "; the node is not of this network, or the answer was changed on the way");
  }
  return delegation;
}

boost::json::object to_json(const Delegated& delegated) {
  boost::json::object json;
  json["encryptedSharedSecret"] = to_0x(delegated.delegation.encrypted_shared_secret);
  json["proof"] = to_0x(delegated.delegation.proof.bytes);
  json["signer"] = delegated.delegation.signer.hex();
  json["chainId"] = delegated.delegation.chain_id;
  json["salt"] = to_0x(delegated.delegation.salt);
  json["ciphertext"] = to_json(delegated.ciphertext);
  return json;
}

Result<Delegated> delegated_from(const boost::json::object& json) {
  const auto* inner = object_in(json, "ciphertext");
  const auto* salt_text = text_in(json, "salt");
  const auto* signer_text = text_in(json, "signer");
  const auto chain_id = number_in(json, "chainId");
  if (inner == nullptr || salt_text == nullptr || signer_text == nullptr || !chain_id) {
    return error(
        "this is no delegation: \"ciphertext\", \"salt\", \"signer\" or \"chainId\" is missing; kmsctl delegate "
        "writes one");
  }
  auto ciphertext = ciphertext_from(*inner);
  if (!ciphertext) return ciphertext.error();
  auto salt = parse_hex_array<32>(*salt_text);
  if (!salt) return error("the delegation's \"salt\": " + salt.error().message);
  auto signer = crypto::Address::parse(*signer_text);
  if (!signer) return error("the delegation's \"signer\": " + signer.error().message);
  auto delegation = read_delegation(json, *chain_id, *salt, "the delegation");
  if (!delegation) return delegation.error();
  if (delegation->signer != *signer) {
    return error("the delegation was changed: its proof is not by the signer it names, " + signer->hex());
  }
  return Delegated{std::move(*delegation), std::move(*ciphertext)};
}

Result<crypto::SecretBytes> open(const Delegated& delegated, const crypto::RsaPrivateKey& requester) {
  auto shared = requester.decrypt_oaep(delegated.delegation.encrypted_shared_secret, {});
  if (!shared) return error("the delegation does not open with this RSA key; it was made for another requester");
  if (shared->size() != 32) {
    return error("the delegation holds " + std::to_string(shared->size()) + " bytes, not a shared secret of 32");
  }
  auto text = crypto::ecies_decrypt(shared->expose(), delegated.ciphertext.sealed);
  if (!text) {
    return error(
        "the delegated secret does not open the ciphertext: it is of another ciphertext, of another key than " +
        to_0x(delegated.ciphertext.public_key.bytes()) + ", or the ciphertext was changed");
  }
  return text;
}

}  // namespace kms::sdk
