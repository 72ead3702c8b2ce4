// kmsctl reshare --emergency and kmsctl void: orders that cannot be taken back, so they say what they need and ask.
#pragma once

#include "cli/io/orders.h"

namespace kms::cli::io {

Outcome<Report> run_emergency(const Order& options, const Progress& progress);

}  // namespace kms::cli::io
