#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/io/os_entropy.h"
#include "bench/delegate.h"
#include "bench/load.h"
#include "bench/started_network.h"
#include "bench/stopwatch.h"
#include "crypto/dleq.h"
#include "crypto/polynomial.h"

namespace kms::bench {
namespace {

namespace json = boost::json;

// Microseconds to verify t partials and combine them, as an entry or a client with cold caches does.
double verify_and_combine(std::size_t threshold) {
  using namespace crypto;
  kms::io::OsEntropy entropy;
  const Point point = multiply_generator(SecretScalar::random(entropy)).point();
  std::vector<Position> positions;
  std::vector<DleqStatement> statements;
  std::vector<DleqProof> proofs;
  std::vector<Element> partials;
  for (std::size_t i = 1; i <= threshold; ++i) {
    const auto share = SecretScalar::random(entropy);
    positions.push_back(static_cast<Position>(i));
    statements.push_back(
        {multiply_generator(share).point(), point, multiply(share, point).point(), Point::generator(), Hash32{1}});
    proofs.push_back(prove_dleq(share, statements.back(), entropy.array<32>()).value());
    partials.push_back(statements.back().c);
  }
  Stopwatch watch;
  watch.time("", [&] {
    for (std::size_t i = 0; i < threshold; ++i) keep(verify_dleq(statements[i], proofs[i]));
    keep(combine(lagrange_coefficients(positions), partials));
  });
  return watch.readings().front().microseconds;
}

Result<LoadReport> load_network(const NetworkSize& size, const ScaleOptions& options) {
  auto network = StartedNetwork::start(size);
  if (!network) return network.error();
  LoadOptions load_options;
  load_options.testnet = network->testnet_file();
  auto target = find_target(load_options);
  if (!target) return target.error();
  kms::io::OsEntropy entropy;
  auto requests = SignedRequests::make(std::move(target->terms), entropy);
  if (!requests) return requests.error();
  LoadPlan plan;
  plan.urls = target->urls;
  plan.clients = options.clients;
  plan.seconds = options.seconds;
  plan.warm_up_seconds = 3;
  return run_load(plan, *target, *requests);
}

}  // namespace

int scale(const ScaleOptions& options, Output output) {
  json::array rows;
  double first = 0;
  for (std::size_t nodes : {5, 10, 20}) {
    auto report = load_network({nodes, 3, options.base_port}, options);
    if (!report) {
      std::fprintf(stderr, "kms-bench scale: %s\n", report.error().message.c_str());
      return 1;
    }
    const double microseconds = report->servers.total() * 1e6 /
                                static_cast<double>(std::max<std::uint64_t>(1, report->answers.answers_in_time));
    if (first == 0) first = microseconds;
    rows.push_back({{"nodes", nodes},
                    {"threshold", 3},
                    {"cpuMicrosecondsPerDelegation", microseconds},
                    {"timesTheFirst", microseconds / first},
                    {"requestsPerSecond", static_cast<double>(report->answers.ok) / report->answers.seconds},
                    {"failed", report->answers.failed}});
    if (output == Output::table) {
      std::printf("n = %2zu, t = 3: %7.0f us of all nodes a delegation, %.2f times n = 5; %.0f /s\n", nodes,
                  microseconds, microseconds / first,
                  static_cast<double>(report->answers.ok) / report->answers.seconds);
    }
  }
  json::object combined;
  for (std::size_t threshold : {3, 33}) {
    const double microseconds = verify_and_combine(threshold);
    combined[std::to_string(threshold)] = microseconds;
    if (output == Output::table) std::printf("verify and combine, t = %2zu: %.0f us\n", threshold, microseconds);
  }
  if (output == Output::json) {
    const json::object all{{"networks", std::move(rows)}, {"verifyAndCombineMicroseconds", std::move(combined)}};
    std::printf("%s\n", json::serialize(all).c_str());
  }
  return 0;
}

}  // namespace kms::bench
