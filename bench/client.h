// kms-bench client: what users of the SDK see, with its failing over and hedging, while nodes come and go.
#pragma once

#include <string>

#include "bench/output.h"

namespace kms::bench {

struct ClientLoadOptions {
  std::string testnet;  // testnet.json
  std::size_t clients = 4;
  double seconds = 10;
};

// The exit code: 0 if every call succeeded and gave back its text.
int client_load(const ClientLoadOptions& options, Output output);

}  // namespace kms::bench
