#include "bench/client.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "bench/load.h"
#include "cli/io/input.h"
#include "sdk/io/client.h"

namespace kms::bench {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

struct Seen {
  std::vector<float> ok_ms;
  std::size_t failed = 0, wrong = 0;
  std::map<std::string, std::size_t> misbehaved;  // of nodes that were passed over, by kind
  std::vector<std::string> failures;              // the first few, in words
};

// Encrypts, has it delegated by whichever node answers, decrypts; until the end.
Seen use(const NetworkDescription& network, const crypto::SecretScalar& gateway_key, Clock::time_point until) {
  Seen seen;
  auto client = Client::make(network);
  const auto requester = crypto::RsaPrivateKey::generate(2048);
  if (!client) {
    ++seen.failed;
    seen.failures.push_back(client.error().message);
    return seen;
  }
  for (std::uint64_t number = 0; Clock::now() < until; ++number) {
    const std::string text = "call " + std::to_string(number);
    const auto began = Clock::now();
    auto ciphertext = client->encrypt(as_bytes(text));
    auto opened =
        ciphertext ? client->open(*ciphertext, gateway_key, requester) : Result<Client::Opened>(ciphertext.error());
    const std::chrono::duration<float, std::milli> took = Clock::now() - began;
    if (!opened) {
      ++seen.failed;
      if (seen.failures.size() < 5) seen.failures.push_back(opened.error().message);
      continue;
    }
    if (!equal(opened->text.expose(), as_bytes(text))) ++seen.wrong;
    seen.ok_ms.push_back(took.count());
    for (const Misbehaviour& each : opened->misbehaved) ++seen.misbehaved[std::string(name_of(each.kind))];
  }
  return seen;
}

void add(Seen& all, Seen&& one) {
  all.ok_ms.insert(all.ok_ms.end(), one.ok_ms.begin(), one.ok_ms.end());
  all.failed += one.failed;
  all.wrong += one.wrong;
  for (const auto& [kind, count] : one.misbehaved) all.misbehaved[kind] += count;
  all.failures.insert(all.failures.end(), one.failures.begin(), one.failures.end());
}

json::object to_json(const Seen& seen, double seconds) {
  json::object passed_over;
  for (const auto& [kind, count] : seen.misbehaved) passed_over[kind] = count;
  return {{"requestsPerSecond", static_cast<double>(seen.ok_ms.size()) / seconds},
          {"ok", seen.ok_ms.size()},
          {"failed", seen.failed},
          {"wrong", seen.wrong},
          {"p50Ms", percentile(seen.ok_ms, 0.5)},
          {"p90Ms", percentile(seen.ok_ms, 0.9)},
          {"p99Ms", percentile(seen.ok_ms, 0.99)},
          {"maxMs", percentile(seen.ok_ms, 1)},
          {"passedOver", std::move(passed_over)},
          {"failures", json::array(seen.failures.begin(), seen.failures.end())}};
}

}  // namespace

int client_load(const ClientLoadOptions& options, Output output) {
  auto testnet = cli::io::read_testnet(options.testnet);
  if (!testnet) {
    std::fprintf(stderr, "kms-bench client: %s\n", testnet.error().message.c_str());
    return 2;
  }
  NetworkDescription network;
  for (const cli::TestnetNode& node : testnet->nodes) network.nodes.push_back(node.http);
  if (testnet->keys.empty()) {
    std::fprintf(stderr, "kms-bench client: %s lists no key\n", options.testnet.c_str());
    return 2;
  }
  network.chain_id = testnet->keys.front().chain_id;
  network.public_key = testnet->keys.front().public_key;
  network.signer = testnet->signer;

  const auto began = Clock::now();
  const auto until =
      began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  Seen all;
  std::mutex guard;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < options.clients; ++i) {
    // Each begins with another node, as clients of the world do.
    std::rotate(network.nodes.begin(), network.nodes.begin() + 1, network.nodes.end());
    threads.emplace_back([&, network] {
      Seen one = use(network, testnet->gateway_key, until);
      const std::lock_guard lock(guard);
      add(all, std::move(one));
    });
  }
  threads.clear();
  std::sort(all.ok_ms.begin(), all.ok_ms.end());
  const std::chrono::duration<double> took = Clock::now() - began;
  const json::object report = to_json(all, took.count());
  if (output == Output::json) {
    std::printf("%s\n", json::serialize(report).c_str());
  } else {
    const auto number = [&](const char* name) { return report.at(name).to_number<double>(); };
    std::printf("%zu delegations opened over %.0f s by %zu clients, %zu failed, %zu wrong\n", all.ok_ms.size(),
                took.count(), options.clients, all.failed, all.wrong);
    std::printf("latency p50 %.2f ms, p90 %.2f, p99 %.2f, longest %.2f\n", number("p50Ms"), number("p90Ms"),
                number("p99Ms"), number("maxMs"));
    for (const auto& [kind, count] : all.misbehaved) std::printf("nodes passed over, %s: %zu\n", kind.c_str(), count);
    for (const std::string& why : all.failures) std::printf("  %s\n", why.c_str());
  }
  return all.failed == 0 && all.wrong == 0 && !all.ok_ms.empty() ? 0 : 1;
}

}  // namespace kms::bench
