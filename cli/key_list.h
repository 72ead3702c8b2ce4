// The keys of a network (GET /v1/keys).
#pragma once

#include <vector>

#include "cli/report.h"
#include "crypto/point.h"
#include "sdk/http.h"
#include "sdk/node_url.h"

namespace kms::cli {

struct KeySummary {
  std::string key_id;
  std::uint64_t chain_id = 0;
  crypto::Point public_key;
  std::uint64_t epoch = 0;
  std::uint64_t threshold = 0;
  std::uint64_t members = 0;
  bool is_imported = false;  // somebody held the whole key once
};

// At most 1024 keys.
Result<std::vector<KeySummary>> keys_in(const sdk::HttpAnswer& answer);
// The key of `chain_id`, or the only one; else an error that lists the chains.
Result<KeySummary> choose_key(const std::vector<KeySummary>& keys, std::optional<std::uint64_t> chain_id);
// Exit::failed if there is none.
Report keys_report(const std::vector<KeySummary>& keys, const sdk::NodeUrl& node);

}  // namespace kms::cli
