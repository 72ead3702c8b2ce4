#include "crypto/eip712.h"

namespace kms::crypto {
namespace {

Hash32 keccak_text(std::string_view text) {
  return keccak256(as_bytes(text));
}

Hash32 word(std::uint64_t value) {
  Hash32 out{};
  for (std::size_t i = 0; i < 8; ++i) out[31 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  return out;
}

Hash32 hash_words(std::initializer_list<Hash32> words) {
  Bytes encoded;
  encoded.reserve(32 * words.size());
  for (const Hash32& each : words) append(encoded, each);
  return keccak256(encoded);
}

Hash32 protocol_delegate_name() {
  static const Hash32 name = keccak_text("ProtocolDelegate");
  return name;
}

Hash32 version_1() {
  static const Hash32 version = keccak_text("1");
  return version;
}

Hash32 word(const Address& address) {
  Hash32 out{};
  std::memcpy(out.data() + 12, address.bytes.data(), 20);
  return out;
}

}  // namespace

Hash32 eip712_digest(const Hash32& domain_separator, const Hash32& struct_hash) {
  ByteArray<66> encoded{0x19, 0x01};
  std::memcpy(encoded.data() + 2, domain_separator.data(), 32);
  std::memcpy(encoded.data() + 34, struct_hash.data(), 32);
  return keccak256(encoded);
}

Hash32 delegate_authorization_digest(std::uint64_t chain_id, std::string_view ephemeral_pub_key,
                                     std::string_view target_pub_key) {
  static const Hash32 domain_type = keccak_text("EIP712Domain(string name,string version,uint256 chainId)");
  static const Hash32 struct_type = keccak_text("DelegateAuthorization(string ephemeralPubKey,string targetPubKey)");
  return eip712_digest(hash_words({domain_type, protocol_delegate_name(), version_1(), word(chain_id)}),
                       hash_words({struct_type, keccak_text(ephemeral_pub_key), keccak_text(target_pub_key)}));
}

Hash32 delegate_response_digest(std::uint64_t chain_id, const Hash32& salt, std::string_view encrypted_shared_secret) {
  static const Hash32 domain_type =
      keccak_text("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)");
  static const Hash32 struct_type = keccak_text("DelegateResponseProof(string encryptedSharedSecret)");
  return eip712_digest(hash_words({domain_type, protocol_delegate_name(), version_1(), word(chain_id), salt}),
                       hash_words({struct_type, keccak_text(encrypted_shared_secret)}));
}

Hash32 delegation_authorization_digest(std::uint64_t chain_id, const DelegationAuthorization& authorization) {
  static const Hash32 domain_type = keccak_text("EIP712Domain(string name,string version,uint256 chainId)");
  static const Hash32 struct_type = keccak_text(
      "DelegationAuthorization(bytes32 networkId,bytes32 keyId,uint8 form,address entry,bytes K,uint8 targetKind,"
      "bytes target,bytes32 nonce,uint64 deadline)");
  static const Hash32 name = keccak_text("KmsDelegation");
  const auto& a = authorization;
  return eip712_digest(
      hash_words({domain_type, name, version_1(), word(chain_id)}),
      hash_words({struct_type, a.network_id, a.key_id, word(a.form), word(a.entry), keccak256(a.ephemeral),
                  word(a.target_kind), keccak256(a.target), a.nonce, word(a.deadline)}));
}

}  // namespace kms::crypto
