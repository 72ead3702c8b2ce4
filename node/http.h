// HTTP as values: what the server in node/io hands to NodeCore and what it gets back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kms::node {

struct HttpRequest {
  std::string method;
  std::string target;  // path and query as received
  std::string content_type;
  std::string authorization;
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // further ones, for example Retry-After
};

// {"error": "Kind: text"}, the shape of every JSON error (docs/API.md). `text` holds no secrets.
HttpResponse json_error(int status, std::string_view kind, std::string_view text);
HttpResponse text_error(int status, std::string_view text);

// Whether a content type is JSON, parameters aside; what is answered where it is not.
bool is_json(std::string_view content_type);
HttpResponse no_json();

// Path and decoded query parameters of a request target.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  // The first value of the name, or null.
  const std::string* parameter(std::string_view name) const;
};
// Percent-decodes the query; a malformed escape stays as it is, as the reference service does.
Target parse_target(std::string_view target);

}  // namespace kms::node
