#include "node/v0_api.h"

#include <charconv>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace kms::node {
namespace {

using Parsed = std::variant<V0Request, HttpResponse>;

HttpResponse bad_query(std::string_view why) {
  return text_error(400, "Failed to deserialize query string: " + std::string(why));
}

// A string member of the body, or null and the refusal.
const boost::json::string* member(const boost::json::object& body, std::string_view name, HttpResponse& refusal) {
  const boost::json::value* value = body.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    refusal = text_error(422, "Failed to deserialize the JSON body into the target type: " +
                                  std::string(value == nullptr ? "missing field `" : "expected a string in `") +
                                  std::string(name) + "`");
    return nullptr;
  }
  return &value->as_string();
}

// Fills the two key strings; a refusal otherwise.
bool read_body(const HttpRequest& request, V0Request& out, HttpResponse& refusal) {
  if (!is_json(request.content_type)) {
    refusal = no_json();
    return false;
  }
  boost::json::error_code failure;
  boost::json::monotonic_resource memory;  // a few large blocks, which the system gets back at once
  boost::json::value body = boost::json::parse(request.body, failure, &memory);
  if (failure) {
    refusal = text_error(400, "Failed to parse the request body as JSON: " + failure.message());
    return false;
  }
  if (!body.is_object()) {
    refusal = text_error(422, "Failed to deserialize the JSON body into the target type: expected an object");
    return false;
  }
  const auto* ephemeral = member(body.as_object(), "ephemeralPubKey", refusal);
  if (ephemeral == nullptr) return false;
  const auto* target = member(body.as_object(), "targetPubKey", refusal);
  if (target == nullptr) return false;
  out.authorisation.ephemeral_pub_key = std::string(*ephemeral);
  out.authorisation.target_pub_key = std::string(*target);
  return true;
}

bool read_authorization(std::string_view header, V0Request& out, HttpResponse& refusal) {
  auto refuse = [&](std::string_view why) {
    refusal = json_error(401, "Unauthorized", why);
    return false;
  };
  if (header.empty()) return refuse("missing Authorization header");
  if (!header.starts_with("Bearer ")) return refuse("the Authorization header is not a Bearer token");
  std::string_view token = header.substr(7);
  if (!token.starts_with("0x")) return refuse("the token is not 0x-prefixed hex");
  auto signature = parse_hex_array<65>(token);
  if (!signature) return refuse("signature: " + signature.error().message);
  out.authorisation.signature = *signature;
  return true;
}

}  // namespace

Parsed parse_v0_delegate(const HttpRequest& request, const Target& target, const std::set<std::uint64_t>& chains) {
  V0Request out;
  const std::string* chain = target.parameter("chain_id");
  if (chain == nullptr) return bad_query("missing field `chain_id`");
  std::uint32_t chain_id = 0;
  auto [end, failure] = std::from_chars(chain->data(), chain->data() + chain->size(), chain_id);
  if (failure != std::errc() || end != chain->data() + chain->size()) {
    return bad_query("chain_id: \"" + chain->substr(0, 40) + "\" is not a decimal number below 2^32");
  }
  const std::string* salt = target.parameter("salt");
  if (salt == nullptr) return bad_query("missing field `salt`");

  HttpResponse refusal;
  if (!read_body(request, out, refusal)) return refusal;
  out.authorisation.chain_id = chain_id;
  if (!chains.contains(chain_id)) {
    return json_error(400, "Invalid query parameters", "chain_id " + std::to_string(chain_id) + " is not served here");
  }
  auto salt_bytes = parse_hex_array<32>(*salt);
  if (!salt_bytes) return json_error(400, "Invalid query parameters", "salt: " + salt_bytes.error().message);
  out.salt = *salt_bytes;
  if (!read_authorization(request.authorization, out, refusal)) return refusal;
  return out;
}

HttpResponse to_response(const delegation::AuthorisationError& error) {
  if (error.fault == delegation::AuthorisationFault::unauthorised) {
    return json_error(401, "Unauthorized", error.message);
  }
  return json_error(400, "Cryptographic error", error.message);
}

}  // namespace kms::node
