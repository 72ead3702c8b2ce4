#include "cli/io/demo.h"

#include <cmath>
#include <cstdio>

#include <boost/json/array.hpp>

#include "base/io/system_clock.h"
#include "cli/io/delegate.h"
#include "cli/io/input.h"
#include "cli/io/network.h"

namespace kms::cli::io {
namespace {

constexpr std::size_t kRequesterBits = 2048;

class StopWatch {
 public:
  double lap_ms() {
    const Instant now = kms::io::system_now().instant;
    const double ms = static_cast<double>((now - last_).count()) / 1000.0;
    last_ = now;
    return ms;
  }

 private:
  Instant last_ = kms::io::system_now().instant;
};

std::string line(const std::string& step, const std::string& what, double ms) {
  char time[32];
  std::snprintf(time, sizeof time, "%9.1f ms  ", ms);
  return time + step + std::string(step.size() < 10 ? 10 - step.size() : 1, ' ') + what;
}

struct Round {
  const crypto::SecretScalar& gateway;
  const crypto::Address& signer;
  const crypto::RsaPrivateKey& requester;
  const sdk::Ciphertext& ciphertext;
  ByteView text;
};

// Asks one node, verifies and opens.
Result<void> ask_node(const Round& round, const sdk::NodeUrl& url, Entropy& entropy) {
  auto request = sdk::sign_request(round.gateway, round.ciphertext.chain_id.value_or(0), round.ciphertext.sealed,
                                   round.requester.public_spki(), entropy);
  if (!request) return request.error();
  sdk::io::HttpClient client(url);
  auto answer = client.send(call_of(*request));
  if (!answer) return answer.error();
  auto delegation = verified(*request, url, *answer, round.signer);
  if (!delegation) return delegation.error();
  auto opened = sdk::open(sdk::Delegated{std::move(*delegation), round.ciphertext}, round.requester);
  if (!opened) return opened.error();
  if (!equal(opened->expose(), round.text)) return error(url.text() + ": the text that came back is another one");
  return {};
}

Outcome<std::vector<TestnetNode>> chosen_nodes(const Demo& options, const Testnet& testnet) {
  if (!options.node) return testnet.nodes;
  for (const TestnetNode& node : testnet.nodes) {
    if (node.index == *options.node) return std::vector<TestnetNode>{node};
  }
  return usage("--node " + std::to_string(*options.node) + " is not in " + options.testnet + ", which lists " +
               std::to_string(testnet.nodes.size()) + " nodes");
}

}  // namespace

Outcome<Report> run(const Demo& options, Entropy& entropy, const Progress& progress) {
  auto testnet = read_testnet(options.testnet);
  if (!testnet) return testnet.error();
  auto nodes = chosen_nodes(options, *testnet);
  if (!nodes) return nodes.error();
  std::vector<sdk::NodeUrl> urls;
  for (const TestnetNode& node : testnet->nodes) urls.push_back(node.http);

  StopWatch watch;
  sdk::io::NodePool pool(urls);
  auto found = ask_key(pool, options.chain_id);
  if (!found) return found.error();
  const std::string point = to_0x(found->key.public_key.bytes());
  progress(line("key",
                point + " of chain " + std::to_string(found->key.chain_id) + ", " +
                    std::to_string(found->key.threshold) + " of " + std::to_string(found->key.members),
                watch.lap_ms()));
  const auto requester = crypto::RsaPrivateKey::generate(kRequesterBits);
  progress(line("requester", "an RSA key for this run", watch.lap_ms()));
  const ByteView text = as_bytes(options.text);
  auto ciphertext = sdk::encrypt(found->key.public_key, found->key.chain_id, text, entropy);
  if (!ciphertext) return Failure(ciphertext.error());
  progress(line("encrypt", std::to_string(text.size()) + " bytes to the network's key", watch.lap_ms()));

  const Round round{testnet->gateway_key, testnet->signer, requester, *ciphertext, text};
  boost::json::array list;
  std::size_t good = 0;
  for (const TestnetNode& node : *nodes) {
    auto outcome = ask_node(round, node.http, entropy);
    const double ms = watch.lap_ms();
    const std::string name = "node " + std::to_string(node.index);
    boost::json::object entry{
        {"index", node.index}, {"url", node.http.text()}, {"ok", outcome.has_value()}, {"ms", std::llround(ms)}};
    if (outcome) ++good;
    if (!outcome) entry["error"] = outcome.error().message;
    progress(line(
        name,
        outcome ? "delegated, proof by " + testnet->signer.hex() + " verified, decrypted" : outcome.error().message,
        ms));
    list.push_back(std::move(entry));
  }
  Report report;
  report.exit = good == nodes->size() ? Exit::ok : Exit::failed;
  report.text = std::to_string(good) + " of " + std::to_string(nodes->size()) + " nodes gave the text back" +
                (good > 0 ? ": " + options.text : "") + "\n";
  report.json = {{"network", testnet->network},
                 {"publicKey", point},
                 {"chainId", found->key.chain_id},
                 {"good", good},
                 {"nodes", std::move(list)}};
  return report;
}

}  // namespace kms::cli::io
