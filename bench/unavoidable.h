// The operations that no delegation does without, timed in processor time while every processor of the machine does the
// same: that is how they run inside nodes at saturation.
#pragma once

#include <map>
#include <string>

namespace kms::bench {

// Microseconds of one call: "recover", "multiply", "prove", "verify", "combine", "rsa", "sign".
using Operations = std::map<std::string, double>;
// `threshold` decides what `combine` is. Forks; make it before threads.
Operations time_operations(std::size_t threshold);

// How often a delegation of form A by t members needs each: every one of them recovers the requester and multiplies;
// all but the entry prove, and the entry verifies; it combines, encrypts and signs.
std::map<std::string, std::size_t> calls_of(std::size_t threshold);
double unavoidable_microseconds(const Operations& operations, std::size_t threshold);

}  // namespace kms::bench
