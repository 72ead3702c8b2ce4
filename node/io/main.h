// The life of a kms-node process, from its arguments to its end.
#pragma once

#include "node/io/startup.h"

namespace kms::node::io {

// Runs until SIGINT or SIGTERM; gives the process's exit code: 0 a clean stop, 1 a failure that was logged.
int run_node(const StartOptions& options);

}  // namespace kms::node::io
