#include "cli/io/network.h"

#include "cli/io/input.h"
#include "cli/node_status.h"
#include "cli/peer_list.h"

namespace kms::cli::io {

Outcome<Report> run(const Status& options, Entropy&) {
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  sdk::io::HttpLimits limits;
  limits.answer = std::chrono::milliseconds(5'000);
  const auto ready = sdk::io::send_to_each(nodes->urls, {"GET", "/ready", "", ""}, limits);
  const auto network = sdk::io::send_to_each(nodes->urls, {"GET", "/v1/network", "", ""}, limits);
  std::vector<NodeStatus> rows;
  for (std::size_t i = 0; i < nodes->urls.size(); ++i) {
    rows.push_back(status_of(nodes->urls[i], ready[i], network[i]));
  }
  return status_report(rows);
}

Outcome<Report> run(const Keys& options, Entropy&) {
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  sdk::io::NodePool pool(nodes->urls);
  auto answer = pool.send({"GET", "/v1/keys", "", ""});
  if (!answer) return Failure(answer.error());
  auto keys = keys_in(answer->answer);
  if (!keys) return Failure(error(answer->node.text() + ": " + keys.error().message));
  return keys_report(*keys, answer->node);
}

Outcome<Report> run(const Peers& options, Entropy&) {
  auto nodes = find_nodes(options.where);
  if (!nodes) return nodes.error();
  sdk::io::HttpLimits limits;
  limits.answer = std::chrono::milliseconds(5'000);
  const auto answers = sdk::io::send_to_each(nodes->urls, {"GET", "/v1/peers", "", ""}, limits);
  std::vector<PeerList> lists;
  for (std::size_t i = 0; i < nodes->urls.size(); ++i) lists.push_back(peers_in(nodes->urls[i], answers[i]));
  return peers_report(lists);
}

Outcome<KeyAnswer> ask_key(sdk::io::NodePool& pool, std::optional<std::uint64_t> chain_id) {
  auto answer = pool.send({"GET", "/v1/keys", "", ""});
  if (!answer) return Failure(answer.error());
  auto keys = keys_in(answer->answer);
  if (!keys) return Failure(error(answer->node.text() + ": " + keys.error().message));
  auto key = choose_key(*keys, chain_id);
  if (!key) return Failure(error(answer->node.text() + ": " + key.error().message));
  return KeyAnswer{std::move(*key), answer->node};
}

}  // namespace kms::cli::io
