#include "node/solo_settings.h"

#include <charconv>

namespace kms::node {
namespace {

constexpr std::string_view kPrefix = "NOX_KMS_";
constexpr std::string_view kChains = "NOX_KMS_CHAINS__";
constexpr std::string_view kFileSuffix = "_FILE";

// A chain as far as its variables were read.
struct Draft {
  SoloChain chain;
  bool has_rpc_url = false;
};

Result<void> read_chain_variable(Draft& draft, const std::string& name, std::string_view field,
                                 const crypto::SecretBytes& value, std::vector<std::string>& warnings) {
  if (field == "ECC_KEY") {
    auto key = parse_secret_key(value);
    if (!key) return error(name + " " + key.error().message);
    draft.chain.imported_key = std::move(*key);
  } else if (field == "NOX_COMPUTE_CONTRACT_ADDRESS") {
    auto contract = crypto::Address::parse(plain_text(value));
    if (!contract)
      return error(name + " = \"" + registry::shown(plain_text(value)) + "\" must be 0x and 40 hex digits");
    draft.chain.contract = *contract;
  } else if (field == "RPC_URL") {
    draft.has_rpc_url = true;
  } else if (field != "CALL_TIMEOUT" && field != "CONNECT_TIMEOUT") {
    warnings.push_back(name + " is not known and has no effect");
  }
  return {};
}

Result<void> read_variable(SoloSettings& out, const std::string& name, const crypto::SecretBytes& value) {
  if (name == "NOX_KMS_SERVER__HOST") {
    out.host = plain_text(value);
    if (!parse_endpoint((out.host->find(':') != std::string::npos ? "[" + *out.host + "]" : *out.host) + ":1")) {
      return error(name + " = \"" + registry::shown(*out.host) +
                   "\" must be an IP address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them");
    }
  } else if (name == "NOX_KMS_SERVER__PORT") {
    const std::string text = plain_text(value);
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
      return error(name + " = \"" + registry::shown(text) + "\" must be a port from 0 to 65535");
    }
    out.port = port;
  } else if (name == "NOX_KMS_WALLET_KEY") {
    if (auto key = parse_secret_key(value); !key) return error(name + " " + key.error().message);
    out.wallet_key = value.clone();
  } else {
    out.warnings.push_back(name + " is not known and has no effect");
  }
  return {};
}

Result<void> read_chain(std::map<std::uint64_t, Draft>& drafts, SoloSettings& out, const std::string& name,
                        const crypto::SecretBytes& value) {
  const std::string_view rest = std::string_view(name).substr(kChains.size());
  const std::size_t separator = rest.find("__");
  const auto id = parse_chain_id(rest.substr(0, separator));
  if (separator == std::string_view::npos || !id) {
    return error(name + ": after NOX_KMS_CHAINS__ comes the chain id and __, as in NOX_KMS_CHAINS__421614__ECC_KEY");
  }
  Draft& draft = drafts[*id];
  draft.chain.id = *id;
  return read_chain_variable(draft, name, rest.substr(separator + 2), value, out.warnings);
}

Result<void> set_gateway(Draft& draft, std::uint64_t id, const std::map<std::uint64_t, std::string>& gateways) {
  const std::string variable = "KMS_GATEWAY__" + std::to_string(id);
  const auto at = gateways.find(id);
  if (at == gateways.end()) {
    if (draft.has_rpc_url) {
      return error("NOX_KMS_CHAINS__" + std::to_string(id) +
                   "__RPC_URL is set, but this version cannot read the chain; "
                   "set " +
                   variable + " to the address that gateway() of the NoxCompute contract returns");
    }
    return error(variable + " is missing: set it to the address whose authorisations are answered on this chain");
  }
  auto gateway = crypto::Address::parse(at->second);
  if (!gateway || *gateway == crypto::Address{}) {
    // Not shown: a gateway's key is put there by mistake easily.
    return error(variable + " must be the gateway's address, 0x and 40 hex digits, not zero; what it holds has " +
                 std::to_string(at->second.size()) + " characters");
  }
  draft.chain.gateway = *gateway;
  return {};
}

}  // namespace

std::vector<FileVariable> file_variables(const Environment& environment) {
  std::vector<FileVariable> out;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kFileSuffix)) continue;
    out.push_back({name.substr(0, name.size() - kFileSuffix.size()), plain_text(value)});
  }
  return out;
}

Result<SoloSettings> parse_solo(const Environment& environment, const std::map<std::uint64_t, std::string>& gateways) {
  SoloSettings out;
  std::map<std::uint64_t, Draft> drafts;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix) || name.ends_with(kFileSuffix)) continue;
    auto read = name.starts_with(kChains) ? read_chain(drafts, out, name, value) : read_variable(out, name, value);
    if (!read) return read.error();
  }
  for (const auto& [id, gateway] : gateways) drafts[id].chain.id = id;
  for (auto& [id, draft] : drafts) {
    if (auto set = set_gateway(draft, id, gateways); !set) return set.error();
    out.chains.push_back(std::move(draft.chain));
  }
  return out;
}

}  // namespace kms::node
