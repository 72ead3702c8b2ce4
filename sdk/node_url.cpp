#include "sdk/node_url.h"

#include <algorithm>
#include <charconv>

#include "sdk/json_text.h"

namespace kms::sdk {
namespace {

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_ip6_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

}  // namespace

Result<NodeUrl> NodeUrl::parse(std::string_view text) {
  auto wrong = [&](const std::string& why) {
    return error("\"" + excerpt(text) + "\" is no node URL: " + why + "; write it like http://127.0.0.1:9101");
  };
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://")) return wrong("https is not spoken here");
  if (!text.starts_with(kScheme)) return wrong("it does not start with http://");
  std::string_view rest = text.substr(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.size() > 260) return wrong("it is too long");
  NodeUrl url;
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == rest.npos) return wrong("the ] of the address is missing");
    url.host = std::string(rest.substr(1, end - 1));
    if (!std::all_of(url.host.begin(), url.host.end(), is_ip6_character))
      return wrong("its address is no IPv6 address");
    rest.remove_prefix(end + 1);
    has_port = rest.starts_with(':');
    if (!has_port && !rest.empty()) return wrong("something follows the address");
    if (has_port) port = rest.substr(1);
  } else {
    const std::size_t colon = rest.find(':');
    has_port = colon != rest.npos;
    url.host = std::string(rest.substr(0, colon));
    if (has_port) port = rest.substr(colon + 1);
    if (!std::all_of(url.host.begin(), url.host.end(), is_host_character))
      return wrong("only host and port are allowed");
  }
  if (url.host.empty()) return wrong("it has no host");
  if (has_port) {
    auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (failure != std::errc() || end != port.data() + port.size() || url.port == 0) {
      return wrong("its port is not 1 to 65535");
    }
  }
  return url;
}

std::string NodeUrl::text() const {
  const bool is_ip6 = host.find(':') != host.npos;
  return "http://" + (is_ip6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace kms::sdk
