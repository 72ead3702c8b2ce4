// kmsctl demo: a whole round against a test network, step by step.
#pragma once

#include <functional>

#include "cli/options.h"
#include "cli/report.h"

namespace kms::cli::io {

// Gets one line for people as each step ends.
using Progress = std::function<void(const std::string& line)>;

// Exit::failed unless every node that was asked delegated and the text came back.
Outcome<Report> run(const Demo& options, Entropy& entropy, const Progress& progress);

}  // namespace kms::cli::io
