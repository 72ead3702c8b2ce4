// Where settings come from: environment variables over the text of node.toml, with every variable accounted for.
// Included by node/config*.cpp only.
#pragma once

#include "node/config.h"
#include "registry/toml_fields.h"

namespace kms::node {

// "http.connections_max" -> "KMS_HTTP__CONNECTIONS_MAX", "data_dir" -> "KMS_DATA_DIR".
std::string variable_of(const std::string& path);

// The KMS_* variables, and the values that the command line puts over them.
class Settings {
 public:
  Settings(const Environment& environment, const CommandLine& command_line);

  // A value that stands over the file and under the variables.
  void put_below(const std::string& path, registry::TomlOverride value) { below_[path] = std::move(value); }
  // What stands over the file, for registry::TomlText; remembers what was asked for.
  std::optional<registry::TomlOverride> find(const std::string& path);
  // A secret, which has no place in the file and is never copied into a text.
  std::optional<crypto::SecretBytes> secret(const std::string& path);
  // A variable with a number in its name, KMS_GATEWAY__31337, and its value.
  std::map<std::uint64_t, std::string> numbered(const std::string& prefix);
  // The first KMS_*__* variable that nobody asked for: most likely a misspelt setting.
  std::optional<std::string> unknown() const;

 private:
  const Environment& environment_;
  std::map<std::string, registry::TomlOverride> command_line_;  // by path
  std::map<std::string, registry::TomlOverride> below_;
  std::set<std::string> asked_;
};

// Decimal, 1 .. 2^63 - 1, without sign or leading zeros.
std::optional<std::uint64_t> parse_chain_id(std::string_view text);
// Where to listen: "127.0.0.1:9000", "[::1]:9000"; "localhost:0" is 127.0.0.1, other names are refused.
Result<Endpoint> parse_endpoint(std::string_view text);
// 32 bytes of hex, with or without 0x, surrounding white space allowed. The error does not show the value.
Result<crypto::SecretScalar> parse_secret_key(const crypto::SecretBytes& hex);
// The value of a variable that is no secret, without line ends and spaces behind it.
std::string plain_text(const crypto::SecretBytes& value);

}  // namespace kms::node
