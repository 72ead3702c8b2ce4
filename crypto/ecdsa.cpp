#include "crypto/ecdsa.h"

#include <secp256k1_recovery.h>

#include "base/assert.h"
#include "crypto/context.h"
#include "crypto/declassify.h"
#include "crypto/transcript.h"

namespace kms::crypto {
namespace {

Error not_a_signature(std::string_view why) {
  return error("a recoverable signature is r || s || v in 65 bytes: " + std::string(why));
}

// r and s in range; zeros pass here and fail in recovery.
bool parse_compact(const RecoverableSignature& from, secp256k1_ecdsa_recoverable_signature& out) {
  int recovery_id = from.bytes[64] - 27;
  if (recovery_id != 0 && recovery_id != 1) return false;
  return secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &out, from.bytes.data(), recovery_id) == 1;
}

bool has_zero_half(const RecoverableSignature& signature) {
  ByteView rs = ByteView(signature.bytes).first(64);
  return equal(rs.first(32), Hash32{}) || equal(rs.last(32), Hash32{});
}

Result<RecoverableSignature> checked(const RecoverableSignature& signature) {
  secp256k1_ecdsa_recoverable_signature parsed;
  if (!parse_compact(signature, parsed) || has_zero_half(signature)) return not_a_signature("r or s is out of range");
  return signature;
}

const secp256k1_pubkey* view(const Point& point) {
  return reinterpret_cast<const secp256k1_pubkey*>(point.raw().data());
}

}  // namespace

Address address_of(const Point& public_key) {
  Hash32 id = node_id_of(public_key);
  return Address{to_array<20>(ByteView(id).last(20))};
}

Hash32 node_id_of(const Point& public_key) {
  auto encoded = public_key.uncompressed();
  return keccak256(ByteView(encoded).subspan(1));
}

Result<RecoverableSignature> RecoverableSignature::parse(ByteView bytes65) {
  if (bytes65.size() != 65) return not_a_signature("the length differs");
  RecoverableSignature out{to_array<65>(bytes65)};
  if (out.bytes[64] != 27 && out.bytes[64] != 28) return not_a_signature("v is neither 27 nor 28");
  secp256k1_ecdsa_signature plain;
  if (secp256k1_ecdsa_signature_parse_compact(context(), &plain, out.bytes.data()) == 1 &&
      secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) == 1) {
    return not_a_signature("s is in the upper half");
  }
  return checked(out);
}

Result<RecoverableSignature> RecoverableSignature::parse_ethereum(ByteView bytes65) {
  if (bytes65.size() != 65) return not_a_signature("the length differs");
  RecoverableSignature out{to_array<65>(bytes65)};
  std::uint8_t& v = out.bytes[64];
  if (v >= 35) {
    v = static_cast<std::uint8_t>(27 + (v - 35) % 2);
  } else if (v <= 1) {
    v = static_cast<std::uint8_t>(27 + v);
  } else if (v != 27 && v != 28) {
    return not_a_signature("v is none of 0, 1, 27, 28 or 35 and more");
  }
  return checked(out);
}

RecoverableSignature sign_recoverable(const SecretScalar& key, const Hash32& digest) {
  KMS_ASSERT(!key.is_zero());
  secp256k1_ecdsa_recoverable_signature signature;
  int made =
      secp256k1_ecdsa_sign_recoverable(context(), &signature, digest.data(), key.expose().data(), nullptr, nullptr);
  declassify(&made, sizeof made);
  declassify(&signature, sizeof signature);
  RecoverableSignature out;
  int recovery_id = 0;
  KMS_ASSERT(made == 1 && secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.bytes.data(),
                                                                                  &recovery_id, &signature) == 1);
  // 2 and 3 mean r >= q, which happens once in 2^127 signatures.
  KMS_ASSERT(recovery_id == 0 || recovery_id == 1);
  out.bytes[64] = static_cast<std::uint8_t>(27 + recovery_id);
  return out;
}

Result<Point> recover(const RecoverableSignature& signature, const Hash32& digest) {
  secp256k1_ecdsa_recoverable_signature parsed;
  ByteArray<64> raw;
  if (!parse_compact(signature, parsed) ||
      secp256k1_ecdsa_recover(context(), reinterpret_cast<secp256k1_pubkey*>(raw.data()), &parsed, digest.data()) !=
          1) {
    return not_a_signature("no key made it");
  }
  return Point::from_raw(raw);
}

bool verify(const Point& public_key, const RecoverableSignature& signature, const Hash32& digest) {
  auto recovered = recover(signature, digest);
  return recovered && *recovered == public_key;
}

Result<NodeKey> NodeKey::from_secret(SecretScalar secret) {
  Element public_key = multiply_generator(secret);
  if (public_key.is_infinity()) return error("a node key is not zero");
  return NodeKey(std::move(secret), public_key.point());
}

NodeKey NodeKey::generate(Entropy& entropy) {
  auto made = from_secret(SecretScalar::random(entropy));
  KMS_ASSERT(made.has_value());
  return std::move(*made);
}

Hash32 NodeKey::node_id() const {
  return node_id_of(public_key_);
}

RecoverableSignature NodeKey::sign(const Hash32& digest) const {
  return sign_recoverable(secret_, digest);
}

Bytes NodeKey::sign_libp2p(ByteView message) const {
  Hash32 digest = sha256(message);
  secp256k1_ecdsa_signature signature;
  int made = secp256k1_ecdsa_sign(context(), &signature, digest.data(), secret_.expose().data(), nullptr, nullptr);
  declassify(&made, sizeof made);
  declassify(&signature, sizeof signature);
  Bytes der(72);
  std::size_t size = der.size();
  KMS_ASSERT(made == 1 && secp256k1_ecdsa_signature_serialize_der(context(), der.data(), &size, &signature) == 1);
  der.resize(size);
  return der;
}

bool verify_libp2p(const Point& public_key, ByteView message, ByteView der) {
  if (der.empty()) return false;  // a null pointer would stop the library
  secp256k1_ecdsa_signature signature;
  if (secp256k1_ecdsa_signature_parse_der(context(), &signature, der.data(), der.size()) != 1) return false;
  secp256k1_ecdsa_signature_normalize(context(), &signature, &signature);
  Hash32 digest = sha256(message);
  return secp256k1_ecdsa_verify(context(), &signature, digest.data(), view(public_key)) == 1;
}

}  // namespace kms::crypto
