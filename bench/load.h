// kms-bench load: a load generator for any server of POST /v0/delegate.
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "bench/load_client.h"
#include "bench/output.h"
#include "bench/process_time.h"
#include "bench/signed_requests.h"

namespace kms::bench {

struct LoadOptions {
  std::vector<std::string> urls;
  std::string testnet;           // testnet.json: URLs, gateway key, chain, key, signer and processes of a test network
  std::string gateway_key_file;  // hex
  std::string public_key;        // hex
  std::string signer;
  std::optional<std::uint64_t> chain_id;
  std::vector<int> pids;
  std::string nodes;   // with a testnet: "1,3" of it
  LoadPlan plan;       // without the URLs
  RequestTerms terms;  // the numbers of it
};

struct LoadReport {
  LoadAnswers answers;
  ProcessTimes servers{{}};
  double cpu_seconds = 0;  // of this process while the clock ran
  std::size_t verified = 0;
  std::vector<std::string> wrong;  // answers that were checked and failed, with the reason
};

// `ms` sorted, `part` 0..1; 0 of none.
double percentile(const std::vector<float>& ms, double part);
// What the options name, read and asked for.
struct LoadTarget {
  std::vector<sdk::NodeUrl> urls;
  RequestTerms terms;
  std::vector<int> pids;
};
Result<LoadTarget> find_target(const LoadOptions& options);
Result<LoadReport> run_load(const LoadPlan& plan, const LoadTarget& target, const SignedRequests& requests);
boost::json::object to_json(const LoadReport& report, const LoadPlan& plan);
// The exit code: 0 if answers came and all that were checked are right.
int load(const LoadOptions& options, Output output);

}  // namespace kms::bench
