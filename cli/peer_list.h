// Whom nodes are connected to (GET /v1/peers), as one table a node and one JSON object.
#pragma once

#include <vector>

#include "cli/report.h"
#include "sdk/http.h"
#include "sdk/node_url.h"

namespace kms::cli {

struct PeerList {
  sdk::NodeUrl url;
  std::string fault;  // why nothing more is known; empty: the node answered
  std::string name;   // the node's own; may be empty
  std::vector<boost::json::object> peers;
};

PeerList peers_in(const sdk::NodeUrl& url, const Result<sdk::HttpAnswer>& answer);
// Exit::ok if every node answered.
Report peers_report(const std::vector<PeerList>& lists);

}  // namespace kms::cli
