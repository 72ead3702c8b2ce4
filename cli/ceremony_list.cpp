#include "cli/ceremony_list.h"

#include <boost/json/array.hpp>

#include "cli/table.h"
#include "sdk/json_text.h"

namespace kms::cli {
namespace {

namespace json = boost::json;

std::string names_in(const json::object& object, std::string_view name) {
  std::string out;
  const json::array* array = sdk::array_in(object, name);
  if (array == nullptr) return out;
  for (const json::value& value : *array) {
    const json::string* text = value.if_string();
    if (text == nullptr) continue;
    // "node-3 (0x..)": the name is enough for a table.
    const std::string label = sdk::excerpt(std::string_view(*text));
    out += (out.empty() ? "" : ", ") + label.substr(0, label.find(' '));
  }
  return out;
}

std::string number_text(const json::object& object, std::string_view name) {
  const auto number = sdk::number_in(object, name);
  return number ? std::to_string(*number) : "-";
}

std::vector<const json::object*> objects_in(const json::object& object, std::string_view name) {
  std::vector<const json::object*> out;
  const json::array* array = sdk::array_in(object, name);
  if (array == nullptr) return out;
  for (const json::value& value : *array) {
    if (const json::object* entry = value.if_object()) out.push_back(entry);
  }
  return out;
}

void add_rows(const CeremonyList& list, std::vector<std::vector<std::string>>& rows) {
  if (!list.fault.empty()) {
    rows.push_back({list.node, "-", "-", "no answer", "-", "-", list.fault});
    return;
  }
  const auto ceremonies = objects_in(list.body, "ceremonies");
  if (ceremonies.empty()) rows.push_back({list.node, "-", "-", "none", "-", "-", ""});
  for (const json::object* ceremony : ceremonies) {
    std::string of = number_text(*ceremony, "threshold") + " of " + number_text(*ceremony, "memberCount");
    rows.push_back({list.node, number_text(*ceremony, "epoch"), sdk::excerpt_in(*ceremony, "kind"),
                    sdk::excerpt_in(*ceremony, "phase"), of, names_in(*ceremony, "awaited"),
                    sdk::excerpt_in(*ceremony, "summary")});
  }
}

std::string blame_text(const CeremonyList& list) {
  std::string out;
  for (const json::object* ceremony : objects_in(list.body, "ceremonies")) {
    for (const json::object* blame : objects_in(*ceremony, "blame")) {
      out += "epoch " + number_text(*ceremony, "epoch") + ": " + sdk::excerpt_in(*blame, "member") + " " +
             sdk::excerpt_in(*blame, "text") + "; evidence " + sdk::excerpt_in(*blame, "evidence") + "\n";
    }
  }
  return out;
}

// Files that somebody approved and others have not yet, and repairs that wait.
std::string pending_text(const CeremonyList& list) {
  std::string out;
  for (const json::object* plan : objects_in(list.body, "approvals")) {
    out += "epoch " + number_text(*plan, "epoch") + ": " + names_in(*plan, "by") + " approved file " +
           sdk::excerpt_in(*plan, "file") + " until " + sdk::excerpt_in(*plan, "notAfter") + "\n";
  }
  for (const json::object* repair : objects_in(list.body, "repairs")) {
    const json::array* by = sdk::array_in(*repair, "by");
    out += "repair of " + sdk::excerpt_in(*repair, "member") + ": " + std::to_string(by == nullptr ? 0 : by->size()) +
           " of " + number_text(*repair, "needed") + " approvals (" + names_in(*repair, "by") + ")\n";
  }
  return out;
}

CeremonyList read(const std::string& node, const Result<sdk::HttpAnswer>& answer, const std::string& what,
                  std::string_view member) {
  CeremonyList out{node, "", {}};
  if (!answer) {
    out.fault = answer.error().message;
    return out;
  }
  auto body = sdk::parse_object(answer->body, sdk::kListBytesMax, what);
  if (!body || answer->status != 200) {
    out.fault = sdk::refusal_in(*answer);
    return out;
  }
  const json::object* inner = member.empty() ? &*body : sdk::object_in(*body, member);
  if (inner == nullptr || sdk::array_in(*inner, "ceremonies") == nullptr) {
    out.fault = what + ": no list of ceremonies; is this a kms-node?";
    return out;
  }
  out.body = *inner;
  return out;
}

json::array json_of(const std::vector<CeremonyList>& lists) {
  json::array out;
  for (const CeremonyList& list : lists) {
    json::object entry{{"node", list.node}, {"reachable", list.fault.empty()}};
    if (!list.fault.empty()) entry["error"] = list.fault;
    for (const auto& member : list.body) entry[member.key()] = member.value();
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace

CeremonyList ceremonies_in(const std::string& node, const Result<sdk::HttpAnswer>& answer) {
  return read(node, answer, "GET /v1/ceremonies", "");
}

CeremonyList ordered_in(const std::string& node, const Result<sdk::HttpAnswer>& answer) {
  return read(node, answer, "the order", "state");
}

std::optional<std::uint64_t> epoch_in(const CeremonyList& list) {
  return sdk::number_in(list.body, "epoch");
}

std::string progress_in(const CeremonyList& list) {
  const auto ceremonies = objects_in(list.body, "ceremonies");
  if (ceremonies.empty()) return list.fault.empty() ? "waiting to hear of the key" : "";
  const json::object& newest = *ceremonies.front();
  const std::string awaited = names_in(newest, "awaited");
  return "epoch " + number_text(newest, "epoch") + " " + sdk::excerpt_in(newest, "kind") + ": " +
         sdk::excerpt_in(newest, "phase") + ", " + sdk::excerpt_in(newest, "summary") +
         (awaited.empty() ? "" : " (awaited: " + awaited + ")");
}

Report ceremonies_report(const std::vector<CeremonyList>& lists) {
  std::vector<std::vector<std::string>> rows = {{"NODE", "EPOCH", "KIND", "PHASE", "COMMITTEE", "AWAITED", "STATE"}};
  Report report;
  std::string more;
  for (const CeremonyList& list : lists) {
    add_rows(list, rows);
    if (!list.fault.empty()) report.exit = Exit::failed;
    if (std::string text = pending_text(list) + blame_text(list); !text.empty()) more += list.node + "\n" + text;
  }
  report.json = {{"nodes", json_of(lists)}};
  report.text = table(rows) + (more.empty() ? "" : "\n" + more);
  return report;
}

Report orders_report(const std::string& what, const std::vector<CeremonyList>& lists) {
  std::vector<std::vector<std::string>> rows = {{"NODE", "ORDER", "STATE"}};
  Report report;
  std::size_t accepted = 0;
  for (const CeremonyList& list : lists) {
    const bool is_accepted = list.fault.empty();
    if (is_accepted) ++accepted;
    rows.push_back({list.node, is_accepted ? "accepted" : "refused", is_accepted ? progress_in(list) : list.fault});
  }
  report.exit = accepted == lists.size() ? Exit::ok : Exit::failed;
  report.json = {{"order", what}, {"accepted", accepted}, {"nodes", json_of(lists)}};
  report.text = table(rows);
  return report;
}

}  // namespace kms::cli
