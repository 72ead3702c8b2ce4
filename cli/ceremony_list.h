// What nodes say about ceremonies (GET /v1/ceremonies) and answer to orders, as tables and JSON.
#pragma once

#include <vector>

#include "cli/report.h"
#include "sdk/http.h"

namespace kms::cli {

struct CeremonyList {
  std::string node;   // its URL or socket
  std::string fault;  // why nothing more is known; empty: the node answered
  boost::json::object body;
};

CeremonyList ceremonies_in(const std::string& node, const Result<sdk::HttpAnswer>& answer);
// The same of an answer to an order, whose state it holds.
CeremonyList ordered_in(const std::string& node, const Result<sdk::HttpAnswer>& answer);
// The epoch in charge; nothing if there is none, or the node did not answer.
std::optional<std::uint64_t> epoch_in(const CeremonyList& list);
// One line about the slot under way, or the epoch in charge; empty if the node did not answer.
std::string progress_in(const CeremonyList& list);

// Exit::ok if every node answered.
Report ceremonies_report(const std::vector<CeremonyList>& lists);
// Exit::ok if every node accepted. `what` is the order in words.
Report orders_report(const std::string& what, const std::vector<CeremonyList>& lists);

}  // namespace kms::cli
