#include "sdk/http.h"

#include "sdk/json_text.h"

namespace kms::sdk {

std::string refusal_in(const HttpAnswer& answer) {
  const std::string status = "status " + std::to_string(answer.status);
  auto json = parse_object(answer.body, 64 * 1024, "the refusal");
  const auto* text = json ? text_in(*json, "error") : nullptr;
  if (text != nullptr) return status + ", " + excerpt(std::string_view(*text).substr(0, 1000));
  return answer.body.empty() ? status : status + ", \"" + excerpt(answer.body) + "\"";
}

}  // namespace kms::sdk
