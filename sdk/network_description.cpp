#include "sdk/network_description.h"

#include <boost/json/array.hpp>

#include "sdk/json_text.h"

namespace kms {
namespace {

constexpr std::size_t kDescriptionBytesMax = 1024 * 1024;

Result<void> read_nodes(const boost::json::object& json, NetworkDescription& out) {
  const auto* nodes = sdk::array_in(json, "nodes");
  if (nodes == nullptr || nodes->empty() || nodes->size() > NetworkDescription::kNodesMax) {
    return error("the network description: \"nodes\" must list 1 to 128 nodes");
  }
  for (const auto& node : *nodes) {
    const auto* http = node.is_object() ? sdk::text_in(node.get_object(), "http") : nullptr;
    if (http == nullptr) return error("the network description: each of \"nodes\" needs an \"http\" URL");
    auto url = sdk::NodeUrl::parse(*http);
    if (!url) return error("the network description: " + url.error().message);
    out.nodes.push_back(*url);
  }
  return {};
}

Result<void> read_key(const boost::json::object& json, std::optional<std::uint64_t> chain_id, NetworkDescription& out) {
  const auto* keys = sdk::array_in(json, "keys");
  std::size_t matching = 0;
  for (std::size_t i = 0; keys != nullptr && i < keys->size(); ++i) {
    const auto* key = (*keys)[i].if_object();
    const auto chain = key == nullptr ? std::nullopt : sdk::number_in(*key, "chainId");
    const auto* text = key == nullptr ? nullptr : sdk::text_in(*key, "publicKey");
    if (!chain || text == nullptr) {
      return error("the network description: each of \"keys\" needs a \"chainId\" and a \"publicKey\"");
    }
    if (chain_id && *chain != *chain_id) continue;
    auto bytes = parse_hex(*text);
    if (!bytes) return error("the network description, \"publicKey\": " + bytes.error().message);
    auto point = crypto::Point::parse(*bytes);
    if (!point) return error("the network description, \"publicKey\": " + point.error().message);
    out.chain_id = *chain;
    out.public_key = *point;
    ++matching;
  }
  if (matching > 1) return error("the network description has several keys; say of which chain");
  if (matching == 1) return {};
  if (!chain_id) return error("the network description names no key; say of which chain it is to be");
  out.chain_id = *chain_id;
  return {};
}

}  // namespace

Result<NetworkDescription> NetworkDescription::parse(std::string_view text, std::optional<std::uint64_t> chain_id) {
  auto json = sdk::parse_object(text, kDescriptionBytesMax, "the network description");
  if (!json) return json.error();
  NetworkDescription out;
  if (auto read = read_nodes(*json, out); !read) return read.error();
  if (auto read = read_key(*json, chain_id, out); !read) return read.error();
  const auto* signer = sdk::object_in(*json, "signer");
  const auto* address = signer == nullptr ? nullptr : sdk::text_in(*signer, "address");
  if (signer != nullptr && address == nullptr) return error("the network description: \"signer\" has no \"address\"");
  if (address != nullptr) {
    auto parsed = crypto::Address::parse(*address);
    if (!parsed) return error("the network description, \"signer\": " + parsed.error().message);
    out.signer = *parsed;
  }
  return out;
}

}  // namespace kms
