#include "bench/delegate.h"

#include <cstdio>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/io/os_entropy.h"
#include "bench/bare_exchange.h"
#include "bench/load.h"
#include "bench/started_network.h"
#include "bench/unavoidable.h"
#include "cli/io/input.h"

namespace kms::bench {
namespace {

namespace json = boost::json;

struct Measured {
  std::size_t nodes = 0, threshold = 0;
  Operations operations;             // timed right after the load
  double bare_exchange = 0;          // microseconds; counted where the ratio asks for it
  double unavoidable = 0, used = 0;  // microseconds of a delegation
  LoadReport saturated, third, one_entry;
  LoadPlan plan, third_plan;

  double ratio() const { return used == 0 ? 0 : unavoidable / used; }
  double limit_per_second() const { return std::thread::hardware_concurrency() * 1e6 / unavoidable; }
  double per_delegation(const LoadReport& report) const {
    return report.servers.total() * 1e6 /
           static_cast<double>(std::max<std::uint64_t>(1, report.answers.answers_in_time));
  }
};

Result<Measured> measure(const std::string& testnet_file, const DelegateOptions& options) {
  auto testnet = cli::io::read_testnet(testnet_file);
  if (!testnet) return error(testnet.error().message);
  LoadOptions load_options;
  load_options.testnet = testnet_file;
  auto target = find_target(load_options);
  if (!target) return target.error();
  Measured out;
  out.nodes = target->urls.size();
  out.threshold = testnet->threshold;
  kms::io::OsEntropy entropy;
  auto requests = SignedRequests::make(std::move(target->terms), entropy);
  if (!requests) return requests.error();
  out.plan.urls = target->urls;
  out.plan.clients = options.clients;
  out.plan.seconds = options.seconds;
  out.plan.warm_up_seconds = 2;
  auto saturated = run_load(out.plan, *target, *requests);
  if (!saturated) return saturated.error();
  out.saturated = std::move(*saturated);
  out.operations = time_operations(out.threshold);
  out.used = out.per_delegation(out.saturated);
  out.unavoidable = unavoidable_microseconds(out.operations, out.threshold);
  if (out.threshold == 1) {
    ExchangePlan exchange;
    exchange.request_bytes = out.saturated.answers.request_bytes;
    exchange.response_bytes = out.saturated.answers.response_bytes;
    exchange.connections = options.clients;
    out.bare_exchange = measure_bare_exchange(exchange).microseconds();
    out.unavoidable += out.bare_exchange;
  }
  out.third_plan = out.plan;
  out.third_plan.rate = std::max(1.0, static_cast<double>(out.saturated.answers.ok) / options.seconds / 3);
  auto third = run_load(out.third_plan, *target, *requests);
  if (!third) return third.error();
  out.third = std::move(*third);
  if (out.nodes > 1) {
    LoadPlan one = out.plan;
    one.urls = {target->urls.front()};
    auto report = run_load(one, *target, *requests);
    if (!report) return report.error();
    out.one_entry = std::move(*report);
  }
  return out;
}

// With one entry the first process is in that role only; the others answer, threshold - 1 of them each request.
json::object roles_of(const Measured& measured) {
  const auto& used = measured.one_entry.servers.used();
  const double delegations =
      static_cast<double>(std::max<std::uint64_t>(1, measured.one_entry.answers.answers_in_time));
  double others = 0;
  for (std::size_t i = 1; i < used.size(); ++i) others += used[i];
  return {{"entryMicroseconds", used.front() * 1e6 / delegations},
          {"responderMicroseconds", others * 1e6 / delegations / static_cast<double>(measured.threshold - 1)}};
}

json::object to_json(const Measured& measured) {
  json::object out;
  out["nodes"] = measured.nodes;
  out["threshold"] = measured.threshold;
  out["requestsPerSecond"] = static_cast<double>(measured.saturated.answers.ok) / measured.saturated.answers.seconds;
  out["limitPerSecond"] = measured.limit_per_second();
  out["ratio"] = measured.ratio();
  out["cpuMicrosecondsPerDelegation"] = measured.used;
  out["unavoidableMicroseconds"] = measured.unavoidable;
  out["bareExchangeMicroseconds"] = measured.bare_exchange;
  json::object operations;
  for (const auto& [name, microseconds] : measured.operations) operations[name] = microseconds;
  out["microseconds"] = std::move(operations);
  json::object calls;
  for (const auto& [name, count] : calls_of(measured.threshold)) calls[name] = count;
  out["calls"] = std::move(calls);
  if (measured.nodes > 1) out["roles"] = roles_of(measured);
  out["saturated"] = to_json(measured.saturated, measured.plan);
  out["third"] = to_json(measured.third, measured.third_plan);
  return out;
}

void print(const char* name, const Measured& measured) {
  const json::object third = to_json(measured.third, measured.third_plan);
  auto latency = [&](const char* which) { return third.at(which).to_number<double>(); };
  std::printf("%-10s %8.0f /s  limit %6.0f /s  ratio %.2f   CPU %6.0f us a delegation, unavoidable %6.0f", name,
              static_cast<double>(measured.saturated.answers.ok) / measured.saturated.answers.seconds,
              measured.limit_per_second(), measured.ratio(), measured.used, measured.unavoidable);
  if (measured.bare_exchange > 0) std::printf(" (%.0f the bare exchange)", measured.bare_exchange);
  std::printf("\n           at a third of that: p50 %.2f ms, p99 %.2f ms", latency("p50Ms"), latency("p99Ms"));
  if (measured.nodes > 1) {
    const json::object roles = roles_of(measured);
    std::printf("; entry %.0f us, responder %.0f us", roles.at("entryMicroseconds").to_number<double>(),
                roles.at("responderMicroseconds").to_number<double>());
  }
  std::printf("\n           ");
  for (const auto& [operation, count] : calls_of(measured.threshold)) {
    if (count > 0) std::printf(" %zu x %s %.1f us,", count, operation.c_str(), measured.operations.at(operation));
  }
  std::printf("\n");
}

Result<Measured> measure_or_start(const std::string& file, const NetworkSize& size, const DelegateOptions& options) {
  if (!file.empty()) return measure(file, options);
  auto network = StartedNetwork::start(size);
  if (!network) return network.error();
  return measure(network->testnet_file(), options);
}

int failed(const Error& why) {
  std::fprintf(stderr, "kms-bench delegate: %s\n", why.message.c_str());
  return 1;
}

}  // namespace

int delegate(const DelegateOptions& options, Output output) {
  auto solo = measure_or_start(options.solo, {1, 1, options.base_port}, options);
  if (!solo) return failed(solo.error());
  auto five = measure_or_start(options.network, {5, 3, options.base_port}, options);
  if (!five) return failed(five.error());
  if (output == Output::table) {
    print("solo", *solo);
    print("network", *five);
    return 0;
  }
  json::object all = {{"processors", std::thread::hardware_concurrency()},
                      {"limitPerSecond", five->limit_per_second()},
                      {"ratio", five->ratio()},
                      {"solo", to_json(*solo)},
                      {"network", to_json(*five)}};
  std::printf("%s\n", json::serialize(all).c_str());
  return 0;
}

}  // namespace kms::bench
