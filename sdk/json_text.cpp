#include "sdk/json_text.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

namespace kms::sdk {

namespace json = boost::json;

Result<json::object> parse_object(std::string_view text, std::size_t bytes_max, const std::string& what) {
  if (text.size() > bytes_max) {
    return error(what + " has " + std::to_string(text.size()) + " bytes, more than the " + std::to_string(bytes_max) +
                 " accepted");
  }
  json::error_code failure;
  json::value value = json::parse(text, failure, {}, {});
  // Without the text itself: a file that was named by mistake may hold a key.
  if (failure) return error(what + " is not JSON: " + failure.message());
  if (!value.is_object()) return error(what + " is JSON, but not an object");
  return std::move(value.as_object());
}

const json::string* text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_string();
}

const json::array* array_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_array();
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

std::optional<std::uint64_t> number_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
  return {};
}

std::optional<double> real_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return {};
  return value->to_number<double>();
}

bool flag_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string excerpt(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 120)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
  return text.size() > 120 ? out + ".." : out;
}

std::string excerpt_in(const boost::json::object& object, std::string_view name) {
  const auto* text = text_in(object, name);
  return text == nullptr ? "" : excerpt(std::string_view(*text));
}

}  // namespace kms::sdk
