#include "node/v1_api.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/assert.h"
#include "node/api.h"

namespace kms::node {

namespace json = boost::json;
using delegation::Form;

namespace {

// Reads members of one request; the first complaint stands.
class V1Fields {
 public:
  explicit V1Fields(const json::object& object) : object_(object) {}

  std::string text(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value != nullptr && value->is_string()) return std::string(value->as_string());
    complain(name, value == nullptr ? "is missing" : "must be a string");
    return {};
  }
  template <std::size_t N>
  ByteArray<N> fixed(std::string_view name) {
    const std::string hex = text(name);
    if (!complaint_.empty()) return {};
    auto bytes = parse_hex_array<N>(hex);
    if (bytes) return *bytes;
    complain(name, bytes.error().message);
    return {};
  }
  Bytes bytes(std::string_view name, std::size_t max) {
    const std::string hex = text(name);
    if (!complaint_.empty()) return {};
    if (hex.size() > 2 * max + 2) {
      complain(name, "has more than " + std::to_string(max) + " bytes");
      return {};
    }
    auto out = parse_hex(hex);
    if (out) return std::move(*out);
    complain(name, out.error().message);
    return {};
  }
  std::uint64_t number(std::string_view name) {
    const json::value* value = object_.if_contains(name);
    if (value != nullptr && value->is_uint64()) return value->as_uint64();
    if (value != nullptr && value->is_int64() && value->as_int64() >= 0) {
      return static_cast<std::uint64_t>(value->as_int64());
    }
    complain(name, value == nullptr ? "is missing" : "must be a whole number");
    return 0;
  }
  bool has(std::string_view name) const { return object_.contains(name); }
  void complain(std::string_view name, const std::string& why) {
    if (complaint_.empty()) complaint_.append(name).append(": ").append(why);
  }
  const std::string& complaint() const { return complaint_; }

 private:
  const json::object& object_;
  std::string complaint_;
};

V1Failure invalid(const std::string& why) {
  return {400, "Invalid request: " + why};
}

V1Item read_request(const json::value& value, const dkg::NetworkId& network) {
  if (!value.is_object()) return invalid("a request must be an object");
  V1Fields fields(value.as_object());
  V1Request out;
  const auto network_id = fields.fixed<32>("networkId");
  out.key.bytes = fields.fixed<32>("keyId");
  const std::string form = fields.text("form");
  const bool is_form = form == "A" || form == "B" || form == "C";
  if (!is_form) fields.complain("form", "must be \"A\", \"B\" or \"C\"");
  delegation::V1Authorisation& a = out.authorisation;
  if (is_form) a.form = static_cast<Form>(form[0] - 'A' + 1);
  if (a.form == Form::a) {
    a.entry.bytes = fields.fixed<20>("entry");
  } else if (fields.has("entry") && fields.fixed<20>("entry") != ByteArray<20>{}) {
    fields.complain("entry", "belongs to form A only");
  }
  a.ephemeral = fields.fixed<33>("ephemeralPubKey");
  a.target = fields.bytes("target", delegation::kTargetBytesMax);
  a.nonce = fields.fixed<32>("nonce");
  a.deadline = fields.number("deadline");
  a.signature = fields.fixed<65>("signature");
  if (!fields.complaint().empty()) return invalid(fields.complaint());
  if (network_id != network.bytes) return invalid("networkId: this is network " + network.hex());
  return out;
}

// The body as an object, or a refusal.
std::variant<json::value, HttpResponse> read_object(const HttpRequest& request) {
  if (!is_json(request.content_type)) return no_json();
  json::error_code failure;
  json::value body = json::parse(request.body, failure);
  if (failure) return text_error(400, "Failed to parse the request body as JSON: " + failure.message());
  if (!body.is_object()) return json_error(400, "Invalid request", "the body must be an object");
  return body;
}

json::object partial_view(const delegation::PublicPartial& partial) {
  json::object out;
  if (const auto* b = std::get_if<delegation::PartialB>(&partial)) {
    out["index"] = b->index;
    out["ciphertext"] = to_0x(b->ciphertext);
    out["signature"] = to_0x(b->signature.bytes);
    return out;
  }
  const auto& c = std::get<delegation::PartialC>(partial);
  out["index"] = c.index;
  out["u"] = to_0x(c.u);
  out["w"] = to_0x(c.w);
  out["proof"] = to_0x(c.proof);
  return out;
}

void add_result(json::object& out, const delegation::PublicResult& result, V1Detail detail) {
  json::array partials;
  json::array members;
  for (const delegation::PublicPartial& partial : result.partials) {
    members.push_back(delegation::index_of(partial));
    partials.push_back(partial_view(partial));
  }
  if (result.combined) {
    out["members"] = std::move(members);
    out["u"] = to_0x(result.combined->u);
    out["w"] = to_0x(result.combined->w);
    out["bundleHash"] = to_0x(result.combined->bundle_hash);
  }
  if (!result.combined || detail == V1Detail::with_partials) out["partials"] = std::move(partials);
}

void add_key(json::object& out, const delegation::ServingKey& key, Form form) {
  out["form"] = std::string(1, delegation::letter_of(form));
  out["keyId"] = key.key.hex();
  out["epoch"] = key.epoch;
  out["transcript"] = key.transcript.hex();
  out["couldLearn"] = json::array();
}

V1Failure failure_of(const delegation::Outcome& outcome) {
  if (const auto* fault = std::get_if<delegation::AuthorisationError>(&outcome)) {
    const bool is_unauthorised = fault->fault == delegation::AuthorisationFault::unauthorised;
    if (is_unauthorised) return {401, "Unauthorized: " + fault->message};
    return {400, "Cryptographic error: " + fault->message};
  }
  if (const auto* conflict = std::get_if<delegation::Conflict>(&outcome))
    return {409, "Conflict: " + conflict->message};
  if (const auto* spent = std::get_if<delegation::QuotaSpent>(&outcome)) return {403, "Quota: " + spent->message};
  if (const auto* over = std::get_if<delegation::Overloaded>(&outcome)) return {429, "Overloaded: " + over->message};
  return {503, "Unavailable: " + std::get<delegation::Unavailable>(outcome).message};
}

int status_of(const json::object& result) {
  return static_cast<int>(result.at("status").as_int64());
}

}  // namespace

std::variant<std::vector<V1Item>, HttpResponse> parse_v1_delegations(const HttpRequest& request,
                                                                     const dkg::NetworkId& network) {
  auto body = read_object(request);
  if (auto* refusal = std::get_if<HttpResponse>(&body)) return std::move(*refusal);
  const json::value* list = std::get<json::value>(body).as_object().if_contains("requests");
  if (list == nullptr || !list->is_array() || list->as_array().empty() || list->as_array().size() > kV1RequestsMax) {
    return json_error(400, "Invalid request", "requests must be a list of 1 to 64");
  }
  std::vector<V1Item> out;
  for (const json::value& each : list->as_array()) out.push_back(read_request(each, network));
  return out;
}

std::variant<std::set<dkg::Position>, HttpResponse> parse_v1_more(const HttpRequest& request) {
  auto body = read_object(request);
  if (auto* refusal = std::get_if<HttpResponse>(&body)) return std::move(*refusal);
  const json::value* list = std::get<json::value>(body).as_object().if_contains("bad");
  const auto is_index = [](const json::value& each) {
    return each.is_int64() && each.as_int64() >= 1 && each.as_int64() <= static_cast<std::int64_t>(dkg::kMembersMax);
  };
  const bool is_list = list != nullptr && list->is_array() && list->as_array().size() <= dkg::kMembersMax &&
                       std::all_of(list->as_array().begin(), list->as_array().end(), is_index);
  if (!is_list) return json_error(400, "Invalid request", "bad must be a list of members' indices");
  std::set<dkg::Position> out;
  for (const json::value& each : list->as_array()) out.insert(static_cast<dkg::Position>(each.as_int64()));
  return out;
}

json::object v1_result(const delegation::Outcome& outcome, const std::optional<Hash32>& rh,
                       const delegation::ServingKeyPtr& key, V1Detail detail) {
  json::object out;
  if (rh) out["id"] = to_0x(*rh);
  out["status"] = 200;
  if (const auto* shared = std::get_if<delegation::PublicResultPtr>(&outcome)) {
    const delegation::PublicResult& result = **shared;
    add_key(out, *result.key, result.form);
    add_result(out, result, detail);
    return out;
  }
  if (const auto* answer = std::get_if<delegation::V0Answer>(&outcome)) {
    add_key(out, *key, Form::a);
    out["couldLearn"].as_array().push_back(json::string(answer->entry.hex()));
    out["encryptedSharedSecret"] = answer->encrypted_shared_secret;
    out["proof"] = answer->proof;
    return out;
  }
  const V1Failure failure = failure_of(outcome);
  out["status"] = failure.status;
  out["error"] = failure.error;
  return out;
}

json::object v1_result(const V1Failure& failure) {
  json::object out;
  out["status"] = failure.status;
  out["error"] = failure.error;
  return out;
}

json::object v1_blame(const std::map<dkg::NodeId, std::deque<delegation::BadPartial>>& bad,
                      const std::function<std::string(const dkg::NodeId&)>& label_of) {
  json::array list;
  for (const auto& [node, partials] : bad) {
    for (const delegation::BadPartial& each : partials) {
      const bool is_b = std::holds_alternative<delegation::PartialB>(each.partial);
      const Bytes body = std::visit([](const auto& partial) { return partial.body(); }, each.partial);
      json::object out;
      out["member"] = label_of(node);
      out["text"] = "sent a bad partial: " + each.fault;
      out["at"] = rfc3339(each.at_ms);
      out["id"] = to_0x(delegation::rh_of(each.partial));
      out["form"] = is_b ? "B" : "C";
      out["evidence"] = to_0x(crypto::sha256(body));
      out["evidenceBody"] = to_0x(body);
      list.push_back(std::move(out));
    }
  }
  json::object out;
  out["blame"] = std::move(list);
  return out;
}

HttpResponse v1_answer(std::vector<json::object> results) {
  KMS_ASSERT(!results.empty());
  int status = status_of(results.front());
  json::array list;
  for (json::object& result : results) {
    if (status_of(result) == 200) status = 200;
    list.push_back(std::move(result));
  }
  json::object body;
  body["results"] = std::move(list);
  HttpResponse out{status, "application/json", json::serialize(body), {}};
  if (status == 429) out.headers.emplace_back("Retry-After", "1");
  return out;
}

HttpResponse v1_answer(const json::object& result) {
  HttpResponse out{status_of(result), "application/json", json::serialize(result), {}};
  if (out.status == 429) out.headers.emplace_back("Retry-After", "1");
  return out;
}

}  // namespace kms::node
