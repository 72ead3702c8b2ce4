#include "cli/node_status.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include <boost/json/array.hpp>

#include "cli/table.h"
#include "sdk/json_text.h"

namespace kms::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kChainsShown = 16;

std::vector<std::string> texts_in(const json::object& object, std::string_view name) {
  std::vector<std::string> out;
  const json::array* array = sdk::array_in(object, name);
  if (array == nullptr) return out;
  for (const json::value& value : *array) {
    if (const json::string* text = value.if_string()) out.push_back(sdk::excerpt(std::string_view(*text)));
  }
  return out;
}

void read_ready(const sdk::HttpAnswer& answer, NodeStatus& status) {
  auto body = sdk::parse_object(answer.body, sdk::kListBytesMax, "GET /ready");
  if (!body || !body->contains("ready") || (answer.status != 200 && answer.status != 503)) {
    status.fault = "GET /ready: " + sdk::refusal_in(answer) + "; is this a kms-node?";
    return;
  }
  status.is_ready = answer.status == 200 && sdk::flag_in(*body, "ready");
  status.reasons = texts_in(*body, "reasons");
  status.missing = texts_in(*body, "missing");
}

void read_network(const sdk::HttpAnswer& answer, NodeStatus& status) {
  auto body = sdk::parse_object(answer.body, sdk::kListBytesMax, "GET /v1/network");
  if (!body || answer.status != 200) {
    status.fault = "GET /v1/network: " + sdk::refusal_in(answer);
    return;
  }
  status.network = sdk::excerpt_in(*body, "network");
  status.version = sdk::excerpt_in(*body, "version");
  status.threshold = sdk::number_in(*body, "threshold").value_or(0);
  if (const json::object* ceremony = sdk::object_in(*body, "ceremony"))
    status.phase = sdk::excerpt_in(*ceremony, "phase");
  if (const json::array* chains = sdk::array_in(*body, "importedChains")) {
    for (const json::value& chain : *chains) {
      boost::system::error_code failure;
      const auto id = chain.to_number<std::uint64_t>(failure);
      if (!failure && status.imported.size() < kChainsShown) status.imported.push_back(id);
    }
  }
  const json::array* members = sdk::array_in(*body, "members");
  if (members == nullptr) return;
  for (const json::value& value : *members) {
    const json::object* member = value.if_object();
    if (member == nullptr) continue;
    ++status.members;
    if (sdk::flag_in(*member, "connected")) ++status.connected;
    if (sdk::flag_in(*member, "self")) status.name = sdk::excerpt_in(*member, "name");
    if (auto rtt = sdk::real_in(*member, "roundTripMs")) status.round_trips_ms.push_back(*rtt);
  }
  std::sort(status.round_trips_ms.begin(), status.round_trips_ms.end());
}

std::string milliseconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.1f" : "%.0f", std::clamp(value, 0.0, 1e6));
  return text;
}

std::string round_trips(const NodeStatus& node) {
  if (node.round_trips_ms.empty()) return "-";
  const std::string least = milliseconds(node.round_trips_ms.front());
  const std::string most = milliseconds(node.round_trips_ms.back());
  return least == most ? least : least + ".." + most;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : "; ") + text;
  return out;
}

std::vector<std::string> row_of(const NodeStatus& node) {
  if (!node.fault.empty()) return {node.url.text(), "-", "no answer", "-", "-", "-", node.fault};
  std::string why = joined(node.reasons);
  if (!node.missing.empty()) why += (why.empty() ? "" : "; ") + ("not connected: " + joined(node.missing));
  return {node.url.text(),
          node.name.empty() ? "-" : node.name,
          node.is_ready ? "ready" : "not ready",
          std::to_string(node.connected) + "/" + std::to_string(node.members),
          round_trips(node),
          node.phase.empty() ? "-" : node.phase,
          why};
}

json::object json_of(const NodeStatus& node) {
  json::object out{{"url", node.url.text()}, {"reachable", node.fault.empty()}};
  if (!node.fault.empty()) {
    out["error"] = node.fault;
    return out;
  }
  out["name"] = node.name;
  out["network"] = node.network;
  out["version"] = node.version;
  out["ready"] = node.is_ready;
  out["reasons"] = json::array(node.reasons.begin(), node.reasons.end());
  out["missing"] = json::array(node.missing.begin(), node.missing.end());
  out["phase"] = node.phase;
  out["threshold"] = node.threshold;
  out["members"] = node.members;
  out["connected"] = node.connected;
  out["importedChains"] = json::array(node.imported.begin(), node.imported.end());
  out["roundTripsMs"] = json::array(node.round_trips_ms.begin(), node.round_trips_ms.end());
  return out;
}

}  // namespace

NodeStatus status_of(const sdk::NodeUrl& url, const Result<sdk::HttpAnswer>& ready,
                     const Result<sdk::HttpAnswer>& network) {
  NodeStatus status;
  status.url = url;
  if (!ready) {
    status.fault = ready.error().message;
    return status;
  }
  read_ready(*ready, status);
  if (!status.fault.empty()) return status;
  if (!network) {
    status.fault = network.error().message;
  } else {
    read_network(*network, status);
  }
  return status;
}

Report status_report(const std::vector<NodeStatus>& nodes) {
  std::vector<std::vector<std::string>> rows = {{"NODE", "NAME", "STATE", "LINKS", "RTT MS", "CEREMONY", "WHY"}};
  json::array list;
  std::size_t ready = 0;
  std::set<std::uint64_t> imported;
  for (const NodeStatus& node : nodes) {
    imported.insert(node.imported.begin(), node.imported.end());
    rows.push_back(row_of(node));
    list.push_back(json_of(node));
    if (node.fault.empty() && node.is_ready) ++ready;
  }
  Report report;
  report.exit = ready == nodes.size() ? Exit::ok : Exit::failed;
  report.json = {{"ready", ready}, {"nodes", std::move(list)}};
  report.text = table(rows) + "\n" + std::to_string(ready) + " of " + std::to_string(nodes.size()) +
                " nodes are ready to answer\n";
  for (const std::uint64_t chain : imported) {
    report.note +=
        (report.note.empty() ? "" : "\n") + ("The key of chain " + std::to_string(chain)) +
        " was imported: whoever ever held it whole can decrypt everything made for it, whatever happens here.";
  }
  return report;
}

}  // namespace kms::cli
