#include "tests/sim/program/petition.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "crypto/eip712.h"
#include "crypto/sha256.h"
#include "tests/sim/program/rsa_key.h"

namespace kms::sim {
namespace {

namespace json = boost::json;

Bytes der(std::uint8_t tag, ByteView content) {
  Bytes out{tag};
  if (content.size() > 255) {
    out.push_back(0x82);
    out.push_back(static_cast<std::uint8_t>(content.size() >> 8));
  } else if (content.size() > 127) {
    out.push_back(0x81);
  }
  out.push_back(static_cast<std::uint8_t>(content.size()));
  append(out, content);
  return out;
}

Bytes der_integer(ByteView magnitude) {
  Bytes content;
  if ((magnitude[0] & 0x80) != 0) content.push_back(0);
  append(content, magnitude);
  return der(2, content);
}

crypto::Address no_entry() {
  return crypto::Address{};
}

json::object v1_json(const delegation::V1Authorisation& a, const delegation::ServingKey& key) {
  json::object out;
  out["networkId"] = to_0x(key.network.bytes);
  out["keyId"] = to_0x(key.key.bytes);
  out["form"] = std::string(1, delegation::letter_of(a.form));
  if (a.form == delegation::Form::a) out["entry"] = to_0x(a.entry.bytes);
  out["ephemeralPubKey"] = to_0x(a.ephemeral);
  out["target"] = to_0x(a.target);
  out["nonce"] = to_0x(a.nonce);
  out["deadline"] = a.deadline;
  out["signature"] = to_0x(a.signature);
  return out;
}

node::HttpRequest post(std::string target, const json::object& body) {
  node::HttpRequest out;
  out.method = "POST";
  out.target = std::move(target);
  out.content_type = "application/json";
  out.body = json::serialize(body);
  return out;
}

}  // namespace

const crypto::RsaPrivateKey& rsa_key() {
  static const crypto::RsaPrivateKey key = crypto::RsaPrivateKey::parse_pkcs8(*parse_hex(kRsaKey)).value();
  return key;
}

Bytes rsa_spki(ByteView modulus, ByteView exponent) {
  Bytes numbers = der_integer(modulus);
  append(numbers, der_integer(exponent));
  Bytes bits{0};
  append(bits, der(0x30, numbers));
  Bytes content = *parse_hex("300d06092a864886f70d0101010500");
  append(content, der(3, bits));
  return der(0x30, content);
}

delegation::Form form_of(Way way) {
  if (way == Way::b) return delegation::Form::b;
  return way == Way::c ? delegation::Form::c : delegation::Form::a;
}

std::string_view name_of(Way way) {
  constexpr std::string_view kNames[] = {"v0", "A", "B", "C"};
  return kNames[static_cast<std::size_t>(way)];
}

Gateway::Gateway(crypto::SecretScalar key)
    : key_(std::move(key)), address_(crypto::address_of(crypto::multiply_generator(key_).point())) {}

Petition Gateway::v0(const delegation::ServingKey& key, const crypto::Point& ephemeral) const {
  delegation::V0Authorisation a;
  a.chain_id = key.chain_id;
  a.ephemeral_pub_key = to_0x(ephemeral.bytes());
  const Bytes spki = rsa_key().public_spki();
  a.target_pub_key = to_0x(spki);
  const Hash32 digest = crypto::delegate_authorization_digest(a.chain_id, a.ephemeral_pub_key, a.target_pub_key);
  a.signature = crypto::sign_recoverable(key_, digest).bytes;
  const Hash32 target = crypto::sha256(spki);
  const Hash32 rh =
      delegation::request_hash(key, {delegation::Form::a, ephemeral, target, address_, digest, Hash32{}, 0});
  return {Way::v0, std::move(a), ephemeral, address_, std::nullopt, rh, key.key.bytes};
}

void Gateway::sign(delegation::V1Authorisation& a, const delegation::ServingKey& key) const {
  const bool is_c = a.form == delegation::Form::c;
  const crypto::DelegationAuthorization fields{key.network.bytes,
                                               key.key.bytes,
                                               static_cast<std::uint8_t>(a.form),
                                               a.entry,
                                               a.ephemeral,
                                               static_cast<std::uint8_t>(is_c ? 2 : 1),
                                               is_c ? a.target : to_bytes(crypto::sha256(a.target)),
                                               a.nonce,
                                               a.deadline};
  a.signature = crypto::sign_recoverable(key_, crypto::delegation_authorization_digest(key.chain_id, fields)).bytes;
}

Petition Gateway::petition_of(delegation::V1Authorisation a, const delegation::ServingKey& key) const {
  sign(a, key);
  const bool is_c = a.form == delegation::Form::c;
  const Bytes target = is_c ? a.target : to_bytes(crypto::sha256(a.target));
  const crypto::DelegationAuthorization fields{key.network.bytes,
                                               key.key.bytes,
                                               static_cast<std::uint8_t>(a.form),
                                               a.entry,
                                               a.ephemeral,
                                               static_cast<std::uint8_t>(is_c ? 2 : 1),
                                               target,
                                               a.nonce,
                                               a.deadline};
  const Hash32 digest = crypto::delegation_authorization_digest(key.chain_id, fields);
  const crypto::Point ephemeral = crypto::Point::parse(a.ephemeral).value();
  const Hash32 rh = delegation::request_hash(key, {a.form, ephemeral, target, address_, digest, a.nonce, a.deadline});
  const Way way = a.form == delegation::Form::a ? Way::a : is_c ? Way::c : Way::b;
  return {way, std::move(a), ephemeral, address_, std::nullopt, rh, key.key.bytes};
}

Petition Gateway::v1(Way way, const delegation::ServingKey& key, const crypto::Point& ephemeral,
                     const crypto::Address& entry, const Hash32& nonce, std::uint64_t deadline,
                     Entropy& entropy) const {
  delegation::V1Authorisation a;
  a.form = form_of(way);
  a.entry = way == Way::a ? entry : no_entry();
  a.ephemeral = ephemeral.bytes();
  a.nonce = nonce;
  a.deadline = deadline;
  std::optional<crypto::SecretScalar> recipient;
  if (way == Way::c) {
    recipient = crypto::SecretScalar::random(entropy);
    a.target = to_bytes(crypto::multiply_generator(*recipient).point().bytes());
  } else {
    a.target = rsa_key().public_spki();
  }
  Petition out = petition_of(std::move(a), key);
  out.recipient = std::move(recipient);
  return out;
}

ByteArray<65> other_signature(const ByteArray<65>& signature, std::size_t form) {
  ByteArray<65> out = signature;
  const auto parity = static_cast<std::uint8_t>(signature[64] - 27);
  if (form == 0 || form == 1) {
    const auto s = -crypto::Scalar::parse(ByteView(signature).subspan(32, 32)).value();
    std::copy(s.bytes().begin(), s.bytes().end(), out.begin() + 32);
    out[64] = static_cast<std::uint8_t>(form == 0 ? 28 - parity : 1 - parity);
  } else {
    out[64] = static_cast<std::uint8_t>(form == 2 ? parity : 37 + parity);
  }
  return out;
}

node::HttpRequest call_of(const Petition& petition, const delegation::ServingKey& key) {
  const auto* a = std::get_if<delegation::V0Authorisation>(&petition.authorisation);
  if (a == nullptr) {
    json::object body;
    body["requests"] = json::array{v1_json(*petition.v1(), key)};
    return post("/v1/delegations", body);
  }
  json::object body;
  body["ephemeralPubKey"] = a->ephemeral_pub_key;
  body["targetPubKey"] = a->target_pub_key;
  auto out = post("/v0/delegate?chain_id=" + std::to_string(a->chain_id) + "&salt=" + std::string(64, 'a'), body);
  out.authorization = "Bearer " + to_0x(a->signature);
  return out;
}

node::HttpRequest call_of(const std::vector<Petition>& petitions, const delegation::ServingKey& key) {
  json::array list;
  for (const Petition& petition : petitions) list.push_back(v1_json(*petition.v1(), key));
  json::object body;
  body["requests"] = std::move(list);
  return post("/v1/delegations", body);
}

node::HttpRequest more_call(const Hash32& rh, const std::set<dkg::Position>& bad) {
  json::array list;
  for (const dkg::Position index : bad) list.push_back(index);
  json::object body;
  body["bad"] = std::move(list);
  return post("/v1/delegations/" + to_0x(rh) + "/more", body);
}

}  // namespace kms::sim
