// kmsctl as a function of its arguments: the program is a thin main over it.
#pragma once

namespace kms::cli::io {

// Prints the answer on stdout, notes and errors on stderr; the result is the exit code (cli/report.h).
int run_kmsctl(int argc, const char* const* argv);

}  // namespace kms::cli::io
