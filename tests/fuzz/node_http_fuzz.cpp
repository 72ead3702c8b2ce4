// node/: request targets and POST /v0/delegate before any cryptography. The fields of a request are the lines of the
// input; the body is what is left.
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "node/v0_api.h"
#include "tests/fuzz/fuzzer.h"

using namespace kms;
using namespace kms::node;

namespace {

std::string take_line(std::string_view& text) {
  std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return std::string(line);
}

void check_refusal(const HttpResponse& response, const HttpRequest& request) {
  bool known = response.status == 400 || response.status == 401 || response.status == 415 || response.status == 422;
  KMS_ASSERT(known && response.body.size() <= 1000 + 6 * request.target.size());
  if (response.content_type != "application/json") return;
  boost::json::error_code failure;
  auto body = boost::json::parse(response.body, failure);
  KMS_ASSERT(!failure && body.is_object() && body.as_object().contains("error"));
}

}  // namespace

KMS_FUZZER(node_http) {
  std::string_view text = as_text(input);
  HttpRequest request;
  request.method = "POST";
  request.target = take_line(text);
  request.content_type = take_line(text);
  request.authorization = take_line(text);
  request.body = std::string(text);

  Target target = parse_target(request.target);
  std::size_t size = target.path.size();
  for (const auto& [name, value] : target.query) size += name.size() + value.size();
  KMS_ASSERT(size <= request.target.size() + 1);  // an absolute-form target without a path means "/"

  auto parsed = parse_v0_delegate(request, target, {1, 31337});
  if (auto* accepted = std::get_if<V0Request>(&parsed)) {
    auto chain = accepted->authorisation.chain_id;
    KMS_ASSERT(chain == 1 || chain == 31337);
    KMS_ASSERT(accepted->authorisation.target_pub_key.size() <= request.body.size());
  } else {
    check_refusal(std::get<HttpResponse>(parsed), request);
  }
}
