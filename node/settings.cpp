#include "node/settings.h"

#include <charconv>

#include "crypto/secret_hex.h"
#include "net/multiaddr.h"

namespace kms::node {
namespace {

std::string upper(std::string_view text) {
  std::string out;
  for (char c : text) out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return out;
}

bool is_ip_address(const std::string& host) {
  return net::Multiaddr::parse_text("/ip4/" + host).has_value() ||
         net::Multiaddr::parse_text("/ip6/" + host).has_value();
}

bool is_space(std::uint8_t c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

std::string variable_of(const std::string& path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string::npos) return "KMS_" + upper(path);
  return "KMS_" + upper(path.substr(0, dot)) + "__" + upper(path.substr(dot + 1));
}

Settings::Settings(const Environment& environment, const CommandLine& command_line) : environment_(environment) {
  const auto put = [this](const char* path, const char* option, const std::optional<std::string>& value) {
    if (value) command_line_[path] = {*value, option};
  };
  put("data_dir", "--data-dir", command_line.data_dir);
  put("network.file", "--network", command_line.network_file);
  put("p2p.peers_file", "--peers", command_line.peers_file);
}

std::optional<registry::TomlOverride> Settings::find(const std::string& path) {
  const std::string variable = variable_of(path);
  asked_.insert(variable);
  if (const auto at = command_line_.find(path); at != command_line_.end()) {
    return at->second;
  }
  if (const auto at = environment_.find(variable); at != environment_.end()) {
    return registry::TomlOverride{plain_text(at->second), variable};
  }
  const auto at = below_.find(path);
  return at != below_.end() ? std::optional(at->second) : std::nullopt;
}

std::optional<crypto::SecretBytes> Settings::secret(const std::string& path) {
  const std::string variable = variable_of(path);
  asked_.insert(variable);
  const auto at = environment_.find(variable);
  if (at == environment_.end()) return std::nullopt;
  return at->second.clone();
}

std::map<std::uint64_t, std::string> Settings::numbered(const std::string& prefix) {
  std::map<std::uint64_t, std::string> out;
  for (auto at = environment_.lower_bound(prefix); at != environment_.end() && at->first.starts_with(prefix); ++at) {
    const auto number = parse_chain_id(std::string_view(at->first).substr(prefix.size()));
    if (!number) continue;
    asked_.insert(at->first);
    out.emplace(*number, plain_text(at->second));
  }
  return out;
}

std::optional<std::string> Settings::unknown() const {
  for (const auto& [name, value] : environment_) {
    if (name.starts_with("KMS_") && name.find("__") != std::string::npos && !asked_.contains(name)) return name;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_chain_id(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 1 || text.starts_with('0'))
    return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const Error remedy = error(
      "must be HOST:PORT, where HOST is an IP address of this machine, for example 127.0.0.1:9000, [::1]:9000, or "
      "0.0.0.0:9000 for all of them");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > 300) return remedy;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return remedy;
  }
  std::uint16_t port = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (host.empty() || digits.empty() || fault != std::errc() || end != digits.data() + digits.size()) return remedy;
  if (host == "localhost") host = "127.0.0.1";
  if (host.find('/') != std::string_view::npos || !is_ip_address(std::string(host))) return remedy;
  return Endpoint{std::string(host), port};
}

std::string plain_text(const crypto::SecretBytes& value) {
  ByteView text = value.expose();
  while (!text.empty() && is_space(text.back())) text = text.first(text.size() - 1);
  return std::string(as_text(text));
}

Result<crypto::SecretScalar> parse_secret_key(const crypto::SecretBytes& value) {
  const Error remedy = error("must be a secp256k1 secret key, 32 bytes of hex (the value is not shown)");
  auto bytes = crypto::parse_secret_hex(value.expose());
  if (!bytes) return remedy;
  auto scalar = crypto::SecretScalar::parse(bytes->expose());
  if (!scalar || scalar->is_zero()) return remedy;
  return scalar;
}

}  // namespace kms::node
