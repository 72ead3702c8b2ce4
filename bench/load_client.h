// Sends prepared requests over kept connections, in a closed or an open loop, from one thread. Asio and Beast stay in
// the .cpp.
//
// Closed: each of `clients` connections sends its next request when the answer to the last one is there. Open: request
// k is due at k / rate, whether or not earlier ones were answered; what finds no idle connection waits, and its latency
// counts from when it was due, so that a server that stalls cannot hide it (no coordinated omission).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sdk/node_url.h"

namespace kms::bench {

class SignedRequests;

struct LoadPlan {
  std::vector<sdk::NodeUrl> urls;  // connections go to each in turn
  std::size_t clients = 32;        // connections
  std::optional<double> rate;      // requests a second; none: closed loop
  double warm_up_seconds = 1;      // sent, but not counted
  double seconds = 10;
  double answer_seconds_max = 10;  // an answer that takes longer is a failure
};

struct LoadAnswers {
  struct Second {
    std::uint64_t ok = 0, refused = 0, failed = 0;
  };
  struct Sample {
    std::size_t request = 0;
    std::string node, body;
  };
  double seconds = 0;                             // that were counted
  std::uint64_t ok = 0, refused = 0, failed = 0;  // 200; 429 and 503; everything else
  std::vector<float> ok_ms, refused_ms;           // latencies, unsorted
  std::map<int, std::uint64_t> statuses;          // of answers
  std::map<std::string, std::uint64_t> failures;  // why there was no answer
  std::vector<Second> timeline;                   // by when a request was due
  std::vector<Sample> samples;                    // 200s to be checked, at most 10,000
  std::uint64_t answers_in_time = 0;              // 200s that came while the clock ran: what its processor time bought
  std::size_t request_bytes = 0, response_bytes = 0;  // of one exchange, as seen
};

// When the counted time begins and ends.
struct LoadMarks {
  std::function<void()> began = [] {}, ended = [] {};
};

// An error if no URL can be connected to. At the end, requests on their way are waited for.
Result<LoadAnswers> run_load(const LoadPlan& plan, const SignedRequests& requests, const LoadMarks& marks);

}  // namespace kms::bench
