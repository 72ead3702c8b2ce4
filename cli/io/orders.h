// kmsctl approve, reshare, refresh, repair, start: orders at admin sockets; kmsctl ceremonies: what became of them.
#pragma once

#include "cli/io/demo.h"
#include "cli/options.h"
#include "cli/report.h"

namespace kms::cli::io {

Outcome<Report> run(const Ceremonies& options, Entropy& entropy);
// Says on the way what happens, if it is to wait.
Outcome<Report> run(const Order& options, const Progress& progress);

}  // namespace kms::cli::io
