#include "bench/load.h"

#include <algorithm>
#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/io/os_entropy.h"
#include "bench/child.h"
#include "cli/io/input.h"
#include "sdk/io/http_client.h"
#include "sdk/json_text.h"

namespace kms::bench {
namespace {

namespace json = boost::json;

Error said(const cli::Failure& failure) {
  return error(failure.message);
}

Result<void> add_testnet(const LoadOptions& options, LoadTarget& target) {
  auto testnet = cli::io::read_testnet(options.testnet);
  if (!testnet) return said(testnet.error());
  const std::string chosen = "," + options.nodes + ",";
  for (const cli::TestnetNode& node : testnet->nodes) {
    if (node.pid != 0) target.pids.push_back(node.pid);
    if (options.nodes.empty() || chosen.find("," + std::to_string(node.index) + ",") != chosen.npos) {
      target.urls.push_back(node.http);
    }
  }
  target.terms.gateway_key = std::move(testnet->gateway_key);
  target.terms.signer = testnet->signer;
  for (const cli::TestnetKey& key : testnet->keys) {
    if (options.chain_id && key.chain_id != *options.chain_id) continue;
    target.terms.chain_id = key.chain_id;
    target.terms.public_key = key.public_key;
    break;
  }
  return {};
}

Result<crypto::Point> parse_key(std::string_view text, const std::string& what) {
  auto bytes = parse_hex(text);
  if (!bytes) return error(what + ": " + bytes.error().message);
  auto point = crypto::Point::parse_sec1(*bytes);
  if (!point) return error(what + ": " + point.error().message);
  return *point;
}

// Not every implementation has the route; without the key nothing is opened, and the report says so.
std::optional<crypto::Point> ask_public_key(const LoadTarget& target) {
  sdk::io::HttpClient client(target.urls.front());
  auto answer = client.send({"GET", "/v0/public-key?chain_id=" + std::to_string(target.terms.chain_id), "", ""});
  if (!answer || answer->status != 200) return {};
  auto body = sdk::parse_object(answer->body, 4096, "the answer");
  const auto* text = body ? sdk::text_in(*body, "publicKey") : nullptr;
  if (text == nullptr) return {};
  auto point = parse_key(std::string_view(*text), "publicKey");
  return point ? std::optional(*point) : std::nullopt;
}

json::object timeline_of(const LoadAnswers::Second& second) {
  return {{"ok", second.ok}, {"refused", second.refused}, {"failed", second.failed}};
}

void print(const LoadReport& report, const LoadPlan& plan) {
  const json::object all = to_json(report, plan);
  auto number = [&](const char* name) { return all.at(name).to_number<double>(); };
  const LoadAnswers& answers = report.answers;
  std::printf("%.1f requests/s answered over %.0f s, %zu connections%s\n", number("requestsPerSecond"), answers.seconds,
              plan.clients, plan.rate ? ", open loop" : ", closed loop");
  std::printf("ok %llu, refused %llu, failed %llu\n", static_cast<unsigned long long>(answers.ok),
              static_cast<unsigned long long>(answers.refused), static_cast<unsigned long long>(answers.failed));
  std::printf("latency p50 %.2f ms, p90 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f\n", number("p50Ms"), number("p90Ms"),
              number("p99Ms"), number("p999Ms"), number("maxMs"));
  std::printf("%zu answers opened and right, %zu wrong\n", report.verified, report.wrong.size());
  for (const std::string& why : report.wrong) std::printf("  %s\n", why.c_str());
  for (const auto& [why, count] : answers.failures) {
    std::printf("  %llu times: %s\n", static_cast<unsigned long long>(count), why.c_str());
  }
  std::printf("processor time: %.2f s here", report.cpu_seconds);
  if (!report.servers.pids().empty()) {
    std::printf(", %.2f s of the servers, %.0f us a delegation", report.servers.total(),
                number("serverCpuMicrosecondsPerDelegation"));
  }
  std::printf("\n");
}

}  // namespace

double percentile(const std::vector<float>& ms, double part) {
  if (ms.empty()) return 0;
  const auto rank = static_cast<std::size_t>(part * static_cast<double>(ms.size()));
  return static_cast<double>(ms[std::min(rank, ms.size() - 1)]);
}

Result<LoadTarget> find_target(const LoadOptions& options) {
  LoadTarget target;
  target.terms.requests = options.terms.requests;
  target.terms.requesters = options.terms.requesters;
  target.terms.rsa_bits = options.terms.rsa_bits;
  target.terms.checked_every = options.terms.checked_every;
  if (!options.testnet.empty()) {
    if (auto added = add_testnet(options, target); !added) return added.error();
  }
  if (!options.urls.empty()) target.urls.clear();
  for (const std::string& text : options.urls) {
    auto url = sdk::NodeUrl::parse(text);
    if (!url) return url.error();
    target.urls.push_back(*url);
  }
  if (target.urls.empty()) return error("no server: give --url URL, or --testnet FILE and --nodes that it lists");
  if (!options.gateway_key_file.empty()) {
    auto key = cli::io::read_wallet_key(options.gateway_key_file);
    if (!key) return said(key.error());
    target.terms.gateway_key = std::move(*key);
  } else if (options.testnet.empty()) {
    return error("no gateway key: give --gateway-key-file FILE, or --testnet FILE");
  }
  if (options.chain_id) target.terms.chain_id = *options.chain_id;
  if (target.terms.chain_id == 0) return error("no chain: give --chain-id, or --testnet FILE");
  if (!options.signer.empty()) {
    auto signer = crypto::Address::parse(options.signer);
    if (!signer) return error("--signer: " + signer.error().message);
    target.terms.signer = *signer;
  }
  if (!options.public_key.empty()) {
    auto key = parse_key(options.public_key, "--public-key");
    if (!key) return key.error();
    target.terms.public_key = *key;
  }
  if (!target.terms.public_key) target.terms.public_key = ask_public_key(target);
  if (!options.pids.empty()) target.pids = options.pids;
  return target;
}

Result<LoadReport> run_load(const LoadPlan& plan, const LoadTarget& target, const SignedRequests& requests) {
  LoadReport report;
  report.servers = ProcessTimes(target.pids);
  double began = 0;
  LoadMarks marks;
  marks.began = [&] {
    report.servers.begin();
    began = processor_seconds();
  };
  marks.ended = [&] {
    report.servers.end();
    report.cpu_seconds = processor_seconds() - began;
  };
  auto answers = run_load(plan, requests, marks);
  if (!answers) return answers.error();
  report.answers = std::move(*answers);
  std::sort(report.answers.ok_ms.begin(), report.answers.ok_ms.end());
  std::sort(report.answers.refused_ms.begin(), report.answers.refused_ms.end());
  for (const LoadAnswers::Sample& sample : report.answers.samples) {
    auto right = requests.check(sample.request, sample.body);
    if (right) ++report.verified;
    if (!right && report.wrong.size() < 10) report.wrong.push_back(sample.node + ": " + right.error().message);
  }
  return report;
}

json::object to_json(const LoadReport& report, const LoadPlan& plan) {
  const LoadAnswers& answers = report.answers;
  json::object out;
  out["requestsPerSecond"] = static_cast<double>(answers.ok) / answers.seconds;
  out["ok"] = answers.ok;
  out["refused"] = answers.refused;
  out["failed"] = answers.failed;
  out["p50Ms"] = percentile(answers.ok_ms, 0.5);
  out["p90Ms"] = percentile(answers.ok_ms, 0.9);
  out["p99Ms"] = percentile(answers.ok_ms, 0.99);
  out["p999Ms"] = percentile(answers.ok_ms, 0.999);
  out["maxMs"] = percentile(answers.ok_ms, 1);
  out["refusedP99Ms"] = percentile(answers.refused_ms, 0.99);
  out["seconds"] = answers.seconds;
  out["connections"] = plan.clients;
  out["rate"] = plan.rate ? json::value(*plan.rate) : json::value(nullptr);
  out["cpuSeconds"] = report.cpu_seconds;
  out["verified"] = report.verified;
  out["wrong"] = json::array(report.wrong.begin(), report.wrong.end());
  json::object statuses, failures;
  for (const auto& [status, count] : answers.statuses) statuses[std::to_string(status)] = count;
  for (const auto& [why, count] : answers.failures) failures[why] = count;
  out["statuses"] = std::move(statuses);
  out["failures"] = std::move(failures);
  json::array timeline;
  for (const auto& second : answers.timeline) timeline.push_back(timeline_of(second));
  out["timeline"] = std::move(timeline);
  if (report.servers.pids().empty()) return out;
  json::array servers;
  for (std::size_t i = 0; i < report.servers.pids().size(); ++i) {
    servers.push_back(json::object{{"pid", report.servers.pids()[i]}, {"cpuSeconds", report.servers.used()[i]}});
  }
  out["servers"] = std::move(servers);
  out["serverCpuSeconds"] = report.servers.total();
  const double delegations = static_cast<double>(std::max<std::uint64_t>(1, answers.answers_in_time));
  out["serverCpuMicrosecondsPerDelegation"] = report.servers.total() * 1e6 / delegations;
  return out;
}

int load(const LoadOptions& options, Output output) {
  auto fail = [](const Error& why) {
    std::fprintf(stderr, "kms-bench load: %s\n", why.message.c_str());
    return 1;
  };
  auto target = find_target(options);
  if (!target) return fail(target.error());
  LoadPlan plan = options.plan;
  plan.urls = target->urls;
  kms::io::OsEntropy entropy;
  if (!target->terms.public_key) {
    std::fprintf(stderr, "kms-bench load: no public key (--public-key HEX), so answers are counted, but not opened\n");
  }
  auto requests = SignedRequests::make(std::move(target->terms), entropy);
  if (!requests) return fail(requests.error());
  auto report = run_load(plan, *target, *requests);
  if (!report) return fail(report.error());
  if (output == Output::json) {
    std::printf("%s\n", json::serialize(to_json(*report, plan)).c_str());
  } else {
    print(*report, plan);
  }
  return report->wrong.empty() && report->answers.ok > 0 ? 0 : 1;
}

}  // namespace kms::bench
