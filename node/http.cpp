#include "node/http.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace kms::node {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
      continue;
    }
    if (text[i] == '%' && i + 2 < text.size()) {
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

// What clients sent may stand in an answer, which stays valid UTF-8 whatever that was.
std::string ascii(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text;
}

// RFC 9112 3.2.2: a target may name the scheme and the host, too.
std::string_view without_authority(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? "/" : target.substr(path);
  }
  return target;
}

}  // namespace

HttpResponse json_error(int status, std::string_view kind, std::string_view text) {
  std::string message(kind);
  message.append(": ").append(text);
  boost::json::object body;
  body["error"] = ascii(std::move(message));
  return {status, "application/json", boost::json::serialize(body), {}};
}

HttpResponse text_error(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", ascii(std::string(text)), {}};
}

const std::string* Target::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return &value;
  }
  return nullptr;
}

Target parse_target(std::string_view target) {
  Target out;
  target = without_authority(target);
  std::size_t mark = target.find('?');
  out.path = mark == 0 ? "/" : std::string(target.substr(0, mark));
  if (mark == std::string_view::npos) return out;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    std::size_t equals = pair.find('=');
    std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    out.query.emplace_back(percent_decoded(pair.substr(0, equals)), percent_decoded(value));
  }
  return out;
}

bool is_json(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  while (!content_type.empty() && content_type.front() == ' ') content_type.remove_prefix(1);
  std::string lower;
  for (char c : content_type) lower.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  return lower == "application/json" || (lower.starts_with("application/") && lower.ends_with("+json"));
}

HttpResponse no_json() {
  return text_error(415, "Expected request with `Content-Type: application/json`");
}

}  // namespace kms::node
