#include "cli/testnet_file.h"

#include <boost/json/array.hpp>

#include "crypto/secret_hex.h"
#include "sdk/json_text.h"

namespace kms::cli {
namespace {

using boost::json::object;

Result<std::vector<TestnetNode>> nodes_in(const object& json, const std::string& file_name) {
  const auto* nodes = sdk::array_in(json, "nodes");
  if (nodes == nullptr || nodes->empty() || nodes->size() > kNodesMax) {
    return error(file_name + ": \"nodes\" must list 1 to 128 nodes");
  }
  std::vector<TestnetNode> out;
  for (const auto& value : *nodes) {
    const object* node = value.if_object();
    const auto index = node == nullptr ? std::nullopt : sdk::number_in(*node, "index");
    const auto* http = node == nullptr ? nullptr : sdk::text_in(*node, "http");
    if (!index || *index == 0 || *index > 0xffff || http == nullptr) {
      return error(file_name + ": each of \"nodes\" needs an \"index\" from 1 and an \"http\" URL");
    }
    auto url = sdk::NodeUrl::parse(*http);
    if (!url) return error(file_name + ": " + url.error().message);
    const auto* folder = sdk::text_in(*node, "dir");
    const std::uint64_t pid = std::min<std::uint64_t>(sdk::number_in(*node, "pid").value_or(0), 0x7fffffff);
    out.push_back({static_cast<std::uint32_t>(*index), *url, folder == nullptr ? "" : std::string(*folder),
                   static_cast<int>(pid)});
  }
  return out;
}

Result<std::vector<TestnetKey>> keys_in(const object& json, const std::string& file_name) {
  std::vector<TestnetKey> out;
  const auto* keys = sdk::array_in(json, "keys");
  if (keys == nullptr) return out;
  for (const auto& value : *keys) {
    const object* key = value.if_object();
    const auto chain_id = key == nullptr ? std::nullopt : sdk::number_in(*key, "chainId");
    const auto* text = key == nullptr ? nullptr : sdk::text_in(*key, "publicKey");
    auto bytes = text == nullptr ? Result<Bytes>(Bytes()) : parse_hex(*text);
    auto point = bytes ? crypto::Point::parse(*bytes) : Result<crypto::Point>(bytes.error());
    if (!chain_id || !point) return error(file_name + ": each of \"keys\" needs a \"chainId\" and a \"publicKey\"");
    out.push_back({*chain_id, *point});
  }
  return out;
}

}  // namespace

Result<Testnet> Testnet::parse(std::string_view text, const std::string& file_name) {
  auto json = sdk::parse_object(text, kTestnetFileBytesMax, file_name);
  if (!json) return json.error();
  auto nodes = nodes_in(*json, file_name);
  if (!nodes) return nodes.error();
  auto keys = keys_in(*json, file_name);
  if (!keys) return keys.error();
  const auto* network = sdk::text_in(*json, "network");
  const object* gateway = sdk::object_in(*json, "gateway");
  const object* signer = sdk::object_in(*json, "signer");
  const auto* key_text = gateway == nullptr ? nullptr : sdk::text_in(*gateway, "privateKey");
  const auto* signer_text = signer == nullptr ? nullptr : sdk::text_in(*signer, "address");
  if (key_text == nullptr || signer_text == nullptr) {
    return error(file_name +
                 ": \"gateway\".\"privateKey\" and \"signer\".\"address\" must be there; testnet/up writes them");
  }
  auto key = crypto::parse_secret_hex(as_bytes(*key_text));
  if (!key) return error(file_name + ": \"gateway\".\"privateKey\": " + key.error().message);
  auto scalar = crypto::SecretScalar::parse(key->expose());
  if (!scalar || scalar->is_zero()) return error(file_name + ": \"gateway\".\"privateKey\" is no secp256k1 key");
  auto address = crypto::Address::parse(*signer_text);
  if (!address) return error(file_name + ": \"signer\".\"address\": " + address.error().message);
  Testnet out;
  out.network = network == nullptr ? "" : std::string(*network);
  out.threshold =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(sdk::number_in(*json, "threshold").value_or(0), 999));
  out.nodes = std::move(*nodes);
  out.keys = std::move(*keys);
  out.gateway_key = std::move(*scalar);
  out.signer = *address;
  return out;
}

}  // namespace kms::cli
