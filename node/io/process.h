// What the process as a whole does for its secrets and its end.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace kms::node::io {

// As many open files as the system allows, no core dumps, no ptrace by others, memory locked as it is touched and given
// back when it is free. Returns
// what could not be had, for the log.
std::vector<std::string> harden_process();

// Resident set in bytes, for /metrics; 0 if unknown.
std::size_t resident_bytes();
// User and system time of the process so far, in seconds.
double cpu_seconds();

}  // namespace kms::node::io
