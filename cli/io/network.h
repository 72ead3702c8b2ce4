// kmsctl status, keys, peers: what nodes say about themselves.
#pragma once

#include "cli/key_list.h"
#include "cli/options.h"
#include "sdk/io/node_pool.h"

namespace kms::cli::io {

Outcome<Report> run(const Status& options, Entropy& entropy);
Outcome<Report> run(const Keys& options, Entropy& entropy);
Outcome<Report> run(const Peers& options, Entropy& entropy);

struct KeyAnswer {
  KeySummary key;
  sdk::NodeUrl node;
};
// The key of a chain, or the only one, from the first node that has any.
Outcome<KeyAnswer> ask_key(sdk::io::NodePool& pool, std::optional<std::uint64_t> chain_id);

}  // namespace kms::cli::io
