// Reads the command line. The only file that includes CLI11 is its .cpp.
#pragma once

#include <variant>

#include "cli/options.h"
#include "cli/report.h"

namespace kms::cli {

struct Help {
  std::string text;
};

// A command, the help that was asked for, or what is wrong with the line (Exit::usage).
std::variant<CommandLine, Help, Failure> parse_command_line(int argc, const char* const* argv);

}  // namespace kms::cli
