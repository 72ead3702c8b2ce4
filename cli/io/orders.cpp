#include "cli/io/orders.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <boost/json/serialize.hpp>

#include "cli/ceremony_list.h"
#include "cli/io/emergency.h"
#include "cli/io/input.h"
#include "sdk/io/admin_client.h"
#include "sdk/io/node_pool.h"

namespace kms::cli::io {
namespace {

constexpr std::size_t kNetworkFileBytesMax = 1024 * 1024;
constexpr std::chrono::milliseconds kPollEvery{250};

// Until every node is in that epoch. False: not in time.
bool wait_for_epoch(const std::vector<std::string>& sockets, std::uint64_t wanted, std::chrono::seconds limit,
                    const Progress& progress, std::vector<CeremonyList>& lists) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::string shown;
  while (true) {
    lists = ask_all(sockets);
    std::size_t there = 0;
    std::string line;
    for (const CeremonyList& list : lists) {
      const auto epoch = epoch_in(list);
      if (epoch && *epoch >= wanted) {
        ++there;
      } else if (line.empty()) {
        line = progress_in(list);
      }
    }
    line = std::to_string(there) + " of " + std::to_string(lists.size()) + " nodes in epoch " + std::to_string(wanted) +
           (line.empty() ? "" : "; " + line);
    if (std::exchange(shown, line) != line) progress(line);
    if (there == lists.size()) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kPollEvery);
  }
}

}  // namespace

Outcome<std::vector<std::string>> find_sockets(const Order& options) {
  if (options.sockets.empty() == options.testnet.empty()) {
    return usage(options.sockets.empty()
                     ? "say which node is to obey: --socket DATA_DIR/admin.sock, or --testnet testnet.json"
                     : "--socket and --testnet exclude each other");
  }
  if (options.testnet.empty()) return options.sockets;
  auto testnet = read_testnet(options.testnet);
  if (!testnet) return testnet.error();
  std::vector<std::string> out;
  for (const TestnetNode& node : testnet->nodes) {
    const auto& only = options.nodes;
    if (!only.empty() && std::find(only.begin(), only.end(), node.index) == only.end()) continue;
    if (node.folder.empty()) return Failure(error(options.testnet + " does not name the nodes' folders"));
    out.push_back(node.folder + "/data/admin.sock");
  }
  if (out.empty()) return usage("no node of the test network has such an index");
  return out;
}

Outcome<boost::json::object> body_of(const Order& options) {
  boost::json::object body;
  if (!options.file.empty()) {
    auto text = read_input(options.file, kNetworkFileBytesMax);
    if (!text) return text.error();
    body["file"] = std::string(as_text(text->expose()));
  }
  if (!options.member.empty()) body["member"] = options.member;
  if (options.valid_hours) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    body["notAfter"] = seconds + static_cast<std::int64_t>(*options.valid_hours) * 3600;
  }
  return body;
}

std::vector<CeremonyList> ask_all(const std::vector<std::string>& sockets) {
  std::vector<CeremonyList> out;
  for (const std::string& socket : sockets) {
    out.push_back(ceremonies_in(socket, sdk::io::send_to_socket(socket, {"GET", "/v1/ceremonies", "", ""})));
  }
  return out;
}

std::vector<CeremonyList> order_all(const std::vector<std::string>& sockets, const std::string& what,
                                    const boost::json::object& body) {
  std::vector<CeremonyList> out;
  for (const std::string& socket : sockets) {
    const auto answer =
        sdk::io::send_to_socket(socket, {"POST", "/v1/admin/" + what, "", boost::json::serialize(body)});
    out.push_back(ordered_in(socket, answer));
  }
  return out;
}

Report await_epoch(const std::vector<std::string>& sockets, std::uint64_t wanted, std::uint32_t seconds,
                   const Progress& progress) {
  std::vector<CeremonyList> lists;
  const bool is_done = wait_for_epoch(sockets, wanted, std::chrono::seconds(seconds), progress, lists);
  Report report = ceremonies_report(lists);
  if (is_done) return report;
  report.exit = Exit::failed;
  report.note =
      "not done within " + std::to_string(seconds) + " s; the order stands, kmsctl ceremonies shows what becomes of it";
  return report;
}

Outcome<Report> run(const Ceremonies& options, Entropy&) {
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  sdk::io::HttpLimits limits;
  limits.answer = std::chrono::milliseconds(5'000);
  const auto answers = sdk::io::send_to_each(nodes->urls, {"GET", "/v1/ceremonies", "", ""}, limits);
  std::vector<CeremonyList> lists;
  for (std::size_t i = 0; i < nodes->urls.size(); ++i) {
    lists.push_back(ceremonies_in(nodes->urls[i].text(), answers[i]));
  }
  return ceremonies_report(lists);
}

Outcome<Report> run(const Order& options, const Progress& progress) {
  if (options.what == "emergency" || options.what == "void") return run_emergency(options, progress);
  auto sockets = find_sockets(options);
  if (!sockets) return sockets.error();
  auto body = body_of(options);
  if (!body) return body.error();
  std::uint64_t before = 0;
  for (const CeremonyList& list : ask_all(*sockets)) before = std::max(before, epoch_in(list).value_or(0));
  Report report = orders_report(options.what, order_all(*sockets, options.what, *body));
  if (options.wait_seconds == 0 || report.exit != Exit::ok) return report;
  progress(report.text);
  return await_epoch(*sockets, before + 1, options.wait_seconds, progress);
}

}  // namespace kms::cli::io
