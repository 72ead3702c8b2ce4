// How loud the log is and what its lines look like.
#pragma once

#include <cstdint>

namespace kms::node {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

}  // namespace kms::node
