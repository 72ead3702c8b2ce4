#include "cli/key_list.h"

#include <boost/json/array.hpp>

#include "cli/table.h"
#include "sdk/json_text.h"

namespace kms::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kKeysMax = 1024;
constexpr const char* kImportedWarning =
    "A key marked \"imported\" was held whole by somebody before the network shared it. Members cannot know whether a\n"
    "copy of it still exists; whoever has one decrypts without them, whatever the threshold.";

Result<KeySummary> summary_from(const json::value& value) {
  const json::object* key = value.if_object();
  if (key == nullptr) return error("GET /v1/keys: an entry is no object");
  const json::string* id = sdk::text_in(*key, "keyId");
  const json::string* point_text = sdk::text_in(*key, "publicKey");
  const json::string* origin = sdk::text_in(*key, "origin");
  const auto chain_id = sdk::number_in(*key, "chainId");
  if (id == nullptr || point_text == nullptr || !chain_id) {
    return error("GET /v1/keys: an entry lacks \"keyId\", \"chainId\" or \"publicKey\"");
  }
  auto bytes = parse_hex(*point_text);
  if (!bytes) return error("GET /v1/keys, \"publicKey\": " + bytes.error().message);
  auto point = crypto::Point::parse(*bytes);
  if (!point) return error("GET /v1/keys, \"publicKey\": " + point.error().message);
  return KeySummary{sdk::excerpt(std::string_view(*id)),
                    *chain_id,
                    *point,
                    sdk::number_in(*key, "epoch").value_or(0),
                    sdk::number_in(*key, "threshold").value_or(0),
                    sdk::number_in(*key, "memberCount").value_or(0),
                    origin != nullptr && *origin == "imported"};
}

}  // namespace

Result<std::vector<KeySummary>> keys_in(const sdk::HttpAnswer& answer) {
  if (answer.status != 200) return error("GET /v1/keys: " + sdk::refusal_in(answer));
  auto body = sdk::parse_object(answer.body, sdk::kListBytesMax, "GET /v1/keys");
  if (!body) return body.error();
  const json::array* list = sdk::array_in(*body, "keys");
  if (list == nullptr || list->size() > kKeysMax) return error("GET /v1/keys: \"keys\" is no list of up to 1024 keys");
  std::vector<KeySummary> keys;
  for (const json::value& value : *list) {
    auto key = summary_from(value);
    if (!key) return key.error();
    keys.push_back(std::move(*key));
  }
  return keys;
}

Result<KeySummary> choose_key(const std::vector<KeySummary>& keys, std::optional<std::uint64_t> chain_id) {
  if (keys.empty()) return error("the network has no key yet; kmsctl status shows what it waits for");
  std::string chains;
  for (const KeySummary& key : keys) {
    if (chain_id && key.chain_id == *chain_id) return key;
    chains += (chains.empty() ? "" : ", ") + std::to_string(key.chain_id);
  }
  if (chain_id) return error("no key for chain " + std::to_string(*chain_id) + " here; there are keys for: " + chains);
  if (keys.size() > 1) return error("the network has several keys; choose one with --chain-id: " + chains);
  return keys.front();
}

Report keys_report(const std::vector<KeySummary>& keys, const sdk::NodeUrl& node) {
  std::vector<std::vector<std::string>> rows = {{"CHAIN", "PUBLIC KEY", "EPOCH", "THRESHOLD", "ORIGIN", "KEY ID"}};
  json::array list;
  Report report;
  for (const KeySummary& key : keys) {
    const std::string origin = key.is_imported ? "imported" : "generated";
    const std::string point = to_0x(key.public_key.bytes());
    rows.push_back({std::to_string(key.chain_id), point, std::to_string(key.epoch),
                    std::to_string(key.threshold) + " of " + std::to_string(key.members), origin, key.key_id});
    list.push_back({{"keyId", key.key_id},
                    {"chainId", key.chain_id},
                    {"publicKey", point},
                    {"epoch", key.epoch},
                    {"threshold", key.threshold},
                    {"memberCount", key.members},
                    {"origin", origin}});
    if (key.is_imported) report.note = kImportedWarning;
  }
  report.exit = keys.empty() ? Exit::failed : Exit::ok;
  report.text = keys.empty() ? "no key yet; kmsctl status shows what the network waits for\n" : table(rows);
  report.json = {{"node", node.text()}, {"keys", std::move(list)}};
  if (!report.note.empty()) report.json["warning"] = report.note;
  return report;
}

}  // namespace kms::cli
