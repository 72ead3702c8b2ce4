// What nodes say about themselves (GET /ready, /v1/network), as one table and one JSON object.
#pragma once

#include <vector>

#include "cli/report.h"
#include "sdk/http.h"
#include "sdk/node_url.h"

namespace kms::cli {

struct NodeStatus {
  sdk::NodeUrl url;
  std::string fault;  // why nothing more is known; empty: the node answered
  bool is_ready = false;
  std::vector<std::string> reasons;  // why it is not ready
  std::vector<std::string> missing;  // members it has no connection to
  std::string name;                  // its own, from the network file; may be empty
  std::string network;
  std::string version;
  std::string phase;  // of the running or last ceremony; empty: none
  std::uint64_t threshold = 0;
  std::size_t members = 0;
  std::size_t connected = 0;            // itself included
  std::vector<double> round_trips_ms;   // sorted
  std::vector<std::uint64_t> imported;  // chains whose key somebody once held whole
};

NodeStatus status_of(const sdk::NodeUrl& url, const Result<sdk::HttpAnswer>& ready,
                     const Result<sdk::HttpAnswer>& network);
// Exit::ok if every node answered and is ready.
Report status_report(const std::vector<NodeStatus>& nodes);

}  // namespace kms::cli
